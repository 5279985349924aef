"""A guild's voice connection that lasts: joined once, and made anew whenever it is lost.

discord.py follows moves and changes of region. What else happens to a connection it mends, as of
2.7.1, after a rest of some seconds, or not at all: a resume that nobody answers (close code 4015)
ends in a time-out; frames that cannot be decrypted end in nothing; and a connection that it has
given up is never tried again. A watch, woken by a loss, sees to these.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

import aiohttp
import discord

from voicemesh_bot.discord_front.audio_source import VoiceLine
from voicemesh_bot.discord_front.sentences import LEFT_BY_FAULT
from voicemesh_bot.discord_front.stages import come_on_stage
from voicemesh_bot.discord_front.voice_client import Ears, ReceivingVoiceClient
from voicemesh_bot.voice.errors import JoinError
from voicemesh_bot.voice.receive.counters import ReceiveCounters
from voicemesh_bot.voice.receive.receiver import ReceiveOptions
from voicemesh_bot.voice.receive.recovery import (
    ClosedFor,
    RecoveryStep,
    Rejoining,
    why_closed,
)
from voicemesh_chassis.logs import get_logger

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from voicemesh_bot.voice.receive.packets import VoicePacket

__all__ = ("ConnectionOptions", "VoiceConnection", "VoicePhase", "VoiceStatus")

_logger = get_logger(__name__)

_PUT_OUT = 4014
"""The close code by which Discord says that somebody was taken out of a channel."""

_TROUBLES = (TimeoutError, discord.DiscordException, aiohttp.ClientError, OSError)
"""What connecting fails by."""


@dataclass(frozen=True, slots=True)
class ConnectionOptions:
    """How long is waited for what."""

    join_timeout_s: float = 10.0
    """For a connection to be made."""

    leave_timeout_s: float = 3.0
    """For Discord to confirm that the bot has left."""

    watch_s: float = 1.0
    """Between two looks at the connection."""

    keepalive_s: float = 5.0
    """Between two datagrams that keep routers from forgetting a bot that only listens."""

    receive: ReceiveOptions = field(default_factory=ReceiveOptions)
    """How patient receiving is, and when a connection is taken for broken."""


class VoicePhase(StrEnum):
    """How a connection is."""

    CONNECTED = "connected"
    """It can be used; after a loss there is another client, and all sources are new."""
    UNHEARD = "unheard"
    """It can be used, but nobody hears the bot: it is in the audience of a stage."""
    LOST = "lost"
    """It is being made anew."""
    ENDED = "ended"
    """It is over, and not by `leave`; whoever wants it must join again."""


@dataclass(frozen=True, slots=True)
class VoiceStatus:
    """A change of a connection."""

    phase: VoicePhase
    """How it is now."""

    sentence: str = ""
    """For people: why. Empty for what needs no explanation."""


class VoiceConnection:
    """One guild's connection; belongs to one event loop. It is a `voice.ports.Line` as well."""

    def __init__(
        self,
        *,
        wanted: Callable[[int], bool],
        on_packets: Callable[[Sequence[VoicePacket]], None],
        on_status: Callable[[VoiceStatus], None],
        options: ConnectionOptions | None = None,
    ) -> None:
        """Make one that is in no channel.

        Args:
            wanted: whether somebody, by user id, is listened to: nobody else is decrypted. Called
                for every packet; must be quick, and never raises.
            on_packets: takes what is heard, on the event loop; never waits, never raises.
            on_status: is told of losses, returns and the end; never waits, never raises.
            options: how long is waited for what.
        """
        self._options = options or ConnectionOptions()
        self._on_status = on_status
        self.counters = ReceiveCounters()
        """What became of every packet, over all reconnects."""
        self._ears = Ears(
            wanted=wanted,
            on_packets=on_packets,
            on_step=self._note_step,
            on_loss=self._look,
            options=self._options.receive,
            counters=self.counters,
        )
        self._client: ReceivingVoiceClient | None = None
        self._channel: discord.VoiceChannel | discord.StageChannel | None = None
        self._step = RecoveryStep.NONE
        self._nudged = asyncio.Event()
        self._lock = asyncio.Lock()
        self._watch: asyncio.Task[None] | None = None
        self._keepalives = 0
        self._staged: tuple[ReceivingVoiceClient, int] | None = None
        self._silent_in: int | None = None

    # Where it is

    @property
    def is_connected(self) -> bool:
        """Whether one can hear and be heard now."""
        client = self._client
        # discord.py calls itself connected while it rests before a reconnect.
        return client is not None and client.is_connected() and client.close_code is None

    @property
    def channel_id(self) -> int | None:
        """The channel that it is in, or returns to; None outside of any."""
        return None if self.channel is None else self.channel.id

    @property
    def channel(self) -> discord.VoiceChannel | discord.StageChannel | None:
        """The same, as an object."""
        client = self._client
        # Somebody may just have moved the bot.
        return self._channel if client is None or client.channel is None else client.channel

    @property
    def privacy_code(self) -> str | None:
        """What members compare to find out that nobody sits between them; None without a group."""
        return None if self._client is None else self._client.voice_privacy_code

    def open(self, read: Callable[[], bytes], closed: Callable[[], None]) -> bool:
        """Begins to send packets by the present client, as `voice.ports.Line` says."""
        return self._client is not None and VoiceLine(self._client).open(read, closed)

    # Coming and going

    async def join(self, channel: discord.VoiceChannel | discord.StageChannel) -> None:
        """Comes into a channel, out of any other of the guild.

        Raises:
            JoinError: with a sentence for people. Where the bot would not be let in, it stays
                where it is; where it tried in vain, it is in no channel.
        """
        _require_welcome(channel)
        async with self._lock:
            try:
                if self._client is None or not await self._moved(self._client, channel):
                    await self._connect(channel)
            except _TROUBLES as error:
                await self._discard()
                self._channel = None
                msg = f"I could not join {channel.name} in time; Discord did not let me in."
                raise JoinError(msg) from error
            if self._watch is None or self._watch.done():
                self._watch = asyncio.create_task(self._watch_over(), name="voice watch")
            self._look()

    async def leave(self) -> None:
        """Leaves the channel, if in one, and ends everything."""
        watch, self._watch, self._channel = self._watch, None, None
        if watch is not None:
            watch.cancel()
            await asyncio.wait({watch})
        async with self._lock:
            await self._discard()

    # The watch

    async def _watch_over(self) -> None:
        try:
            await self._watch_until_over()
        except Exception as error:
            # The watch's own boundary: without it nobody would mend the connection any more.
            _logger.error("the watch over a voice connection failed", exc_info=error)
            await self._end(LEFT_BY_FAULT)

    async def _watch_until_over(self) -> None:
        rejoining = Rejoining(self._options.receive.recovery, time.monotonic())
        lost = False
        while True:
            await self._rest()
            async with self._lock:
                if self._channel is None:
                    return
                if self.is_connected:
                    if lost:
                        self._on_status(VoiceStatus(VoicePhase.CONNECTED))
                    lost = False
                    rejoining.connected(time.monotonic())
                    await self._tend(self._channel)
                    continue
                why = self._reason()
                if not lost:
                    _logger.warning("the voice connection is lost", close_code=self._close_code)
                    self._on_status(VoiceStatus(VoicePhase.LOST, why.sentence))
                lost = True
                rejoining.lost(time.monotonic())
                if not why.comes_back or rejoining.is_hopeless:
                    await self._end(why.sentence)
                    return
                await self._return(rejoining, self._channel)

    async def _rest(self) -> None:
        """Waits until it is time for a look, or somebody asks for one."""
        try:
            async with asyncio.timeout(self._options.watch_s):
                await self._nudged.wait()
        except TimeoutError:
            pass
        self._nudged.clear()

    def _look(self) -> None:
        self._nudged.set()

    def _note_step(self, step: RecoveryStep) -> None:
        self._step = step
        self._look()

    async def _tend(self, channel: discord.VoiceChannel | discord.StageChannel) -> None:
        """Does what a connection needs that stands."""
        client = self._client
        if client is None:
            return
        if client.channel is not None:
            self._channel = client.channel  # Somebody may have moved the bot.
        self._keepalives += 1
        every = max(1, round(self._options.keepalive_s / self._options.watch_s))
        if self._keepalives % every == 0:
            client.keep_alive(self._keepalives // every)
        if isinstance(self._channel, discord.StageChannel):
            await self._come_on(self._channel, client)
        else:
            self._note_silence(self._channel)
        step, self._step = self._step, RecoveryStep.NONE
        if step is RecoveryStep.NONE:
            return
        _logger.warning("nobody can be decrypted", step=step.value)
        try:
            async with asyncio.timeout(self._options.join_timeout_s):
                done = step is RecoveryStep.REINITIALISE and await client.rejoin_group()
            if not done:
                await self._connect(channel)
        except _TROUBLES as error:
            # The next look finds the connection lost, or the frames go on failing.
            _logger.warning("the recovery of voice failed", error=type(error).__name__)

    async def _come_on(self, stage: discord.StageChannel, client: ReceivingVoiceClient) -> None:
        """Asks to be heard, once for each time that it comes to a stage."""
        if stage.guild.me.voice is None or self._staged == (client, stage.id):
            return
        self._staged = client, stage.id
        try:
            async with asyncio.timeout(self._options.join_timeout_s):
                sentence = await come_on_stage(stage)
        except _TROUBLES as error:
            _logger.warning("the bot may not speak on a stage", error=type(error).__name__)
            sentence = f"I can only listen in {stage.name}: Discord did not let me speak there."
        if sentence:
            self._on_status(VoiceStatus(VoicePhase.UNHEARD, sentence))

    def _note_silence(self, channel: discord.VoiceChannel) -> None:
        """Says, once until that changes, that the bot may not speak where it is."""
        if channel.permissions_for(channel.guild.me).speak:
            self._silent_in = None
        elif self._silent_in != channel.id:
            self._silent_in = channel.id
            msg = f"I can only listen in {channel.name}: I need the permission Speak there."
            self._on_status(VoiceStatus(VoicePhase.UNHEARD, msg))

    async def _return(
        self, rejoining: Rejoining, channel: discord.VoiceChannel | discord.StageChannel
    ) -> None:
        if not rejoining.is_due(time.monotonic(), given_up=self._is_given_up):
            return
        try:
            await self._connect(channel)
        except _TROUBLES as error:
            _logger.warning("voice could not be connected anew", error=type(error).__name__)
            rejoining.failed(time.monotonic())
        else:
            rejoining.connected(time.monotonic())
            self._look()

    @property
    def _is_given_up(self) -> bool:
        """Whether discord.py does nothing about a loss, or what takes seconds and may not help.

        It rests before it connects anew, and waits in vain for the answer to a resume (4015). After
        4014 it follows a move or a change of region at once.
        """
        client = self._client
        if client is None or client.has_ended:
            return True
        return client.close_code not in {None, _PUT_OUT}

    def _reason(self) -> ClosedFor:
        client = self._client
        if client is not None and client.was_put_out:
            return why_closed(_PUT_OUT)
        code = self._close_code
        if code == _PUT_OUT and client is not None and not client.has_ended:
            return why_closed(None)  # A move or another region: discord.py is still at it.
        return why_closed(code)

    @property
    def _close_code(self) -> int | None:
        return None if self._client is None else self._client.close_code

    async def _end(self, sentence: str) -> None:
        self._channel = None
        await self._discard()
        self._on_status(VoiceStatus(VoicePhase.ENDED, sentence))

    # Clients

    async def _connect(self, channel: discord.VoiceChannel | discord.StageChannel) -> None:
        """Makes a client for a channel, in the place of any other."""
        await self._discard()
        self._channel = channel
        self._step = RecoveryStep.NONE
        timeout_s = self._options.join_timeout_s
        # discord.py keeps its own deadline, but waits without one for the end of a client before.
        async with asyncio.timeout(timeout_s + self._options.leave_timeout_s):
            await channel.connect(timeout=timeout_s, reconnect=True, cls=self._make_client)

    def _make_client(
        self, client: discord.Client, channel: discord.abc.Connectable
    ) -> ReceivingVoiceClient:
        # Known before it is connected, so that it can be discarded if that never ends.
        self._client = ReceivingVoiceClient(client, channel, ears=self._ears)
        return self._client

    async def _moved(
        self, client: ReceivingVoiceClient, channel: discord.VoiceChannel | discord.StageChannel
    ) -> bool:
        """Takes a client that stands to a channel; False if a new one is needed."""
        if not client.is_connected():
            return False
        if client.channel.id != channel.id:
            await client.move_to(channel, timeout=self._options.join_timeout_s)
        self._channel = channel
        return client.is_connected() and client.channel.id == channel.id

    async def _discard(self) -> None:
        client, self._client = self._client, None
        if client is None:
            return
        try:
            async with asyncio.timeout(self._options.leave_timeout_s):
                await client.abandon()
        except _TROUBLES as error:
            _logger.info("a voice connection ended without an answer", error=type(error).__name__)


def _require_welcome(channel: discord.VoiceChannel | discord.StageChannel) -> None:
    """Says at once what Discord would answer with silence.

    Raises:
        JoinError: the bot may not come in.
    """
    allowed = channel.permissions_for(channel.guild.me)
    if not (allowed.view_channel and allowed.connect):
        msg = f"I am not allowed to join {channel.name}: I need the permission Connect there."
        raise JoinError(msg)
    others = [each for each in channel.voice_states if each != channel.guild.me.id]
    if channel.user_limit and len(others) >= channel.user_limit and not allowed.move_members:
        msg = f"{channel.name} is full."
        raise JoinError(msg)
