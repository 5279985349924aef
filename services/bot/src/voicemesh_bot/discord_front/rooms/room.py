"""One stay of the bot in a voice channel: the connection, the conversation, and all their tasks."""

from __future__ import annotations

import asyncio
import time
import uuid
from contextlib import ExitStack, suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import discord

from voicemesh_bot.conversation.events import BackendChanged, OptionsChanged, StopPressed, Typed
from voicemesh_bot.discord_front.rooms.audience import RoomAudience
from voicemesh_bot.discord_front.rooms.captioning import LiveCaptions
from voicemesh_bot.discord_front.rooms.greeting import greeting
from voicemesh_bot.discord_front.rooms.herald import Herald, Letter
from voicemesh_bot.discord_front.rooms.roll_call import RollCall
from voicemesh_bot.discord_front.rooms.sign import Sign
from voicemesh_bot.discord_front.rooms.wishes import Wishes
from voicemesh_bot.discord_front.sentences import LEFT_BY_FAULT
from voicemesh_bot.discord_front.spoken import SpokenAnswers
from voicemesh_bot.discord_front.voice_connection import VoiceConnection, VoicePhase, VoiceStatus
from voicemesh_bot.domain import Backend, VoiceChoice
from voicemesh_bot.metrics import MeteredAudience
from voicemesh_bot.problems import back_sentence, down_problem
from voicemesh_bot.session import Session, SessionOptions
from voicemesh_bot.transcripts.keeping import TranscriptKeeper
from voicemesh_bot.transcripts.notes import TranscriptNotes, TranscriptPlace
from voicemesh_bot.voice.announcer import Announcer
from voicemesh_bot.voice.loudspeaker import Loudspeaker
from voicemesh_bot.voice.player import Player
from voicemesh_chassis.errors import InvalidArgumentError
from voicemesh_chassis.logs import get_logger

if TYPE_CHECKING:
    from collections.abc import Callable

    from discord.abc import Messageable

    from voicemesh_bot.conversation import ConversationOptions
    from voicemesh_bot.discord_front.rooms.parts import RoomParts
    from voicemesh_bot.guilds import GuildVoice
    from voicemesh_bot.ports import Observer

__all__ = ("VoiceChannel", "VoiceRoom")

VoiceChannel = discord.VoiceChannel | discord.StageChannel
"""Where one can speak."""

_RETRY_S = 5.0
"""Pause before the database is asked again about people who are new."""

_logger = get_logger(__name__)


