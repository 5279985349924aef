"""Captions of one room, which can be switched on and off while people speak."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from voicemesh_bot.discord_front.caption_wall import ChannelWall
from voicemesh_bot.transcripts.caption_feed import CaptionFeed
from voicemesh_chassis.logs import get_logger

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from discord.abc import Messageable

    from voicemesh_bot.conversation.commands import Command
    from voicemesh_bot.conversation.events import Arrived, Event

__all__ = ("LiveCaptions",)

_logger = get_logger(__name__)


class LiveCaptions:
    """An `Observer` of the room's session."""

    def __init__(self, bot_name: str) -> None:
        """Takes the name by which the bot's own words go."""
        self._bot_name = bot_name
        self._feed: CaptionFeed | None = None
        self._channel_id: int | None = None
        self._task: asyncio.Task[None] | None = None

    def note(self, event: Event, commands: Sequence[Command], now_s: float) -> None:
        """See `ports.Observer.note`."""
        if self._feed is not None:
            self._feed.note(event, commands, now_s)

    async def show_in(
        self, channel: Messageable | None, channel_id: int | None, present: Iterable[Arrived]
    ) -> None:
        """Shows captions in a channel from now on.

        Args:
            channel: where; None switches them off.
            channel_id: its id.
            present: who is in the room already.
        """
        if channel_id == self._channel_id and self._is_alive:
            return
        await self.aclose()
        if channel is None:
            return
        feed = self._feed = CaptionFeed(ChannelWall(channel), self._bot_name)
        self._channel_id = channel_id
        for arrived in present:
            feed.note(arrived, (), 0.0)
        self._task = asyncio.create_task(feed.run(), name="captions")
        self._task.add_done_callback(_log_fault)

    @property
    def _is_alive(self) -> bool:
        """Whether they are shown, or are off as they should be."""
        return self._task is None or not self._task.done()

    async def aclose(self) -> None:
        """Ends them; what was shown stays."""
        task, self._task = self._task, None
        self._feed, self._channel_id = None, None
        if task is not None:
            task.cancel()
            await asyncio.wait({task})


def _log_fault(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        _logger.error("captions failed", exc_info=error)
