"""What a room tells people beside the conversation: aloud by a queue, in text by another.

Neither ever waits for the other, nor the conversation for either. Both are bounded; of what is too
much the oldest goes.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

import discord

from voicemesh_bot.discord_front.pages import split_pages
from voicemesh_bot.discord_front.troubles import troubles_logged
from voicemesh_bot.voice.clips import Wording
from voicemesh_bot.voice.errors import QueueFullError
from voicemesh_chassis.errors import ServiceError
from voicemesh_chassis.logs import get_logger

if TYPE_CHECKING:
    from collections.abc import Callable

    from voicemesh_bot.domain import VoiceChoice
    from voicemesh_bot.voice.announcer import Announcer
    from voicemesh_bot.voice.clips import ClipLibrary

__all__ = ("Herald", "Letter", "send")

_MOST_WAITING = 32
_SEND_S = 30.0
"""Longest wait for Discord, which may tell discord.py to slow down."""

_logger = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Letter:
    """Something to be written."""

    channel: discord.abc.Messageable
    """Where."""

    text: str
    """Discord's Markdown, of any length."""

    view: discord.ui.View | None = None
    """Buttons under it."""


class Herald:
    """One room's news; `run` it as a task.

    Args:
        channel: where news are written.
        announcer: says them.
        clips: keeps what will have to be said when the voice is away.
        tenant: whose voices and pronunciations to use.
        choice: how the guild wants to be spoken to, at this moment.
        aloud: whether anything is said at all.
    """

    def __init__(
        self,
        channel: discord.abc.Messageable,
        announcer: Announcer,
        clips: ClipLibrary,
        *,
        tenant: str,
        choice: Callable[[], VoiceChoice],
        aloud: bool,
    ) -> None:
        self.channel = channel
        self._announcer = announcer
        self._clips = clips
        self._tenant = tenant
        self._choice = choice
        self._aloud = aloud
        self._letters: deque[Letter] = deque(maxlen=_MOST_WAITING)
        self._sentences: deque[str] = deque(maxlen=_MOST_WAITING)
        self._has_letters, self._has_sentences = asyncio.Event(), asyncio.Event()

    def tell(self, sentence: str) -> None:
        """Says and writes a sentence."""
        self.write(Letter(self.channel, sentence))
        self.say(sentence)

    def say(self, sentence: str) -> None:
        """Says a sentence."""
        if self._aloud:
            self._sentences.append(sentence)
            self._has_sentences.set()

    def write(self, letter: Letter) -> None:
        """Writes something."""
        self._letters.append(letter)
        self._has_letters.set()

    def wording(self, text: str) -> Wording:
        """A text as this guild is spoken to."""
        choice = self._choice()
        return Wording(text, self._tenant, choice.voice, choice.language_code)

    async def run(self, *, keep: tuple[str, ...] = ()) -> None:
        """Tells until cancelled.

        Args:
            keep: sentences that are made first, to be said although the voice cannot be reached.
        """
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._write_all(), name="letters")
            tasks.create_task(self._say_all(keep), name="announcements")

    async def _write_all(self) -> None:
        while True:
            await self._has_letters.wait()
            self._has_letters.clear()
            while self._letters:
                await send(self._letters.popleft())

    async def _say_all(self, keep: tuple[str, ...]) -> None:
        while True:
            while self._sentences:
                await self._say(self._sentences.popleft())
            if keep and self._aloud:
                await self._make(keep[0])
                keep = keep[1:]
                continue
            await self._has_sentences.wait()
            self._has_sentences.clear()

    async def _say(self, sentence: str) -> None:
        try:
            await self._announcer.announce(self.wording(sentence))
        except (ServiceError, QueueFullError) as error:
            # It stands in the channel as well.
            _logger.info("an announcement was not said", error=type(error).__name__)

    async def _make(self, sentence: str) -> None:
        try:
            await self._clips.clip(self.wording(sentence))
        except ServiceError as error:
            _logger.info("an announcement was not made", reason=error.reason)


async def send(letter: Letter) -> None:
    """Sends something, in as many messages as it takes; what goes wrong is in the log.

    Nobody is pinged.
    """
    nobody = discord.AllowedMentions.none()
    pages = split_pages(letter.text)
    with troubles_logged("news"):
        async with asyncio.timeout(_SEND_S):
            for page in pages[:-1]:
                await letter.channel.send(page, allowed_mentions=nobody)
            if pages and letter.view is not None:
                await letter.channel.send(pages[-1], allowed_mentions=nobody, view=letter.view)
            elif pages:
                await letter.channel.send(pages[-1], allowed_mentions=nobody)
