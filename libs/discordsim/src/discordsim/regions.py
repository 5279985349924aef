"""Voice servers and who is sent to which: what happens in the world's calls, done in voice."""

from __future__ import annotations

import asyncio
import secrets
from contextlib import contextmanager
from typing import TYPE_CHECKING

from discordsim.domain import VoiceServerGrant
from discordsim.errors import DiscordSimError, RefusedError
from discordsim.events import Event, VoiceServerGranted, VoiceStateChanged
from discordsim.voice import VoiceCloseCode, VoiceFaults, VoiceServer, VoiceSettings

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from discordsim.certificates import Certificates
    from discordsim.domain import VoiceState
    from discordsim.gateway import VoiceRequest
    from discordsim.people.voice import PersonVoice
    from discordsim.world import World

__all__ = ("VoiceRegions",)

_END_S = 5.0
_SETTLE_S = 30.0
# discord.py 2.7.1 misses the second of two updates that come within one turn of its event loop,
# which over a real network they never do.
_ASSIGNMENT_S = 0.02


class VoiceRegions:
    """Gives every guild a voice server, brings bots and people there, and lets a test break it."""

    def __init__(
        self,
        world: World,
        *,
        record: Callable[[str], None],
        faults: VoiceFaults,
        settings: VoiceSettings,
    ) -> None:
        """Follow what happens in `world`; call `start`.

        Args:
            world: whose calls these are.
            record: writes a line of the transcript.
            faults: what goes wrong; see `faults`.
            settings: how the servers behave.
        """
        self._world = world
        self._certificates: Certificates | None = None
        self._record = record
        self._faults = faults
        self._settings = settings
        self._servers: list[VoiceServer] = []
        self._by_guild: dict[int, VoiceServer] = {}
        self._people: dict[int, PersonVoice] = {}
        self._work: asyncio.Queue[Callable[[], Awaitable[None]]] = asyncio.Queue(1000)
        self._worker: asyncio.Task[None] | None = None
        self._own_request = False
        self._fault: Exception | None = None
        self.assignment_s = _ASSIGNMENT_S
        """Switch: how long Discord takes to tell a bot its voice server, in seconds."""
        world.events.subscribe(self._follow)

    async def start(self, certificates: Certificates) -> None:
        """Start the first voice server; all of them prove themselves by `certificates`."""
        self._certificates = certificates
        await self._new_server()
        self._worker = asyncio.create_task(self._run(), name="discordsim voice regions")

    async def aclose(self) -> None:
        """Close all voice servers."""
        if self._worker is not None:
            self._worker.cancel()
            await asyncio.wait({self._worker}, timeout=_END_S)
        for server in self._servers:
            await server.aclose()

    # What tests do

    @property
    def faults(self) -> VoiceFaults:
        """What goes wrong between bots and all voice servers; set it to change it."""
        return self._faults

    @faults.setter
    def faults(self, faults: VoiceFaults) -> None:
        self._faults = faults
        for server in self._servers:
            server.faults = faults

    def server_of(self, guild_id: int) -> VoiceServer:
        """Return the voice server of a guild, for what only it can do."""
        return self._by_guild.get(guild_id, self._servers[0])

    def is_connected(self, guild_id: int, bot_id: int) -> bool:
        """Whether a bot is in a call, with everything agreed upon."""
        return self.server_of(guild_id).is_connected(guild_id, bot_id)

    async def drop(self, guild_id: int, bot_id: int, code: int) -> None:
        """Close a bot's voice connection with a code; see `VoiceCloseCode`."""
        await self.server_of(guild_id).drop(guild_id, bot_id, code)

    async def change_region(self, guild_id: int) -> VoiceServer:
        """Move all calls of a guild to a new voice server, as if the region had been changed."""
        server = await self._new_server()
        self._by_guild[guild_id] = server
        self._record("the voice region is changed")
        for state in self._world.calls.states_of(guild_id):
            if (voice := self._people.get(state.user_id)) is not None and state.channel_id:
                await server.join_person(voice, guild_id, state.channel_id)
            elif self._world.directory.bot(state.user_id) is not None:
                self._grant(state)
        return server

    async def settle(self) -> None:
        """Return when everybody is where the world says they are.

        Raises:
            Exception: a fault in the simulation keeps somebody from it; told once.
            TimeoutError: it takes longer than half a minute.
        """
        async with asyncio.timeout(_SETTLE_S):
            await self._work.join()
        fault, self._fault = self._fault, None
        if fault is not None:
            raise fault

    # What happens

    def add_person(self, user_id: int, voice: PersonVoice) -> None:
        """Let somebody's voice go where they go."""
        self._people[user_id] = voice

    def request(self, wanted: VoiceRequest) -> None:
        """Do what a bot asks for on the gateway. What it may not is ignored, as by Discord."""
        calls, key = self._world.calls, (wanted.guild_id, wanted.bot_id)
        before = calls.state(*key)
        try:
            with self._by_itself():
                if wanted.channel_id is None:
                    calls.leave(*key)
                    self.server_of(wanted.guild_id).dismiss(*key)
                    return
                channel = self._world.directory.channel(wanted.channel_id)
                if channel.guild_id != wanted.guild_id:
                    raise RefusedError(404, 10003, "Unknown Channel")
                calls.require_joining(wanted.bot_id, channel)
                state = calls.enter(
                    wanted.bot_id,
                    channel,
                    wanted.session_id,
                    self_mute=wanted.self_mute,
                    self_deaf=wanted.self_deaf,
                )
        except RefusedError as refused:
            name = self._world.directory.display_name(wanted.bot_id)
            self._record(f"{name} is not let into the voice channel: {refused}")
            return
        if before is None or before.channel_id != state.channel_id:
            self._later(lambda: self._bring(state, moved=before is not None))
        elif (before.self_mute, before.self_deaf) == (state.self_mute, state.self_deaf):
            # Nothing but a new connection can be meant.
            self._later(lambda: self._bring(state, moved=False))

    @contextmanager
    def _by_itself(self) -> Iterator[None]:
        """Within it, what bots do is not taken for what is done to them."""
        self._own_request = True
        try:
            yield
        finally:
            self._own_request = False

    def _follow(self, event: Event) -> None:
        if not isinstance(event, VoiceStateChanged):
            return
        state, before = event.state, event.before
        was = None if before is None else before.channel_id
        if (voice := self._people.get(state.user_id)) is not None:
            voice.muted, voice.deafened = state.self_mute, state.self_deaf
            if was != state.channel_id:
                self._later(lambda: self._take_person(voice, state))
        elif self._world.directory.bot(state.user_id) is not None and not self._own_request:
            if state.channel_id is None:
                self._later(lambda: self._expel(state))
            elif was != state.channel_id:
                self._later(lambda: self._bring(state, moved=True))

    async def _take_person(self, voice: PersonVoice, state: VoiceState) -> None:
        server = self.server_of(state.guild_id)
        if state.channel_id is None:
            await voice.disconnect()
        else:
            await server.join_person(voice, state.guild_id, state.channel_id)

    async def _bring(self, state: VoiceState, *, moved: bool) -> None:
        """Sends a bot to its channel; who comes from another one is closed with 4014 first."""
        server = self.server_of(state.guild_id)
        if moved and state.channel_id is not None:
            await server.drop(state.guild_id, state.user_id, VoiceCloseCode.DISCONNECTED)
        await asyncio.sleep(self.assignment_s)
        now = self._world.calls.state(state.guild_id, state.user_id)
        if now is not None and now.channel_id == state.channel_id:
            self._grant(now)

    async def _expel(self, state: VoiceState) -> None:
        server = self.server_of(state.guild_id)
        await server.drop(state.guild_id, state.user_id, VoiceCloseCode.DISCONNECTED)
        server.dismiss(state.guild_id, state.user_id)

    def _grant(self, state: VoiceState) -> None:
        if state.channel_id is None:
            return
        server, token = self.server_of(state.guild_id), secrets.token_hex(8)
        server.admit(state.guild_id, state.channel_id, state.user_id, state.session_id, token)
        grant = VoiceServerGrant(state.guild_id, state.user_id, token, server.endpoint)
        self._world.events.emit(VoiceServerGranted(grant))

    async def _new_server(self) -> VoiceServer:
        if self._certificates is None:
            raise RuntimeError("the voice servers are not started")
        server = VoiceServer(
            self._certificates, faults=self._faults, settings=self._settings, record=self._record
        )
        await server.start()
        self._servers.append(server)
        return server

    def _later(self, action: Callable[[], Awaitable[None]]) -> None:
        try:
            self._work.put_nowait(action)
        except asyncio.QueueFull as full:
            # Whoever caused the event cannot be told; whoever waits for its effect is.
            self._fault = full

    async def _run(self) -> None:
        while True:
            action = await self._work.get()
            try:
                await action()
            except DiscordSimError as error:
                self._record(f"voice: {error}")
            except Exception as error:
                # The boundary of the simulation: others go on, and `settle` tells.
                self._record(f"voice: a fault in the simulation: {error!r}")
                self._fault = error
            finally:
                self._work.task_done()
