"""Lines of a transcript, from what happens in a conversation."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from voicemesh_bot.conversation.commands import ShowMessage, ShowReplyEnd
from voicemesh_bot.conversation.events import Arrived, Departed, Heard, Played
from voicemesh_bot.domain import Final, SpeechStarted
from voicemesh_bot.guilds.transcripts import LONGEST_SPEAKER, LONGEST_TEXT, TranscriptLine

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from voicemesh_bot.conversation.commands import Command
    from voicemesh_bot.conversation.events import Event

__all__ = ("TranscriptNotes", "TranscriptPlace")

_MOST_DIGITS = 20
"""One more than the longest id has."""


@dataclass(frozen=True, slots=True)
class TranscriptPlace:
    """Where a session takes place."""

    guild_id: int
    """The guild."""

    channel_id: int
    """The voice channel."""

    session_id: str
    """The bot's stay there; 1 to 64 characters."""

    bot_name: str
    """By which name the bot's own words go."""


class TranscriptNotes:
    """An `Observer` of one session that hands out a line for all that was said aloud.

    People's ids in the conversation are Discord's, in decimal digits. Of the bot it notes what was
    heard, and not what was only written.
    """

    def __init__(
        self,
        place: TranscriptPlace,
        keep: Callable[[TranscriptLine], None],
        *,
        now: Callable[[], float] = time.time,
    ) -> None:
        """Takes where it is, who gets the lines (at once, so must not wait), and a wall clock."""
        self._place = place
        self._keep = keep
        self._now = now
        self._number = 0
        self._names: dict[str, str] = {}
        self._began: dict[str, float] = {}
        self._played: dict[int, float] = {}

    def note(self, event: Event, commands: Sequence[Command], now_s: float) -> None:
        """See `ports.Observer.note`."""
        del now_s  # Transcripts go by the clock on the wall.
        now = self._now()
        if isinstance(event, Arrived):
            self._names[event.speaker] = event.name
        elif isinstance(event, Heard) and isinstance(event.event, SpeechStarted):
            self._began[event.speaker] = now
        elif isinstance(event, Played) and event.seconds > 0:
            self._played.setdefault(event.reply_id, now - event.seconds)
        for command in commands:
            if isinstance(command, ShowMessage) and command.spoken:
                self._note_message(command, event, now)
            elif isinstance(command, ShowReplyEnd):
                self._note_reply(command, now)
        if isinstance(event, Departed):
            self._names.pop(event.speaker, None)
            self._began.pop(event.speaker, None)

    def _note_message(self, message: ShowMessage, event: Event, now: float) -> None:
        if (speaker_id := _person(message.speaker)) is None:
            return
        began, ended = self._began.pop(message.speaker, now), now
        if isinstance(event, Heard) and isinstance(event.event, Final):
            ended = now - max(0.0, event.event.latency_s)
            if event.event.speech_s:
                began = ended - event.event.speech_s
        name = self._names.get(message.speaker, message.speaker)
        self._add(speaker_id, name, message.text, min(began, ended), ended)

    def _note_reply(self, reply: ShowReplyEnd, now: float) -> None:
        began = self._played.pop(reply.reply_id, None)
        if began is not None:
            self._add(None, self._place.bot_name, reply.heard_text, min(began, now), now)

    def _add(
        self, speaker_id: int | None, speaker: str, text: str, start_time: float, end_time: float
    ) -> None:
        # PostgreSQL knows no NUL.
        words = text.replace("\0", "").strip()[:LONGEST_TEXT]
        if not words:
            return
        self._number += 1
        began = max(0.0, start_time)
        line = TranscriptLine(
            guild_id=self._place.guild_id,
            channel_id=self._place.channel_id,
            session_id=self._place.session_id,
            number=self._number,
            speaker_id=speaker_id,
            speaker=speaker.replace("\0", "").strip()[:LONGEST_SPEAKER] or "?",
            text=words,
            start_time=began,
            end_time=max(began, end_time),
        )
        self._keep(line)


def _person(speaker: str) -> int | None:
    """The person's id; None if it is none of Discord's."""
    if not (speaker.isascii() and speaker.isdecimal()):
        return None
    number = int(speaker[:_MOST_DIGITS])
    return number if 0 < number < 2**63 else None
