"""Discord as a way for people to reach the bot."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from voicemesh_bot.discord_front.answers import WrittenAnswers
from voicemesh_bot.discord_front.client import DiscordClient
from voicemesh_bot.discord_front.histories import Histories
from voicemesh_bot.discord_front.login import DiscordAddresses, stay_connected, use_addresses
from voicemesh_chassis.logs import get_logger

if TYPE_CHECKING:
    from voicemesh_bot.ports import LanguageModel
    from voicemesh_bot.settings import DiscordSettings

__all__ = ("DiscordFront",)

_LEAVE_S = 10.0

_logger = get_logger(__name__)


class DiscordFront:
    """Keeps one login of one bot; whoever writes to it is answered in text."""

    def __init__(self, model: LanguageModel, token: str, settings: DiscordSettings) -> None:
        self._token = token
        self._settings = settings
        self._answers = WrittenAnswers(
            model,
            Histories(turns_per_channel=settings.history_turns, channels=settings.history_channels),
            time.monotonic,
            edit_interval_s=settings.edit_interval_ms / 1000,
            waiting_per_channel=settings.waiting_per_channel,
            concurrent=asyncio.Semaphore(settings.concurrent_answers),
        )
        self._login: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to log in. Discord may be out of reach for a while; the bot goes on without it."""
        if self._settings.api_uri and self._settings.gateway_uri:
            use_addresses(DiscordAddresses(self._settings.api_uri, self._settings.gateway_uri))
        staying = stay_connected(lambda: DiscordClient(self._answers), self._token)
        self._login = asyncio.create_task(staying, name="discord login")
        self._login.add_done_callback(_log_fault)

    async def aclose(self) -> None:
        """End all answers and leave Discord."""
        if self._login is not None:
            self._login.cancel()
            await asyncio.wait({self._login}, timeout=_LEAVE_S)


def _log_fault(login: asyncio.Task[None]) -> None:
    """Says that the login ended by a fault; else nobody would know until the end of the bot."""
    if not login.cancelled() and (fault := login.exception()) is not None:
        _logger.error("Discord: the login failed; the console runs alone", exc_info=fault)
