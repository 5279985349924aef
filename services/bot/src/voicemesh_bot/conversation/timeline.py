"""Where the milliseconds of a turn went, from the last voiced sound to the first sound heard.

Every mark is taken once and belongs to one answer; a mark that did not happen is missing, never
borrowed from another turn. With a speculative answer, its marks may precede the transcript's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ("Mark", "Timeline", "Timing", "clause_end", "has_clause")

_CLAUSE_END = re.compile(r"[.!?,;:…—](?=\s|$)")
_CLAUSE_CHARACTERS = 10
_CLAUSE_WORDS = 8


class Mark(StrEnum):
    """A moment of a turn."""

    END_OF_SPEECH = "end_of_speech"
    """The person's last voiced sound, or the sending of a written message."""
    TRANSCRIPT = "transcript"
    """The final words are known."""
    REPLY_REQUESTED = "reply_requested"
    """The language model was asked."""
    FIRST_TOKEN = "first_token"  # noqa: S105 - a word of a language model, not a secret
    """Its first text came."""
    FIRST_CLAUSE = "first_clause"
    """Enough text to speak came."""
    FIRST_AUDIO = "first_audio"
    """The voice's first sound came."""
    FIRST_SOUND_PLAYED = "first_sound_played"
    """The player reported sound."""


_STAGES = (
    ("transcript", (Mark.END_OF_SPEECH,), Mark.TRANSCRIPT),
    ("first_token", (Mark.REPLY_REQUESTED,), Mark.FIRST_TOKEN),
    ("first_clause", (Mark.FIRST_TOKEN,), Mark.FIRST_CLAUSE),
    ("first_audio", (Mark.FIRST_CLAUSE, Mark.TRANSCRIPT), Mark.FIRST_AUDIO),
    ("playback", (Mark.FIRST_AUDIO,), Mark.FIRST_SOUND_PLAYED),
    ("total", (Mark.END_OF_SPEECH,), Mark.FIRST_SOUND_PLAYED),
)


@dataclass(frozen=True, slots=True)
class Timing:
    """The marks of one turn, for people and metrics."""

    marks_s: Mapping[Mark, float]
    """When each mark was taken, counted from the end of speech. What happened before it, such as
    work on a guess, counts as 0."""

    speculative: bool
    """Whether the answer was begun before the person's turn was known to be over."""

    def stages_s(self) -> dict[str, float]:
        """The length of each stage whose both ends are known, and of the `total`.

        A written message has no `transcript`. Sound counts from when it may be heard, so
        `first_audio` counts from the later of clause and transcript.
        """
        stages = {
            name: max(0.0, self.marks_s[end] - max(self.marks_s[start] for start in starts))
            for name, starts, end in _STAGES
            if all(mark in self.marks_s for mark in (*starts, end))
        }
        if not stages.get("transcript"):
            stages.pop("transcript", None)
        return stages


class Timeline:
    """Collects the marks of one turn."""

    def __init__(self, *, speculative: bool = False) -> None:
        self.speculative = speculative
        self._marks_s: dict[Mark, float] = {}

    def mark(self, mark: Mark, now_s: float) -> None:
        """Takes a mark, unless it has been taken."""
        self._marks_s.setdefault(mark, now_s)

    def has(self, mark: Mark) -> bool:
        """Whether the mark has been taken."""
        return mark in self._marks_s

    def timing(self) -> Timing:
        """The marks so far, counted from the end of speech or else from the first mark."""
        if not self._marks_s:
            return Timing({}, self.speculative)
        zero_s = self._marks_s.get(Mark.END_OF_SPEECH, min(self._marks_s.values()))
        marks_s = {
            mark: max(0.0, self._marks_s[mark] - zero_s) for mark in Mark if mark in self._marks_s
        }
        return Timing(marks_s, self.speculative)


def has_clause(text: str) -> bool:
    """Whether a text has enough to begin to speak: a clause of 10 letters, or 8 words."""
    return clause_end(text) is not None or len(text.split()) > _CLAUSE_WORDS


def clause_end(text: str) -> int | None:
    """Where the first clause of 10 letters ends, its mark included; None if it does not yet."""
    for end in _CLAUSE_END.finditer(text):
        if sum(map(str.isalnum, text[: end.start()])) >= _CLAUSE_CHARACTERS:
            return end.end()
    return None
