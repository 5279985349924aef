"""How a voice connection learns its own address, without losing the answer.

discord.py 2.7.1 asks once, and listens for the answer only after it has asked. Where somebody reads
the socket already, as a receiver does, an answer that is quick gets lost; one that the network
loses is lost in any case; and both end in a join that takes its whole time-out and fails.
"""

from __future__ import annotations

import asyncio
import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

__all__ = ("IpDiscovery",)

_PACKET = struct.Struct(">HHI64sH")
"""Type, length of what follows, source, address, port: docs, "IP Discovery"."""
_REQUEST, _RESPONSE, _LENGTH = 1, 2, 70
_PATIENCE_S = 0.5


class IpDiscovery:
    """Asks until it is answered; belongs to one event loop."""

    def __init__(self) -> None:
        """Wait for nothing yet."""
        self._answer: asyncio.Future[tuple[str, int]] | None = None
        self._ssrc = 0

    def take(self, datagram: bytes) -> bool:
        """Says whether a datagram is an answer, and takes it if so."""
        if len(datagram) != _PACKET.size or datagram[:2] != _RESPONSE.to_bytes(2, "big"):
            return False
        _, _, ssrc, address, port = _PACKET.unpack(datagram)
        answer = self._answer
        if answer is not None and not answer.done() and ssrc == self._ssrc:
            answer.set_result((address.partition(b"\0")[0].decode("ascii", "replace"), port))
        return True

    async def ask(self, ssrc: int, send: Callable[[bytes], Awaitable[None]]) -> tuple[str, int]:
        """The address and port under which the server sees this client.

        Asks again every half second, until it is cancelled.

        Args:
            ssrc: the client's source.
            send: sends a datagram.
        """
        self._ssrc, self._answer = ssrc, asyncio.get_running_loop().create_future()
        request = _PACKET.pack(_REQUEST, _LENGTH, ssrc, b"", 0)
        try:
            while True:
                await send(request)
                done, _ = await asyncio.wait({self._answer}, timeout=_PATIENCE_S)
                if done:
                    return self._answer.result()
        finally:
            self._answer.cancel()
            self._answer = None
