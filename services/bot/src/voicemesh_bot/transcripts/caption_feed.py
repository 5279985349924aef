"""Carries captions out: from what happens in a conversation to messages that people see."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Protocol

from voicemesh_bot.conversation.commands import (
    ShowMessage,
    ShowPartial,
    ShowReplyEnd,
    ShowSilence,
)
from voicemesh_bot.conversation.events import Arrived, Departed
from voicemesh_bot.transcripts.captions import Captions

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from voicemesh_bot.conversation.commands import Command
    from voicemesh_bot.conversation.events import Event
    from voicemesh_bot.transcripts.captions import CaptionOptions

__all__ = ("CaptionFeed", "CaptionWall")

_BOT = ""
"""Key of the bot among speakers; no person has it."""


class CaptionWall(Protocol):
    """Where captions are shown, such as a Discord channel."""

    async def show(self, page: int, content: str) -> None:
        """Makes a message read so; returns in bounded time and never fails.

        Args:
            page: number of the message; one that is not there is sent anew.
            content: Discord's Markdown, at most 2,000 characters; empty deletes the message.
        """


class CaptionFeed:
    """An `Observer` of one session that shows what is said; `run` it as a task.

    Captions are a courtesy: if the wall is slow, edits are left out, never piled up.
    """

    def __init__(
        self,
        wall: CaptionWall,
        bot_name: str,
        options: CaptionOptions | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Takes where to show captions, and by which name the bot's own words go."""
        self._wall = wall
        self._bot_name = bot_name
        self._captions = Captions(options)
        self._clock = clock
        self._names: dict[str, str] = {}
        self._news = asyncio.Event()

    def note(self, event: Event, commands: Sequence[Command], now_s: float) -> None:
        """See `ports.Observer.note`."""
        del now_s  # Edits are spaced by the clock of who makes them.
        if isinstance(event, Arrived):
            self._names[event.speaker] = event.name
        for command in commands:
            self._note(command)
        if isinstance(event, Departed):
            self._names.pop(event.speaker, None)
        self._news.set()

    async def run(self) -> None:
        """Shows captions until cancelled."""
        while True:
            await self._something_due()
            if (edit := self._captions.take(self._clock())) is not None:
                await self._wall.show(edit.page, edit.content)

    async def _something_due(self) -> None:
        while True:
            self._news.clear()
            due_s = self._captions.due_s()
            if due_s is not None and due_s <= self._clock():
                return
            wait_s = None if due_s is None else due_s - self._clock()
            try:
                async with asyncio.timeout(wait_s):
                    await self._news.wait()
            except TimeoutError:
                return

    def _note(self, command: Command) -> None:
        if isinstance(command, ShowPartial):
            name = self._name(command.speaker)
            number = (command.turn_id, command.revision)
            self._captions.note_words(command.speaker, name, *number, command.stable)
        elif isinstance(command, ShowMessage) and command.spoken:
            name = self._name(command.speaker)
            self._captions.note_final(command.speaker, name, command.turn_id, command.text)
        elif isinstance(command, ShowSilence):
            self._captions.drop(command.speaker, command.turn_id)
        elif isinstance(command, ShowReplyEnd) and command.heard_text:
            self._captions.note_final(_BOT, self._bot_name, command.reply_id, command.heard_text)

    def _name(self, speaker: str) -> str:
        return self._names.get(speaker, speaker)
