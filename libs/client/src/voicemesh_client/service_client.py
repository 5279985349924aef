"""What the clients of all services share: one channel, opened at the first call, and its end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, Self, TypeVar

from voicemesh_chassis.channel import open_channel
from voicemesh_client.calls import Peer
from voicemesh_client.connection import Connection

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    import grpc.aio

__all__ = ("ServiceClient",)

Stub = TypeVar("Stub")


class ServiceClient(Generic[Stub]):
    """A client of one service, to be closed with `aclose` or by leaving `async with`.

    May be made anywhere and is used in one event loop; any number of calls may run at once.
    """

    def __init__(
        self, connection: Connection | str, make_stub: Callable[[grpc.aio.Channel], Stub]
    ) -> None:
        self._connection = Connection.of(connection)
        self._peer = Peer.of(self._connection)
        self._make_stub = make_stub
        self._opened: tuple[grpc.aio.Channel, Stub] | None = None
        self._is_closed = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Ends open calls and the connection. Closing twice changes nothing."""
        self._is_closed = True
        opened, self._opened = self._opened, None
        if opened is not None:
            await opened[0].close()

    def _stub(self) -> Stub:
        """The generated stub, on a channel opened at the first use.

        Opened late because grpc.aio binds a channel to the event loop that runs at that time.
        """
        if self._is_closed:
            msg = f"this client of {self._connection.target} has been closed"
            raise RuntimeError(msg)
        if self._opened is None:
            channel = open_channel(self._connection.channel_options())
            self._opened = (channel, self._make_stub(channel))
        return self._opened[1]
