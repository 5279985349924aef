"""Discord as a way for people to reach the bot."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from voicemesh_bot.discord_front.answers import WrittenAnswers
from voicemesh_bot.discord_front.client import DiscordClient
from voicemesh_bot.discord_front.commands.consent import ConsentView
from voicemesh_bot.discord_front.histories import Histories
from voicemesh_bot.discord_front.login import DiscordAddresses, stay_connected, use_addresses
from voicemesh_bot.discord_front.opus_codec import OpusCodec, load_libopus
from voicemesh_bot.discord_front.rooms.rooms import VoiceRooms
from voicemesh_bot.voice.ducking import Ducker, DuckingOptions
from voicemesh_chassis.logs import get_logger

if TYPE_CHECKING:
    from voicemesh_bot.discord_front.rooms.parts import RoomParts
    from voicemesh_bot.ports import VoiceCatalogue
    from voicemesh_bot.settings import DiscordSettings

__all__ = ("DiscordFront",)

_LEAVE_S = 10.0

_logger = get_logger(__name__)


class DiscordFront:
    """Keeps one login of one bot; who writes to it is answered in text, who speaks to it aloud.

    Args:
        token: of the Discord application.
        settings: how the bot behaves on Discord.
        parts: what voice rooms are made of, as far as it has nothing to do with Discord.
        voices: knows which voices people can choose.
    """

    def __init__(
        self, token: str, settings: DiscordSettings, parts: RoomParts, voices: VoiceCatalogue
    ) -> None:
        self._token = token
        self._settings = settings
        self._parts = parts
        self._voices = voices
        self._answers = WrittenAnswers(
            parts.backends.model,
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
        has_opus = await asyncio.to_thread(load_libopus)
        gain = DuckingOptions(self._settings.duck_db)
        parts = replace(
            self._parts,
            make_ducker=lambda: Ducker(OpusCodec if has_opus else None, gain),
            consent_view=ConsentView,
        )

        def make_client(message_content: bool) -> DiscordClient:
            rooms = VoiceRooms(parts, most_rooms=self._settings.voice_channels)
            wanted = message_content and self._settings.message_content
            return DiscordClient(self._answers, rooms, self._voices, message_content=wanted)

        staying = stay_connected(make_client, self._token)
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
