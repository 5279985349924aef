"""The Wyoming protocol: a line of JSON for each event, then its data and its bytes."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

__all__ = ("Event", "Wire", "wired")

_NOTHING: Mapping[str, object] = {}


@dataclass(frozen=True)
class Event:
    """What the other side says."""

    kind: str
    """Its type, such as `audio-chunk`."""
    data: Mapping[str, Any]
    """Its fields."""
    payload: bytes
    """Its bytes, such as audio."""


class Wire:
    """A connection to a server."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    def send(self, kind: str, data: Mapping[str, object] = _NOTHING, payload: bytes = b"") -> None:
        """Queues an event; `drain` sends it."""
        event = {"type": kind, "data": dict(data), "payload_length": len(payload)}
        self._writer.write(json.dumps(event).encode() + b"\n" + payload)

    async def drain(self) -> None:
        """Sends what is queued."""
        await self._writer.drain()

    async def receive(self) -> Event:
        """The next event.

        Raises:
            RuntimeError: if the server reports an error or closes the connection.
        """
        line = await self._reader.readline()
        if not line:
            msg = "the server has closed the connection"
            raise RuntimeError(msg)
        head = json.loads(line)
        data = head.get("data") or {}
        if length := head.get("data_length"):
            data |= json.loads(await self._reader.readexactly(length))
        length = head.get("payload_length")
        payload = await self._reader.readexactly(length) if length else b""
        if head["type"] == "error":
            msg = f"the server says: {data.get('text')}"
            raise RuntimeError(msg)
        return Event(head["type"], data, payload)


@asynccontextmanager
async def wired(port: int) -> AsyncIterator[Wire]:
    """A connection to a port of this machine until the block ends."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield Wire(reader, writer)
    finally:
        writer.close()
