"""The voice gateway, version 8: one websocket from its hello to its close code."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Protocol

from aiohttp import WSMsgType, web

from discordsim.errors import MalformedMessageError
from discordsim.voice.connection import Connection
from discordsim.voice.opcodes import VoiceCloseCode, VoiceOpcode
from discordsim.voice.outbox import encode
from discordsim.voice.transport import TransportMode

if TYPE_CHECKING:
    from discordsim.voice.faults import VoiceFaults
    from discordsim.voice.session import Session
    from discordsim.voice.settings import VoiceSettings

__all__ = ("Closing", "Gateway", "SessionBook")

_LARGEST_MESSAGE = 1 << 20
_MISSED_HEARTBEATS = 2.0


class Closing(Exception):  # noqa: N818 - not an error of ours: the protocol's way to say no
    """The connection ends with a code."""

    def __init__(self, code: VoiceCloseCode, reason: str) -> None:
        """Say why."""
        self.code = code
        super().__init__(reason)


class SessionBook(Protocol):
    """Where the gateway finds sessions."""

    @property
    def settings(self) -> VoiceSettings:
        """How the server behaves."""
        ...

    @property
    def faults(self) -> VoiceFaults:
        """What goes wrong at present."""
        ...

    def begin(self, identify: Mapping[str, Any]) -> Session:
        """Open a session for a client that identifies (opcode 0).

        Raises:
            Closing: it may not.
        """
        ...

    def find(self, resume: Mapping[str, Any]) -> Session:
        """Return the session that a client wants to resume (opcode 7).

        Raises:
            Closing: there is none.
        """
        ...

    def keep(self, session: Session) -> None:
        """Note that a session was resumed, and so does not end for want of a connection."""
        ...

    def choose(self, session: Session, mode: TransportMode) -> None:
        """Let a session into its call, with a mode of encryption."""
        ...

    def lose(self, session: Session, code: int | None) -> None:
        """Note that a session has no connection any longer; `code` is the one it ended with."""
        ...

    def ready(self, session: Session) -> Mapping[str, Any]:
        """Return the content of opcode 2."""
        ...

    def record(self, line: str) -> None:
        """Note what happens."""
        ...


class Gateway:
    """Serves one websocket."""

    def __init__(self, book: SessionBook, socket: web.WebSocketResponse) -> None:
        """Take a socket that is open."""
        self._book = book
        self._socket = socket
        self._connection = Connection(socket)
        self._session: Session | None = None

    async def serve(self) -> None:
        """Serve until either side closes."""
        writer = asyncio.create_task(self._connection.run(), name="discordsim voice writer")
        try:
            await self._converse()
        finally:
            self._connection.close(1000)
            session = self._session
            if session is not None and session.connection is self._connection:
                session.connection = None
                self._book.lose(session, self._ended_with())
            try:
                await writer
            finally:
                writer.cancel()
                with suppress(asyncio.CancelledError):
                    await writer

    def _ended_with(self) -> int | None:
        """The code that this side closed with if it did, or else the client's."""
        own = self._connection.close_code
        return self._socket.close_code if own in {None, 1000} else own

    async def _converse(self) -> None:
        interval_s = self._book.settings.heartbeat_interval_s
        if not self._book.faults.mute_gateway:
            hello = {"v": 8, "heartbeat_interval": interval_s * 1000}
            self._connection.send(encode(VoiceOpcode.HELLO, hello))
        try:
            while True:
                async with asyncio.timeout(interval_s * _MISSED_HEARTBEATS):
                    message = await self._socket.receive()
                if message.type is WSMsgType.TEXT:
                    self._take_text(message.data)
                elif message.type is WSMsgType.BINARY:
                    self._take_binary(message.data)
                else:
                    await asyncio.sleep(self._book.settings.closing_delay_s)
                    return
        except TimeoutError:
            self._refuse(Closing(VoiceCloseCode.SESSION_TIMEOUT, "no heartbeat"))
        except MalformedMessageError as error:
            self._refuse(Closing(VoiceCloseCode.FAILED_TO_DECODE, f"the message {error}"))
        except Closing as closing:
            self._refuse(closing)

    def _refuse(self, closing: Closing) -> None:
        who = "a client" if self._session is None else str(self._session.user_id)
        self._book.record(f"voice: {who} is closed with {closing.code.value}: {closing}")
        self._connection.close(closing.code)

    def _take_binary(self, data: bytes) -> None:
        if self._book.faults.mute_gateway:
            return
        if not data:
            raise MalformedMessageError("is empty")
        self._known_session().receive(data[0], data[1:])

    def _take_text(self, text: str) -> None:
        opcode, content = _parse(text)
        if self._book.faults.mute_gateway:
            return
        if opcode == VoiceOpcode.HEARTBEAT:
            self._answer_heartbeat(content)
            return
        fields = content if isinstance(content, Mapping) else {}
        if opcode == VoiceOpcode.IDENTIFY:
            self._identify(fields)
        elif opcode == VoiceOpcode.RESUME:
            self._resume(fields)
        elif opcode == VoiceOpcode.SELECT_PROTOCOL:
            self._select_protocol(fields)
        elif opcode in _FROM_CLIENTS:
            self._known_session().receive(opcode, fields)
        elif opcode not in _IGNORED:
            raise Closing(VoiceCloseCode.UNKNOWN_OPCODE, f"opcode {opcode} is not for servers")

    def _answer_heartbeat(self, content: object) -> None:
        """Sends the nonce back; it is a bare number before version 8."""
        nonce = content.get("t") if isinstance(content, Mapping) else content
        self._connection.send(encode(VoiceOpcode.HEARTBEAT_ACK, {"t": nonce}))

    def _known_session(self) -> Session:
        if self._session is None:
            raise Closing(VoiceCloseCode.NOT_AUTHENTICATED, "not identified yet")
        return self._session

    def _identify(self, fields: Mapping[str, Any]) -> None:
        if self._session is not None:
            raise Closing(VoiceCloseCode.ALREADY_AUTHENTICATED, "identified before")
        self._session = session = self._book.begin(fields)
        session.connection = self._connection
        session.tell(VoiceOpcode.READY, self._book.ready(session))

    def _resume(self, fields: Mapping[str, Any]) -> None:
        if self._session is not None:
            raise Closing(VoiceCloseCode.ALREADY_AUTHENTICATED, "identified before")
        session = self._book.find(fields)
        acknowledged = fields.get("seq_ack", -1)
        before = session.connection
        if not isinstance(acknowledged, int) or not session.resume(self._connection, acknowledged):
            raise Closing(VoiceCloseCode.SESSION_INVALID, f"nothing is kept since {acknowledged}")
        self._session = session
        self._book.keep(session)
        if before is not None:
            before.close(VoiceCloseCode.SESSION_INVALID)
        self._book.record(f"voice: {session.user_id} resumes after message {acknowledged}")

    def _select_protocol(self, fields: Mapping[str, Any]) -> None:
        session = self._known_session()
        if fields.get("protocol") != "udp":
            raise Closing(VoiceCloseCode.UNKNOWN_PROTOCOL, "only udp is spoken here")
        data = fields.get("data")
        wanted = data.get("mode") if isinstance(data, Mapping) else None
        if wanted not in self._book.settings.modes:
            raise Closing(VoiceCloseCode.UNKNOWN_ENCRYPTION_MODE, f"mode {wanted} is not offered")
        if session.in_call:
            raise Closing(VoiceCloseCode.BAD_REQUEST, "the protocol is chosen already")
        self._book.choose(session, TransportMode(wanted))


_FROM_CLIENTS = {VoiceOpcode.SPEAKING, 23, 31}
_IGNORED = {VoiceOpcode.VIDEO, 14, 15, 16}
"""What clients send about video, quality and versions."""


def _parse(text: str) -> tuple[int, object]:
    if len(text) > _LARGEST_MESSAGE:
        raise MalformedMessageError(f"has more than {_LARGEST_MESSAGE} characters")
    try:
        message = json.loads(text)
    except ValueError as error:
        raise MalformedMessageError("is no JSON") from error
    if not isinstance(message, dict) or not isinstance(message.get("op"), int):
        raise MalformedMessageError("has no opcode")
    return message["op"], message.get("d")
