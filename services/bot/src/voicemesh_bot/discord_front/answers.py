"""One answer, from the question to the last edit.

The model's words are shown as they come, by edits no oftener than Discord likes (five a channel in
five seconds; source: rate limit headers of the message edit route). Answers of one channel come one
after the other; how many wait, and how many run in all, is bounded.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from voicemesh_bot.discord_front.pages import split_pages
from voicemesh_bot.domain import HistoryTurn, ModelText, Role
from voicemesh_chassis.errors import ServiceError

if TYPE_CHECKING:
    from collections.abc import Callable

    from voicemesh_bot.discord_front.histories import Histories
    from voicemesh_bot.discord_front.ports import Wall
    from voicemesh_bot.ports import LanguageModel

__all__ = ("ChannelBusyError", "Question", "WrittenAnswers")

NO_WORDS = "I have no answer to that."


class ChannelBusyError(Exception):
    """Too many questions wait in this channel already."""


@dataclass(frozen=True, slots=True)
class Question:
    """What somebody asks in a channel."""

    tenant: str
    """Whose memory and models to use: the guild, or the person in direct messages."""

    channel_id: int
    """Where the conversation takes place."""

    speaker: str
    """Name of the person as others in the channel see it."""

    text: str
    """What is asked; not blank."""


@dataclass
class WrittenAnswers:
    """Answers questions in order, channel by channel."""

    model: LanguageModel
    """Who answers."""

    histories: Histories
    """What was said before; the answer is added when it has been shown."""

    clock: Callable[[], float]
    """Monotonic seconds."""

    edit_interval_s: float = 1.2
    """Shortest time between two edits of an answer; one that is ready before that is sent whole."""

    waiting_per_channel: int = 4
    """Most questions of one channel that wait or run."""

    concurrent: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(16))
    """How many answers are written at once, over all channels."""

    _order: dict[int, asyncio.Lock] = field(default_factory=dict)
    _waiting: Counter[int] = field(default_factory=Counter)

    async def answer(self, question: Question, canvas: Wall) -> None:
        """Show the answer to `question` on `canvas`.

        Raises:
            ChannelBusyError: too many questions wait in the channel.
            ServiceError: the model could not answer; what came before it stays visible.
            discord.HTTPException: Discord refused to show it.
        """
        channel = question.channel_id
        if self._waiting[channel] >= self.waiting_per_channel:
            raise ChannelBusyError
        self._waiting[channel] += 1
        order = self._order.setdefault(channel, asyncio.Lock())
        try:
            async with order, self.concurrent:
                await self._write(question, canvas)
        finally:
            self._waiting[channel] -= 1
            if not self._waiting[channel]:
                del self._waiting[channel], self._order[channel]

    async def _write(self, question: Question, canvas: Wall) -> None:
        asked = HistoryTurn(role=Role.USER, text=question.text, speaker=question.speaker)
        turns = (*self.histories.turns(question.channel_id), asked)
        text, shown_at = "", self.clock()
        try:
            async with aclosing(self.model.generate(turns, tenant=question.tenant)) as events:
                async for event in events:
                    text += event.text if isinstance(event, ModelText) else ""
                    if self.clock() - shown_at >= self.edit_interval_s and text.strip():
                        await canvas.show(split_pages(text))
                        shown_at = self.clock()
        except ServiceError:
            await canvas.show(split_pages(text))
            raise
        await canvas.show(split_pages(text) or (NO_WORDS,))
        said = HistoryTurn(role=Role.ASSISTANT, text=text.strip() or NO_WORDS)
        self.histories.add(question.channel_id, asked, said)
