"""What calls and servers need of those who are in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from discordsim.voice.call import Seat
    from discordsim.voice.rtp import Rtp

__all__ = ("Participant", "Person")


class Participant(Protocol):
    """A client in a call: a bot behind a websocket, or a person in this process.

    A call goes on only after these return, so they must neither block nor call back into it.
    """

    @property
    def user_id(self) -> int:
        """Who it is."""
        ...

    @property
    def dave_version(self) -> int:
        """The highest version of DAVE it speaks; 0 for none."""
        ...

    def tell(self, opcode: int, content: bytes | Mapping[str, Any]) -> None:
        """Take a message of the voice gateway; they come in the order in which they were made."""
        ...

    def hear(self, user_id: int, packet: Rtp) -> None:
        """Take a packet of audio that somebody else sent."""
        ...


class Person(Participant, Protocol):
    """A participant in this process, whom the server lets in and out."""

    def prepare(self, channel_id: int, protocol_version: int) -> None:
        """Begin a membership; messages of the new call may come from now on.

        Args:
            channel_id: the channel of the call.
            protocol_version: the version of DAVE that the call speaks; 0 for none.
        """
        ...

    def connect(self, line: Seat, on_leaving: Callable[[], None]) -> None:
        """Take a place in the call, and whom to tell when it is given up."""
        ...

    async def disconnect(self) -> None:
        """Give up the place, of whatever server; nothing happens if there is none."""
        ...
