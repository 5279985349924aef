"""Puts the bot together: connections, the watch over them, and the fronts that people use."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import TYPE_CHECKING

from voicemesh_bot.clients.connections import NOTICED_S, Connections
from voicemesh_bot.console.front import ConsoleFront
from voicemesh_bot.conversation import ConversationOptions
from voicemesh_bot.journal import BackendJournal, journalled
from voicemesh_bot.metrics import BotMetrics
from voicemesh_bot.record.event_log import EventLog
from voicemesh_bot.record.sessions import SessionRecords
from voicemesh_bot.session import SessionOptions
from voicemesh_bot.voice.clips import ClipLibrary
from voicemesh_bot.voice.player import PlayerOptions
from voicemesh_bot.watch import BackendWatch
from voicemesh_chassis.logs import get_logger
from voicemesh_chassis.service import Service

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

    from voicemesh_bot.ports import Backends, Front, VoiceCatalogue
    from voicemesh_bot.settings import BotSettings, ConversationSettings

__all__ = ("Bot", "build")

_logger = get_logger(__name__)


def build(settings: BotSettings) -> Service:
    """The bot as a service of the chassis: health and metrics, and fronts for people."""
    bot: Bot | None = None

    async def start() -> None:
        nonlocal bot
        bot = Bot(settings, service.registry)
        await bot.start()

    async def stop() -> None:
        if bot is not None:
            await bot.aclose()

    service = Service(name="bot", apis=(), start=start, stop=stop)
    return service


class Bot:
    """Everything of one bot process; make it in the event loop that runs it."""

    def __init__(self, settings: BotSettings, registry: CollectorRegistry) -> None:
        self._settings = settings
        self._registry = registry
        self._metrics = BotMetrics(registry)
        self._open = AsyncExitStack()

    async def start(self) -> None:
        """Lets people in. The services need not be there yet.

        Raises:
            StartupError: if a front or the database cannot start.
        """
        connections = Connections(self._settings)
        self._open.push_async_callback(connections.aclose)
        watch, journal = BackendWatch(connections.readiness), BackendJournal()
        watch.subscribe(journal.note_ready)
        watching = asyncio.create_task(watch.run(), name="backend watch")
        self._open.push_async_callback(_cancel, watching)
        records = self._recording()
        await self._let_in(self._console(journalled(connections.backends, journal), watch, records))
        if self._settings.discord_token is None:
            _logger.info("Discord: off (DISCORD_TOKEN is not set); the console runs alone")
            return
        backends = journalled(connections.packet_backends, journal)
        token = self._settings.discord_token.get_secret_value()
        await self._let_in(await self._discord(token, backends, connections.voices, watch, records))

    async def aclose(self) -> None:
        """Ends everything, fronts first; also after a failed `start`."""
        await self._open.aclose()

    def _recording(self) -> SessionRecords:
        """What records turns, and the task behind it."""
        settings = self._settings.record
        if settings.event_log is None:
            return SessionRecords(self._metrics.turn_records)
        log = EventLog(settings.event_log, most_bytes=settings.event_log_mib * 1024 * 1024)
        writing = asyncio.create_task(log.run(), name="event log")
        self._open.push_async_callback(_cancel, writing)
        return SessionRecords(self._metrics.turn_records, log.write, words=settings.event_log_words)

    async def _let_in(self, front: Front) -> None:
        self._open.push_async_callback(front.aclose)
        await front.start()

    def _console(self, backends: Backends, watch: BackendWatch, records: SessionRecords) -> Front:
        settings = self._settings
        options = SessionOptions(
            tenant="console",
            conversation=_options(settings.conversation),
            observe=lambda: (records.observer("console"),),
        )
        return ConsoleFront(
            settings.console,
            backends,
            watch,
            options,
            self._metrics,
            voice_rate_hertz=settings.speech.sample_rate_hertz,
        )

    async def _discord(
        self,
        token: str,
        backends: Backends,
        voices: VoiceCatalogue,
        watch: BackendWatch,
        records: SessionRecords,
    ) -> Front:
        # Only here: a console alone needs neither discord.py nor a database.
        from voicemesh_bot.discord_front.front import DiscordFront
        from voicemesh_bot.discord_front.rooms.packet_counts import PacketCounts
        from voicemesh_bot.discord_front.rooms.parts import RoomParts, RoomStores
        from voicemesh_bot.stores.storage import Storage

        settings = self._settings
        storage = Storage(settings.storage, self._registry)
        self._open.push_async_callback(storage.aclose)
        await storage.open()
        packet_counts = PacketCounts()
        self._registry.register(packet_counts)
        parts = RoomParts(
            backends=backends,
            watch=watch,
            stores=RoomStores(storage.guilds, storage.people, storage.people, storage.transcripts),
            clips=ClipLibrary(backends.tts),
            metrics=self._metrics,
            packet_counts=packet_counts,
            records=records,
            conversation=replace(_options(settings.conversation), noticed_s=NOTICED_S),
            player=PlayerOptions(preroll_s=settings.discord.preroll_ms / 1000),
            announces=settings.discord.announcements,
        )
        return DiscordFront(token, settings.discord, parts, voices)


def _options(settings: ConversationSettings) -> ConversationOptions:
    options = ConversationOptions(
        pause_s=ConversationOptions().noticed_s + settings.barge_in_ms / 1000,
        max_speculations=settings.max_speculations,
        max_reply_characters=settings.max_reply_characters,
        max_history_turns=settings.max_history_turns,
    )
    return options.with_timings(settings.timings)


async def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait({task})
