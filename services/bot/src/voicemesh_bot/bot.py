"""Puts the bot together: connections, the watch over them, and the fronts that people use."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

from voicemesh_bot.clients.connections import Connections
from voicemesh_bot.console.front import ConsoleFront
from voicemesh_bot.conversation import ConversationOptions
from voicemesh_bot.journal import BackendJournal, journalled
from voicemesh_bot.metrics import BotMetrics
from voicemesh_bot.session import SessionOptions
from voicemesh_bot.watch import BackendWatch
from voicemesh_chassis.logs import get_logger
from voicemesh_chassis.service import Service

if TYPE_CHECKING:
    from voicemesh_bot.ports import Backends, Front
    from voicemesh_bot.settings import BotSettings, ConversationSettings

__all__ = ("Bot", "build")

_logger = get_logger(__name__)


def build(settings: BotSettings) -> Service:
    """The bot as a service of the chassis: health and metrics, and fronts for people."""
    bot: Bot | None = None

    async def start() -> None:
        nonlocal bot
        bot = Bot(settings, BotMetrics(service.registry))
        await bot.start()

    async def stop() -> None:
        if bot is not None:
            await bot.aclose()

    service = Service(name="bot", apis=(), start=start, stop=stop)
    return service


class Bot:
    """Everything of one bot process; make it in the event loop that runs it."""

    def __init__(self, settings: BotSettings, metrics: BotMetrics) -> None:
        self._settings = settings
        self._metrics = metrics
        self._open = AsyncExitStack()

    async def start(self) -> None:
        """Lets people in. The services need not be there yet.

        Raises:
            StartupError: if a front cannot start.
        """
        connections = Connections(self._settings)
        self._open.push_async_callback(connections.aclose)
        watch, journal = BackendWatch(connections.readiness), BackendJournal()
        watch.subscribe(journal.note_ready)
        watching = asyncio.create_task(watch.run(), name="backend watch")
        self._open.push_async_callback(_cancel, watching)
        for front in self._fronts(journalled(connections.backends, journal), watch):
            self._open.push_async_callback(front.aclose)
            await front.start()

    async def aclose(self) -> None:
        """Ends everything, fronts first; also after a failed `start`."""
        await self._open.aclose()

    def _fronts(self, backends: Backends, watch: BackendWatch) -> list[Front]:
        settings = self._settings
        fronts: list[Front] = [
            ConsoleFront(
                settings.console,
                backends,
                watch,
                SessionOptions(tenant="console", conversation=_options(settings.conversation)),
                self._metrics,
                voice_rate_hertz=settings.speech.sample_rate_hertz,
            )
        ]
        if settings.discord_token is None:
            _logger.info("Discord: off (DISCORD_TOKEN is not set); the console runs alone")
            return fronts
        # Only here: a console alone need not load discord.py.
        from voicemesh_bot.discord_front.front import DiscordFront

        token = settings.discord_token.get_secret_value()
        return [*fronts, DiscordFront(backends.model, token, settings.discord)]


def _options(settings: ConversationSettings) -> ConversationOptions:
    return ConversationOptions(
        barge_in_s=settings.barge_in_ms / 1000,
        max_speculations=settings.max_speculations,
        max_reply_characters=settings.max_reply_characters,
        max_history_turns=settings.max_history_turns,
    )


async def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait({task})
