"""One websocket of a bot, with a task that writes to it."""

from __future__ import annotations

import asyncio
import json
import zlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiohttp import web

    from discordsim.gateway.sessions import Session

__all__ = ("Connection", "readable")

_WAITING = 10_000
_CLOSE_S = 2.0
_TOO_SLOW = 4000


class Connection:
    """Sends in order what it is given, without making the sender wait."""

    def __init__(
        self, socket: web.WebSocketResponse, *, compressed: bool, delay_s: Callable[[], float]
    ) -> None:
        """Write to a prepared websocket; call `start`.

        Args:
            socket: the websocket.
            compressed: whether the bot asked for one zlib stream over all messages.
            delay_s: how long each message is held back, in seconds.
        """
        self._socket = socket
        self._deflate = zlib.compressobj() if compressed else None
        self._delay_s = delay_s
        self._waiting: asyncio.Queue[str | int] = asyncio.Queue(_WAITING)
        self._writer: asyncio.Task[None] | None = None
        self.session: Session | None = None
        self._heard = 0
        self._minute = 0
        self.closing = False
        """Whether it is being closed with a code."""

    def start(self) -> None:
        """Begin to write."""
        self._writer = asyncio.create_task(self._write(), name="discordsim gateway writer")

    def send(self, op: int, data: object) -> None:
        """Send a message that is no event."""
        self.send_text(json.dumps({"op": op, "d": data, "s": None, "t": None}))

    def send_text(self, text: str) -> None:
        """Send a message; a bot that is thousands behind is disconnected."""
        if self._waiting.full():
            self.close(_TOO_SLOW)
            return
        self._waiting.put_nowait(text)

    def close(self, code: int) -> None:
        """Close with a code, after what was sent before."""
        self.closing = True
        if self._waiting.full():
            self._waiting.get_nowait()
        self._waiting.put_nowait(code)

    async def aclose(self) -> None:
        """End the task, and the websocket with it."""
        if self._writer is not None:
            self._writer.cancel()
            await asyncio.wait({self._writer}, timeout=_CLOSE_S)
        if not self._socket.closed:
            await self._socket.close(code=1001)

    async def _write(self) -> None:
        while True:
            item = await self._waiting.get()
            if (delay_s := self._delay_s()) > 0:
                await asyncio.sleep(delay_s)
            try:
                if isinstance(item, int):
                    await self._socket.close(code=item)
                    return
                await self._send_now(item)
            except (ConnectionError, RuntimeError):
                return  # the bot is gone; what it missed is in the session

    async def _send_now(self, text: str) -> None:
        if self._deflate is None:
            await self._socket.send_str(text)
            return
        packed = self._deflate.compress(text.encode()) + self._deflate.flush(zlib.Z_SYNC_FLUSH)
        await self._socket.send_bytes(packed)

    def received(self, now_s: float) -> int:
        """Count a message from the bot and return how many came in the present minute.

        Args:
            now_s: the time in seconds, from any fixed moment.
        """
        minute = int(now_s // 60)
        if minute != self._minute:
            self._minute, self._heard = minute, 0
        self._heard += 1
        return self._heard


def readable(text: str) -> dict[str, Any] | None:
    """Return a message of a bot, or None if it is no JSON object with an opcode."""
    try:
        message = json.loads(text)
    except ValueError:
        return None
    return message if isinstance(message, dict) and isinstance(message.get("op"), int) else None
