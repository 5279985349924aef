"""A voice server: what others of the simulator use."""

from __future__ import annotations

import asyncio
import itertools
from typing import TYPE_CHECKING, Any

from aiohttp import web

from discordsim.errors import NotInVoiceError
from discordsim.voice.call import Call
from discordsim.voice.faults import VoiceFaults
from discordsim.voice.gateway import Closing, Gateway
from discordsim.voice.opcodes import VoiceCloseCode
from discordsim.voice.session import Admission, Session, SessionSurroundings
from discordsim.voice.settings import VoiceSettings
from discordsim.voice.udp import AudioSocket

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from discordsim.certificates import Certificates
    from discordsim.voice.ports import Person
    from discordsim.voice.transport import TransportMode

__all__ = ("VoiceServer",)

_SSRC_STEP = 10  # a camera's sources are the numbers after the audio's
_LEFT_FOR_GOOD = {1000, 1001, VoiceCloseCode.DISCONNECTED}
"""Close codes by which a client says that it does not come back."""


class VoiceServer:
    """Discord's voice gateway and audio server for any number of calls, on the loopback."""

    _ssrcs = itertools.count(1000, _SSRC_STEP)  # of all servers, as no client can tell them apart

    def __init__(
        self,
        certificates: Certificates,
        *,
        faults: VoiceFaults | None = None,
        settings: VoiceSettings | None = None,
        record: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Make a server that does not listen yet.

        Args:
            certificates: what it proves itself by.
            faults: what goes wrong; may be changed at any time by `faults`.
            settings: how it behaves.
            record: is told what happens, in a sentence.
        """
        self._certificates = certificates
        self.faults = faults or VoiceFaults()
        self.settings = settings or VoiceSettings()
        self.record = record
        self._opened = itertools.count()
        self._admissions: dict[tuple[int, int], Admission] = {}
        self._sessions: dict[tuple[int, int], Session] = {}
        self._resume_timers: dict[Session, asyncio.TimerHandle] = {}
        self._calls: dict[tuple[int, int], Call] = {}
        self._people: set[Person] = set()
        self._audio = AudioSocket(self._session_of)
        self._runner: web.AppRunner | None = None
        self._serving: set[asyncio.Task[Any]] = set()

    # Life

    async def start(self) -> None:
        """Listen on free ports of the loopback."""
        application = web.Application()
        application.router.add_get("/", self._serve)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=2.0)
        await self._runner.setup()
        context = self._certificates.server_context()
        await web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=context).start()
        await self._audio.start()
        self.record(f"voice: server {self.endpoint} starts")

    @property
    def endpoint(self) -> str:
        """Address of the gateway, `host:port`, as VOICE_SERVER_UPDATE has it.

        Raises:
            RuntimeError: the server does not listen.
        """
        if self._runner is None or not self._runner.addresses:
            raise RuntimeError("the voice server is not started")
        host, port = self._runner.addresses[0][:2]
        return f"{host}:{port}"

    async def aclose(self) -> None:
        """Close all connections, let all people out, and listen no longer."""
        for person in tuple(self._people):
            await self.leave_person(person)
        self._admissions.clear()
        for session in tuple(self._sessions.values()):
            if session.connection is not None:
                session.connection.close(VoiceCloseCode.DISCONNECTED)
            self._end(session)
        if self._serving:
            await asyncio.wait(self._serving, timeout=3.0)
        if self._runner is not None:
            await self._runner.cleanup()
        self._audio.close()
        for call in self._calls.values():
            call.close()
        self._calls.clear()

    # Bots

    def admit(
        self, guild_id: int, channel_id: int, user_id: int, session_id: str, token: str
    ) -> None:
        """Let a bot connect; call it before VOICE_SERVER_UPDATE is sent with the same values.

        Args:
            guild_id: the guild.
            channel_id: the voice channel.
            user_id: the bot.
            session_id: of its voice state.
            token: by which it proves itself.
        """
        self._admissions[guild_id, user_id] = Admission(
            guild_id, channel_id, user_id, session_id, token
        )

    async def move(self, guild_id: int, user_id: int, channel_id: int) -> None:
        """Put a bot into another channel: it is closed with 4014, and its admission goes on there.

        Args:
            guild_id: the guild.
            user_id: the bot.
            channel_id: the channel it comes into.

        Raises:
            NotInVoiceError: it was never admitted.
        """
        old = self._admissions.get((guild_id, user_id))
        if old is None:
            raise NotInVoiceError(f"user {user_id} was never admitted in guild {guild_id}")
        self.admit(guild_id, channel_id, user_id, old.session_id, old.token)
        await self.drop(guild_id, user_id, VoiceCloseCode.DISCONNECTED)

    async def drop(self, guild_id: int, user_id: int, code: int) -> None:
        """Close a bot's connection with any code; nothing happens if it has none.

        After 4015 and 4009 the session waits for the bot to resume it, and the bot is still in the
        call. Any other code ends the session; after 4006 the admission is void too.

        Args:
            guild_id: the guild.
            user_id: the bot.
            code: a close code, see `VoiceCloseCode`.
        """
        if code == VoiceCloseCode.SESSION_INVALID:
            self._admissions.pop((guild_id, user_id), None)
        session = self._sessions.get((guild_id, user_id))
        if session is None:
            return
        self.record(f"voice: {user_id} is closed with {code}, by the test")
        connection = session.connection
        if connection is not None:
            connection.close(code)
        if code not in _RESUMABLE:
            self._end(session)

    def dismiss(self, guild_id: int, user_id: int) -> None:
        """Note that a bot has left by itself: its admission is void, and it is not in the call."""
        self._admissions.pop((guild_id, user_id), None)
        session = self._sessions.get((guild_id, user_id))
        if session is not None:
            self._end(session)

    def is_connected(self, guild_id: int, user_id: int) -> bool:
        """Whether a bot has agreed upon everything and is in its call."""
        session = self._sessions.get((guild_id, user_id))
        return session is not None and session.in_call and session.connection is not None

    # People

    async def join_person(self, person: Person, guild_id: int, channel_id: int) -> None:
        """Let a person into a call, out of any other, of whatever server.

        Args:
            person: who comes.
            guild_id: the guild.
            channel_id: the voice channel.
        """
        await person.disconnect()
        call = self._call(guild_id, channel_id)
        # Before anything can be told to them, they have to know which group it is about.
        person.prepare(channel_id, call.dave.protocol_version)
        self._people.add(person)
        person.connect(call.join(person, next(self._ssrcs)), lambda: self._people.discard(person))

    async def leave_person(self, person: Person) -> None:
        """Let a person out; nothing happens if they are not on this server."""
        if person in self._people:
            await person.disconnect()

    # Calls

    async def set_dave_version(self, guild_id: int, channel_id: int, protocol_version: int) -> None:
        """Downgrade a call to no encryption (0), or upgrade it again (1).

        Args:
            guild_id: the guild.
            channel_id: the voice channel.
            protocol_version: 0 or 1.
        """
        self._call(guild_id, channel_id).set_dave_version(protocol_version)

    def corrupt_next_commit(self, guild_id: int, channel_id: int, user_id: int) -> None:
        """Damage the next commit or welcome that somebody is sent, so that they must recover.

        Args:
            guild_id: the guild.
            channel_id: the voice channel.
            user_id: who gets it damaged.
        """
        self._call(guild_id, channel_id).corrupt_next_commit(user_id)

    def call(self, guild_id: int, channel_id: int) -> Call:
        """Return a call, to look at who is in it, its epoch and its members."""
        return self._call(guild_id, channel_id)

    def _call(self, guild_id: int, channel_id: int) -> Call:
        key = (guild_id, channel_id)
        if key not in self._calls:
            self._calls[key] = Call(guild_id, channel_id, self.settings, self.record)
        return self._calls[key]

    # What the gateway asks for

    async def _serve(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(compress=False, autoclose=False)
        await socket.prepare(request)
        task = asyncio.current_task()
        if task is not None:
            self._serving.add(task)
            task.add_done_callback(self._serving.discard)
        await Gateway(self, socket).serve()
        return socket

    def begin(self, identify: Mapping[str, Any]) -> Session:
        """Open a session; see `discordsim.voice.gateway.SessionBook`."""
        guild_id, user_id = _id(identify, "server_id"), _id(identify, "user_id")
        admission = self._admissions.get((guild_id, user_id))
        _check(admission, identify)
        assert admission is not None  # noqa: S101 - checked
        version = identify.get("max_dave_protocol_version", 0)
        if not isinstance(version, int):
            raise Closing(VoiceCloseCode.FAILED_TO_DECODE, "the version of DAVE is no number")
        if not version and self.settings.dave_required:
            raise Closing(VoiceCloseCode.DAVE_REQUIRED, "the client does not speak DAVE")
        before = self._sessions.get((guild_id, user_id))
        if before is not None:
            if before.connection is not None:
                before.connection.close(VoiceCloseCode.SESSION_INVALID)
            self._end(before)
        surroundings = SessionSurroundings(
            self.settings, lambda: self.faults, self._audio.send, self.record
        )
        seed = self.faults.seed + 3 * next(self._opened)
        session = Session(admission, next(self._ssrcs), version, surroundings, seed)
        self._sessions[guild_id, user_id] = session
        self.record(f"voice: {user_id} identifies for channel {admission.channel_id}")
        return session

    def find(self, resume: Mapping[str, Any]) -> Session:
        """Find a session to resume; see `discordsim.voice.gateway.SessionBook`."""
        guild_id = _id(resume, "server_id")
        for session in self._sessions.values():
            known = session.admission
            if known.guild_id == guild_id and known.session_id == resume.get("session_id"):
                _check(self._admissions.get((guild_id, known.user_id)), resume)
                return session
        raise Closing(VoiceCloseCode.SESSION_INVALID, "there is no such session")

    def keep(self, session: Session) -> None:
        """Note a resumed session; see `discordsim.voice.gateway.SessionBook`."""
        if (timer := self._resume_timers.pop(session, None)) is not None:
            timer.cancel()

    def ready(self, session: Session) -> Mapping[str, Any]:
        """Say where audio goes; see `discordsim.voice.gateway.SessionBook`."""
        return {
            "ssrc": session.ssrc,
            "ip": "127.0.0.1",
            "port": self._audio.port,
            "modes": [str(mode) for mode in self.settings.modes],
            "experiments": [],
            "streams": [],
        }

    def choose(self, session: Session, mode: TransportMode) -> None:
        """Let a session into its call; see `discordsim.voice.gateway.SessionBook`."""
        session.enter(self._call(session.admission.guild_id, session.admission.channel_id), mode)

    def lose(self, session: Session, code: int | None) -> None:
        """Note a lost connection; see `discordsim.voice.gateway.SessionBook`."""
        if self._sessions.get(_key(session)) is not session:
            return
        self.record(f"voice: {session.user_id} has no connection any longer, code {code}")
        gone = code in _LEFT_FOR_GOOD or (
            code is not None and code > 4000 and code not in _RESUMABLE
        )
        if gone or not session.in_call:
            self._end(session)
            return
        self._resume_timers[session] = asyncio.get_running_loop().call_later(
            self.settings.resume_window_s, self._end, session
        )

    def _session_of(self, ssrc: int) -> Session | None:
        return next((each for each in self._sessions.values() if each.ssrc == ssrc), None)

    def _end(self, session: Session) -> None:
        if self._sessions.get(_key(session)) is session:
            del self._sessions[_key(session)]
        if (timer := self._resume_timers.pop(session, None)) is not None:
            timer.cancel()
        self._audio.forget(session)
        session.end()


_RESUMABLE = {code for code in VoiceCloseCode if code.resumable}


def _key(session: Session) -> tuple[int, int]:
    return session.admission.guild_id, session.admission.user_id


def _id(fields: Mapping[str, Any], name: str) -> int:
    try:
        return int(fields[name])
    except (KeyError, TypeError, ValueError):
        raise Closing(VoiceCloseCode.FAILED_TO_DECODE, f"there is no {name}") from None


def _check(admission: Admission | None, fields: Mapping[str, Any]) -> None:
    """Compares what a client says with what the main gateway gave out."""
    if admission is None:
        raise Closing(VoiceCloseCode.SESSION_INVALID, "nobody told this server about the client")
    if fields.get("token") != admission.token:
        raise Closing(VoiceCloseCode.AUTHENTICATION_FAILED, "the token is another one")
    if fields.get("session_id") != admission.session_id:
        raise Closing(VoiceCloseCode.SESSION_INVALID, "the session id is another one")
