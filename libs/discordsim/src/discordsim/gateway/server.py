"""The gateway itself: who may come in, what they say, and switches for what goes wrong.

Source: Discord API reference, "Gateway", "Gateway Events" and "Opcodes and Status Codes".
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aiohttp import WSMsgType, web

from discordsim.gateway.connection import Connection, readable
from discordsim.gateway.dispatches import Viewer, dispatches
from discordsim.gateway.intents import (
    KNOWN_INTENTS,
    PRIVILEGED_INTENTS,
    Intent,
    application_flags,
)
from discordsim.gateway.members import member_chunks
from discordsim.gateway.sessions import Session
from discordsim.wire import guild_snapshot, user_payload

if TYPE_CHECKING:
    from collections.abc import Callable

    from discordsim.events import Event
    from discordsim.world import World

__all__ = ("CloseCode", "GatewayServer", "VoiceRequest")

_EVENTS_PER_MINUTE = 120
_LONGEST_MESSAGE = 4096
_HEARTBEAT, _IDENTIFY, _PRESENCE, _VOICE, _RESUME, _MEMBERS = 1, 2, 3, 4, 6, 8
_RECONNECT, _INVALID_SESSION, _HELLO, _HEARTBEAT_ACK = 7, 9, 10, 11


class CloseCode:
    """Codes with which Discord closes the gateway."""

    UNKNOWN_ERROR = 4000
    UNKNOWN_OPCODE = 4001
    DECODE_ERROR = 4002
    NOT_AUTHENTICATED = 4003
    AUTHENTICATION_FAILED = 4004
    ALREADY_AUTHENTICATED = 4005
    INVALID_SEQUENCE = 4007
    RATE_LIMITED = 4008
    SESSION_TIMED_OUT = 4009
    INVALID_SHARD = 4010
    INVALID_INTENTS = 4013
    DISALLOWED_INTENTS = 4014


@dataclass(frozen=True, slots=True)
class VoiceRequest:
    """A bot wants to join, leave or move in voice, or to mute or deafen itself."""

    bot_id: int
    guild_id: int
    channel_id: int | None
    """None to leave."""
    session_id: str
    self_mute: bool
    self_deaf: bool


class GatewayServer:
    """Tells bots what happens, and lets a test break it."""

    def __init__(
        self,
        world: World,
        *,
        record: Callable[[str], None],
        on_voice: Callable[[VoiceRequest], None],
        heartbeat_interval_s: float = 41.25,
    ) -> None:
        """Tell of everything that happens in `world` from now on.

        Args:
            world: what bots are told of.
            record: writes a line of the transcript.
            on_voice: called when a bot wants something in voice; must not block or raise.
            heartbeat_interval_s: how often bots must send a heartbeat.
        """
        self._world = world
        self._record = record
        self._on_voice = on_voice
        self._heartbeat_interval_s = heartbeat_interval_s
        self._sessions: dict[str, Session] = {}
        self._connections: set[Connection] = set()
        self.uri = ""
        """Where bots connect, `ws://…`; set when the server listens."""
        self.delay_s = 0.0
        """Switch: how long each message to a bot is held back, in seconds."""
        self.answers_heartbeats = True
        """Switch: whether heartbeats are acknowledged."""
        self.lets_resume = True
        """Switch: whether sessions can be resumed."""
        world.events.subscribe(self._tell)

    # What tests do

    def close(self, code: int = CloseCode.UNKNOWN_ERROR, *, bot_id: int | None = None) -> None:
        """Close the connections of all bots, or of one, with a code; see `CloseCode`."""
        for connection in self._connections_of(bot_id):
            connection.close(code)

    def ask_to_reconnect(self, *, bot_id: int | None = None) -> None:
        """Ask bots to connect anew and resume, as Discord does now and then (opcode 7)."""
        for connection in self._connections_of(bot_id):
            connection.send(_RECONNECT, None)

    def invalidate(self, *, resumable: bool = False, bot_id: int | None = None) -> None:
        """Tell bots that their session is invalid (opcode 9)."""
        for connection in self._connections_of(bot_id):
            if not resumable and connection.session is not None:
                self._sessions.pop(connection.session.id, None)
            connection.send(_INVALID_SESSION, resumable)

    def is_online(self, bot_id: int) -> bool:
        """Whether a bot has a connection with a session."""
        return any(self._connections_of(bot_id))

    def presence(self, bot_id: int) -> dict[str, Any] | None:
        """Return the status and activity that a bot last set, as it sent them."""
        found = [each for each in self._sessions.values() if each.viewer.bot_id == bot_id]
        return found[-1].presence if found else None

    def _connections_of(self, bot_id: int | None) -> tuple[Connection, ...]:
        return tuple(
            each
            for each in self._connections
            if each.session is not None and bot_id in {None, each.session.viewer.bot_id}
        )

    # What happens

    def _tell(self, event: Event) -> None:
        for session in tuple(self._sessions.values()):
            for name, data in dispatches(self._world, event, session.viewer):
                session.dispatch(name, data)

    async def aclose(self) -> None:
        """Close all connections."""
        for connection in tuple(self._connections):
            await connection.aclose()
        self._sessions.clear()

    # What bots do

    async def handle(self, request: web.Request) -> web.WebSocketResponse:
        """Serve one websocket until it closes."""
        socket = web.WebSocketResponse(compress=False, max_msg_size=_LONGEST_MESSAGE * 4)
        await socket.prepare(request)
        connection = Connection(
            socket,
            compressed=request.query.get("compress") == "zlib-stream",
            delay_s=lambda: self.delay_s,
        )
        connection.start()
        self._connections.add(connection)
        connection.send(_HELLO, {"heartbeat_interval": int(self._heartbeat_interval_s * 1000)})
        try:
            await self._listen(socket, connection)
        finally:
            self._connections.discard(connection)
            self._part(connection, socket.close_code)
            await connection.aclose()
        return socket

    async def _listen(self, socket: web.WebSocketResponse, connection: Connection) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                message = await socket.receive(timeout=self._heartbeat_interval_s * 1.5)
            except TimeoutError:
                if connection.closing:
                    return
                connection.close(CloseCode.SESSION_TIMED_OUT)
                continue
            if message.type is not WSMsgType.TEXT:
                return
            received = readable(message.data)
            if received is None or len(message.data) > _LONGEST_MESSAGE:
                connection.close(CloseCode.DECODE_ERROR)
            elif connection.received(loop.time()) > _EVENTS_PER_MINUTE:
                connection.close(CloseCode.RATE_LIMITED)
            else:
                try:
                    self._obey(connection, received["op"], received.get("d"))
                except (TypeError, ValueError, AttributeError, LookupError):
                    connection.close(CloseCode.DECODE_ERROR)

    def _part(self, connection: Connection, code: int | None) -> None:
        session = connection.session
        if session is None or session.connection is not connection:
            return
        session.connection = None
        bot_id = session.viewer.bot_id
        self._record(f"{self._name(bot_id)} has left the gateway (code {code})")

    def _obey(self, connection: Connection, op: int, data: Any) -> None:
        if op == _HEARTBEAT:
            if self.answers_heartbeats:
                connection.send(_HEARTBEAT_ACK, None)
        elif op == _IDENTIFY:
            if connection.session is not None:
                connection.close(CloseCode.ALREADY_AUTHENTICATED)
            else:
                self._identify(connection, data or {})
        elif op == _RESUME:
            self._resume(connection, data or {})
        elif connection.session is None:
            connection.close(CloseCode.NOT_AUTHENTICATED)
        elif op == _PRESENCE:
            connection.session.presence = data
        elif op == _VOICE:
            self._voice(connection.session, data or {})
        elif op == _MEMBERS:
            self._send_members(connection.session, data or {})
        else:
            connection.close(CloseCode.UNKNOWN_OPCODE)

    def _identify(self, connection: Connection, data: dict[str, Any]) -> None:
        account = self._world.directory.bot_with_token(str(data.get("token") or ""))
        if account is None:
            self._record("somebody came to the gateway with a wrong token")
            connection.close(CloseCode.AUTHENTICATION_FAILED)
            return
        intents = data.get("intents")
        if not isinstance(intents, int) or intents & ~KNOWN_INTENTS:
            connection.close(CloseCode.INVALID_INTENTS)
            return
        if intents & PRIVILEGED_INTENTS & ~account.privileged_intents:
            self._record(f"{self._name(account.id)} asks for an intent that is switched off")
            connection.close(CloseCode.DISALLOWED_INTENTS)
            return
        shard, shards = data.get("shard") or (0, 1)
        if not 0 <= shard < shards:
            connection.close(CloseCode.INVALID_SHARD)
            return
        session = Session(Viewer(account.id, intents, shard, shards))
        session.presence = data.get("presence")
        self._sessions[session.id] = session
        self._attach(session, connection)
        self._record(f"{self._name(account.id)} logs in to the gateway")
        self._greet(session, account.privileged_intents)

    def _greet(self, session: Session, privileged: int) -> None:
        viewer, directory = session.viewer, self._world.directory
        guilds = [each for each in directory.guilds_of(viewer.bot_id) if viewer.serves(each.id)]
        ready: dict[str, Any] = {
            "v": 10,
            "user": user_payload(directory.user(viewer.bot_id)),
            "guilds": [{"id": str(guild.id), "unavailable": True} for guild in guilds],
            "session_id": session.id,
            "session_type": "normal",
            "resume_gateway_url": self.uri,
            "private_channels": [],
            "application": {"id": str(viewer.bot_id), "flags": application_flags(privileged)},
            "shard": [viewer.shard, viewer.shards],
        }
        session.dispatch("READY", ready)
        everybody = bool(viewer.intents & Intent.GUILD_PRESENCES)
        if viewer.intents & Intent.GUILDS:
            for guild in guilds:
                snapshot = guild_snapshot(self._world, guild, viewer.bot_id, all_members=everybody)
                session.dispatch("GUILD_CREATE", snapshot)

    def _resume(self, connection: Connection, data: dict[str, Any]) -> None:
        session = self._sessions.get(str(data.get("session_id")))
        account = self._world.directory.bot_with_token(str(data.get("token") or ""))
        sequence = data.get("seq")
        if account is None:
            connection.close(CloseCode.AUTHENTICATION_FAILED)
            return
        known = session is not None and session.viewer.bot_id == account.id
        missed = (
            session.missed_since(sequence)
            if known and session is not None and self.lets_resume and isinstance(sequence, int)
            else None
        )
        if session is None or missed is None:
            self._record(f"{self._name(account.id)} cannot resume its session")
            connection.send(_INVALID_SESSION, False)
            return
        for text in missed:
            connection.send_text(text)
        self._attach(session, connection)
        self._record(f"{self._name(account.id)} resumes its session, {len(missed)} events late")
        session.dispatch("RESUMED", {})

    def _attach(self, session: Session, connection: Connection) -> None:
        before, session.connection = session.connection, connection
        if before is not None and before is not connection:
            before.session = None
            before.close(CloseCode.UNKNOWN_ERROR)
        connection.session = session

    def _voice(self, session: Session, data: dict[str, Any]) -> None:
        channel = data.get("channel_id")
        self._on_voice(
            VoiceRequest(
                bot_id=session.viewer.bot_id,
                guild_id=int(data.get("guild_id") or 0),
                channel_id=None if channel is None else int(channel),
                session_id=session.id,
                self_mute=bool(data.get("self_mute")),
                self_deaf=bool(data.get("self_deaf")),
            )
        )

    def _send_members(self, session: Session, data: dict[str, Any]) -> None:
        for chunk in member_chunks(self._world, session.viewer, data):
            session.dispatch("GUILD_MEMBERS_CHUNK", chunk)

    def _name(self, bot_id: int) -> str:
        return self._world.directory.display_name(bot_id)
