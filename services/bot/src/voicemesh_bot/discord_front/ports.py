"""What the Discord front needs besides the ports of the bot."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ("Wall",)


class Wall(Protocol):
    """Somewhere to show an answer that grows."""

    async def show(self, pages: Sequence[str]) -> None:
        """Make what is visible equal `pages`, which extend what was shown before."""
