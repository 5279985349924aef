"""The UDP socket of a voice server: IP discovery, keepalives, and whose packet it is."""

from __future__ import annotations

import asyncio
import struct
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Callable

    from discordsim.voice.session import Session

__all__ = ("Address", "AudioSocket")

Address = tuple[str, int]

_DISCOVERY = struct.Struct(">HHI64sH")
_REQUEST, _RESPONSE, _LENGTH = 1, 2, 70
_KEEPALIVE_SIZE = 8


class AudioSocket(asyncio.DatagramProtocol):
    """Where all clients of a server send their audio."""

    def __init__(self, find: Callable[[int], Session | None]) -> None:
        """Ask `find` for the session with an SSRC."""
        self._find = find
        self._transport: asyncio.DatagramTransport | None = None
        self._sessions: dict[Address, Session] = {}

    async def start(self) -> None:
        """Listen on a free port of the loopback."""
        await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: self, local_addr=("127.0.0.1", 0)
        )

    @property
    def port(self) -> int:
        """Where it listens."""
        if self._transport is None:
            raise RuntimeError("the socket is not started")
        port: int = self._transport.get_extra_info("sockname")[1]
        return port

    def close(self) -> None:
        """Listen no longer."""
        if self._transport is not None:
            self._transport.close()

    def send(self, packet: bytes, address: Address) -> None:
        """Send a datagram; after `close` nothing happens."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.sendto(packet, address)

    def forget(self, session: Session) -> None:
        """Listen to a session no longer."""
        if session.address is not None and self._sessions.get(session.address) is session:
            del self._sessions[session.address]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin, as asyncio's protocols do."""
        self._transport = cast("asyncio.DatagramTransport", transport)  # as was asked for

    def datagram_received(self, data: bytes, addr: Address) -> None:
        """Take whatever arrives; what nobody can have meant is dropped, as on the open internet."""
        if len(data) == _DISCOVERY.size and data[0] < 128:
            self._discover(data, addr)
        elif len(data) == _KEEPALIVE_SIZE:
            self.send(data, addr)
        elif (session := self._sessions.get(addr)) is not None:
            session.receive_packet(data)

    def _discover(self, data: bytes, address: Address) -> None:
        """Answers under which address a client is seen: docs, "IP Discovery"."""
        kind, length, ssrc, _, _ = _DISCOVERY.unpack(data)
        session = self._find(ssrc)
        if kind != _REQUEST or length != _LENGTH or session is None:
            return
        self.forget(session)
        session.address = address
        self._sessions[address] = session
        host, port = address
        self.send(_DISCOVERY.pack(_RESPONSE, _LENGTH, ssrc, host.encode(), port), address)