class VoiceRoom:
    """A guild's voice room; made and closed by `VoiceRooms`.

    A move to another channel, and a connection that is made anew, do not end it: the conversation
    goes on with whoever is there.

    Args:
        channel: where it begins.
        told_in: where news are written; None means the chat of the channel where it is.
        guild: the guild's settings.
        parts: what all rooms share.
        on_end: called once, with a sentence for people, when it has ended by itself.
    """

    def __init__(
        self,
        channel: VoiceChannel,
        told_in: Messageable | None,
        guild: GuildVoice,
        parts: RoomParts,
        on_end: Callable[[VoiceRoom, str], None],
    ) -> None:
        self._parts = parts
        self._on_end = on_end
        self._place = channel
        self._is_told_here = told_in is None
        self._greeted_in: int | None = None
        self._bot_name = channel.guild.me.display_name
        self._tenant = f"discord-{channel.guild.id}"
        self._wishes = Wishes(guild, parts.stores, time.time())
        self._changed = asyncio.Event()
        self._speaker = Loudspeaker(Player(parts.player), parts.make_ducker())
        self._announcer = Announcer(self._speaker, parts.backends.tts, parts.clips)
        self._herald = Herald(
            told_in or channel,
            self._announcer,
            parts.clips,
            tenant=self._tenant,
            choice=lambda: self._wishes.voice(None),
            aloud=parts.announces,
        )
        self._spoken = SpokenAnswers(self._speaker)
        self._audience = RoomAudience(self._spoken, self._herald)
        self._captions = LiveCaptions(self._bot_name)
        self._keeper = TranscriptKeeper(parts.stores.transcripts, guild.transcript_kept_s)
        self._guild = guild
        self._session = self._make_session()
        self._people = RollCall(self._session, self._wishes)
        self._connection = VoiceConnection(
            wanted=self._people.hears,
            on_packets=self._people.hear,
            on_status=self._note_status,
            options=parts.connection,
        )
        self._sign = Sign(self._connection)
        self._life: asyncio.Task[None] | None = None
        self._open = ExitStack()

    # What commands ask and want

    @property
    def channel(self) -> VoiceChannel:
        """Where it is."""
        return self._connection.channel or self._place

    @property
    def told_in(self) -> Messageable:
        """Where news are written."""
        return self._herald.channel

    @property
    def privacy_code(self) -> str | None:
        """What members compare to find out that nobody sits between them; None without a group."""
        return self._connection.privacy_code

    @property
    def is_lost(self) -> bool:
        """Whether it is in no channel, and on its way to none."""
        return self._connection.channel_id is None

    @property
    def is_listening(self) -> bool:
        """Whether it listens to those who agreed."""
        return self._wishes.guild.listen

    async def ask(self, member: discord.Member, text: str, told_in: Messageable) -> None:
        """Puts a written question; the answer is spoken, and written if it cannot be."""
        speaker = str(member.id)
        self._audience.note_question(speaker, told_in)
        await self._session.post(Typed(speaker, text, member.display_name))

    async def say(self, text: str) -> None:
        """Says a text after what is being said; returns once all of it can be played.

        Raises:
            QueueFullError: too much waits to be said.
            ServiceError: as the voice says.
        """
        await self._announcer.say(self._herald.wording(text))

    async def stop(self) -> None:
        """Is quiet at once."""
        self._speaker.cut_all()
        await self._session.post(StopPressed())

    async def flush_transcript(self) -> None:
        """Hands over all lines, so that they can be read from the store.

        Raises:
            DatabaseUnavailableError, StorageFullError: as the store says; the lines wait on.
        """
        await self._keeper.flush()

    # Its life

    async def open(self) -> None:
        """Comes into the channel and begins to listen.

        Raises:
            JoinError: with a sentence for people, if it may not or cannot.
        """
        await self._connection.join(self._place)
        self._speaker.attach(self._connection)
        self._parts.packet_counts.add(self._connection.counters)
        self._open.callback(self._parts.packet_counts.remove, self._connection.counters)
        sessions = self._parts.metrics.sessions.labels(front="discord")
        sessions.inc()
        self._open.callback(sessions.dec)
        self._life = asyncio.create_task(self._live(), name="voice room")

    async def move(self, channel: VoiceChannel, *, told_in: Messageable | None = None) -> None:
        """Goes to another channel of the guild, with all it has in mind.

        Args:
            channel: where to go.
            told_in: where news are written from now on; None means as before.

        Raises:
            JoinError: with a sentence for people. It stays where it is if it would not be let in;
                where it tried in vain it is in no channel, and `is_lost`.
        """
        if told_in is not None:
            self._herald.channel, self._is_told_here = told_in, False
        if channel.id == self.channel.id and self._connection.is_connected:
            return
        try:
            if channel.id != self.channel.id:
                await self._sign.take_down()
            await self._connection.join(channel)
            self._place = channel
        finally:
            self._changed.set()  # The sign is hung up again, here or there.

    async def reload(self) -> None:
        """Takes over what the guild and its people decided, at once.

        Raises:
            DatabaseUnavailableError: if the database is away; nobody is heard until it is back.
        """
        if not self._is_alive:
            return
        self._changed.set()
        try:
            await self._wishes.reload(self._people.user_ids)
        finally:
            await self._take_people()

    def note_people(self) -> None:
        """Notes that somebody came, left or changed."""
        self._changed.set()

    async def aclose(self) -> None:
        """Leaves the channel and ends everything. Safe to call twice."""
        self._people.hush()
        if self._life is not None:
            self._life.cancel()
        # Each waits for somebody else, who may be slow: the database, and Discord.
        await asyncio.gather(self._end_life(), self._go())
        self._open.close()

    async def _end_life(self) -> None:
        if self._life is not None:
            await asyncio.wait({self._life})
        await self._captions.aclose()

    async def _go(self) -> None:
        await self._speaker.aclose()
        await self._sign.take_down()
        await self._connection.leave()

    @property
    def _is_alive(self) -> bool:
        return self._life is not None and not self._life.done()

    async def _live(self) -> None:
        keep = (down_problem(Backend.TTS).sentence, back_sentence(Backend.TTS))
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._session.run(), name="voice session")
                tasks.create_task(self._spoken.report(self._session.post), name="playback")
                tasks.create_task(self._herald.run(keep=keep), name="herald")
                tasks.create_task(self._keeper.run(), name="transcript")
                tasks.create_task(self._tell_services(), name="services")
                tasks.create_task(self._follow_people(), name="attendance")
        except Exception as error:
            # The room's own boundary: whatever broke, the channel is left and people are told.
            _logger.error("a voice room failed", exc_info=error)
            self._on_end(self, LEFT_BY_FAULT)

    # The conversation

    def _make_session(self) -> Session:
        channel = self._place
        place = TranscriptPlace(
            channel.guild.id, channel.id, uuid.uuid4().hex, bot_name=self._bot_name
        )
        observers: tuple[Observer, ...] = (
            self._audience,
            self._parts.records.observer("discord"),
            TranscriptNotes(place, self._keeper.keep),
            self._captions,
        )
        options = SessionOptions(
            tenant=self._tenant,
            conversation=self._conversation_options(),
            voice_for=self._voice_for,
            observe=lambda: observers,
        )
        audience = MeteredAudience(self._audience, self._parts.metrics, front="discord")
        return Session(self._parts.backends, audience, options)

    def _conversation_options(self) -> ConversationOptions:
        guild, me = self._guild, self._place.guild.me
        names = guild.names or tuple(dict.fromkeys((me.display_name, me.name)))
        options = replace(self._parts.conversation, names=names, language_code=guild.language_code)
        try:
            return options.with_timings(guild.timings)
        except InvalidArgumentError as error:
            # Settings of the operator and the guild, each right, may not go together.
            _logger.warning("the timings of a guild are not used", field=error.field)
            return options

    def _voice_for(self, speaker: str) -> VoiceChoice:
        return self._wishes.voice(int(speaker) if speaker.isdecimal() else None)

    async def _tell_services(self) -> None:
        changes: asyncio.Queue[None] = asyncio.Queue(1)

        def note(*_: object) -> None:
            with suppress(asyncio.QueueFull):
                changes.put_nowait(None)

        told = dict.fromkeys(Backend, True)
        unsubscribe = self._parts.watch.subscribe(note)
        try:
            while True:
                for backend, ready in dict(self._parts.watch.ready).items():
                    if told[backend] is not ready:
                        told[backend] = ready
                        await self._session.post(BackendChanged(backend, ready))
                await changes.get()
        finally:
            unsubscribe()

    # Who is there, and who is heard

    async def _follow_people(self) -> None:
        while True:
            self._note_place()
            complete = await self._take_people()
            await self._sign.show(listening=self.is_listening)
            await self._show_captions()
            try:
                async with asyncio.timeout(None if complete else _RETRY_S):
                    await self._changed.wait()
            except TimeoutError:
                pass
            self._changed.clear()

    async def _take_people(self) -> bool:
        """Takes in who is there and what is decided; whether all of that is known."""
        complete = await self._people.take(self.channel)
        if self._guild != self._wishes.guild and self._is_alive:
            self._guild = self._wishes.guild
            self._keeper.kept_s = self._guild.transcript_kept_s
            await self._session.post(OptionsChanged(self._conversation_options()))
        return complete

    def _note_place(self) -> None:
        """Introduces itself where it has come, also if somebody else took it there."""
        channel = self.channel
        if self._greeted_in == channel.id:
            return
        self._greeted_in = channel.id
        if self._is_told_here:
            self._herald.channel = channel
        self._greet()

    def _note_status(self, status: VoiceStatus) -> None:
        if status.phase is VoicePhase.ENDED:
            self._on_end(self, status.sentence)
        elif status.phase is VoicePhase.UNHEARD:
            self._herald.write(Letter(self._herald.channel, status.sentence))
        elif status.phase is VoicePhase.CONNECTED:
            self._sign.forget()
            self._changed.set()

    # What people see

    def _greet(self) -> None:
        view = self._parts.consent_view
        words = greeting(self._wishes.guild, self._bot_name, self.channel.mention)
        buttons = view() if words.asks_consent and view is not None else None
        self._herald.write(Letter(self._herald.channel, words.written, buttons))
        self._herald.say(words.spoken)

    async def _show_captions(self) -> None:
        guild, channel = self._wishes.guild, self.channel
        wanted: object = None
        if guild.captions:
            wanted = channel
            if guild.captions_channel_id is not None:
                wanted = channel.guild.get_channel_or_thread(guild.captions_channel_id)
        if not isinstance(wanted, discord.abc.Messageable):
            wanted = None
        wall_id = None if wanted is None else getattr(wanted, "id", None)
        await self._captions.show_in(wanted, wall_id, self._people.arrivals())
