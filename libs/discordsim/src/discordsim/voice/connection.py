"""One websocket of a voice client, written to from one task."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aiohttp import web

    from discordsim.voice.outbox import Wire

__all__ = ("Connection",)

_MOST_WAITING = 2000
_CLOSE_TIMEOUT_S = 2.0


class Connection:
    """Sends messages in order without ever making their author wait."""

    def __init__(self, socket: web.WebSocketResponse) -> None:
        """Take a socket that is open; `run` must be running for anything to be sent."""
        self._socket = socket
        self._waiting: asyncio.Queue[Wire | None] = asyncio.Queue(_MOST_WAITING + 1)
        self.close_code: int | None = None
        """Why this side ends it; None while it does not."""

    def send(self, wire: Wire) -> None:
        """Send a message after those before it; a client that reads too slowly is cut off."""
        if self.close_code is not None:
            return
        if self._waiting.qsize() >= _MOST_WAITING:
            self.close(_TOO_SLOW)
            return
        self._waiting.put_nowait(wire)

    def close(self, code: int) -> None:
        """End the connection once all messages are sent; nothing happens the second time."""
        if self.close_code is None:
            self.close_code = code
            self._waiting.put_nowait(None)

    async def run(self) -> None:
        """Send until it is closed."""
        while (wire := await self._waiting.get()) is not None:
            # A client that is gone is noticed by who reads from the socket.
            with suppress(ConnectionError):
                if isinstance(wire, bytes):
                    await self._socket.send_bytes(wire)
                else:
                    await self._socket.send_str(wire)
        with suppress(ConnectionError, TimeoutError):
            async with asyncio.timeout(_CLOSE_TIMEOUT_S):
                await self._socket.close(code=self.close_code or 1000)


_TOO_SLOW = 4009
