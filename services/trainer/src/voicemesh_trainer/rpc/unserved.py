"""The part of the contract that a later release serves.

Such a call is refused in words, before anything is read of it: what is not stored must never be
acknowledged.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from voicemesh_trainer.errors import NotServedYetError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

__all__ = ("UnservedServicer", "refuse")


def refuse(what: str) -> NoReturn:
    """Says that `what` (a subject and its verb) arrives later. Raises `NotServedYetError`."""
    msg = f"{what} with a later release; nothing was changed or recorded"
    raise NotServedYetError(msg)


class UnservedServicer:
    """Stands for any servicer of the contract and refuses each of its calls.

    Args:
        what: subject and verb of the refusal, such as "datasets arrive".
    """

    def __init__(self, what: str) -> None:
        self._what = what

    def __getattr__(self, name: str) -> Callable[[Any, Any], Awaitable[Any]]:
        """The handler of the rpc called `name`, whatever it takes and gives."""
        if name.startswith("_"):
            raise AttributeError(name)

        async def handler(_request: Any, _context: Any) -> Any:
            refuse(self._what)

        return handler
