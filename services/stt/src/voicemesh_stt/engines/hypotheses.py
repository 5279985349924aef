"""What Whisper wrote about a job: whether to believe it, and its segments (pure)."""

from __future__ import annotations

import math
import zlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from voicemesh_stt.domain import Segment, Word
from voicemesh_stt.plausibility import repeats_its_end

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ("TEMPERATURES", "Attempt", "Span", "best", "segments", "spans")

TEMPERATURES = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
_NO_SPEECH = 0.6
_LOG_PROBABILITY = -1.0
_SURE = -0.5
"""Mean log probability of what the model has no doubt about."""
_COMPRESSION = 2.4
"""Temperatures and thresholds of Whisper's reference implementation."""
_TICK_S = 0.02
"""Unit of Whisper's time tokens."""


@dataclass(frozen=True)
class Attempt:
    """One text for a job, with what the model thought of it."""

    tokens: Sequence[int]
    """What was written, times included."""
    text: str
    """Its words."""
    log_probability: float
    """Mean over the tokens."""
    no_speech: float
    """Probability that nobody speaks."""
    was_cut: bool = False
    """Whether it might have gone on, had it been allowed to."""

    @property
    def is_looping(self) -> bool:
        """Whether the text repeats itself so much that the model may have been in a loop."""
        raw = self.text.encode()
        return len(raw) > _COMPRESSION * len(zlib.compress(raw))

    @property
    def is_unlikely(self) -> bool:
        """Whether the model itself doubted it."""
        return self.log_probability < _LOG_PROBABILITY

    @property
    def is_silence(self) -> bool:
        """Whether the model heard nobody and doubted what it wrote all the same."""
        return self.no_speech > _NO_SPEECH and self.is_unlikely

    @property
    def is_believed(self) -> bool:
        """Whether it passes the reference's thresholds."""
        return not (self.is_looping or self.is_unlikely)

    @property
    def is_said_again(self) -> bool:
        """Whether it repeats itself as people do: without doubt, and to an end of its own.

        A model in a loop writes as much as it may. The reference would try higher temperatures
        until chance gives something that does not repeat itself, and then believe that.
        """
        return self.is_looping and not self.was_cut and self.log_probability > _SURE

    @property
    def is_believed_of_short_context(self) -> bool:
        """Whether it also has none of the loops that short contexts lead to: the end, again."""
        return self.is_believed and not self.was_cut and not repeats_its_end(self.text)


@dataclass(frozen=True)
class Span:
    """A stretch of tokens between two times."""

    start_s: float
    """When it begins."""
    end_s: float
    """When it ends."""
    tokens: Sequence[int]
    """Its words, without times."""
    words: tuple[Word, ...] = ()
    """Its words with their times, once they have been aligned."""


def best(attempts: Sequence[Attempt]) -> Attempt:
    """The one to go with, of attempts with rising temperature; as the reference chooses."""
    last = attempts[-1]
    if last.is_believed or last.is_silence:
        return last
    calm = [attempt for attempt in attempts if not attempt.is_looping]
    return max(calm or attempts, key=lambda attempt: attempt.log_probability)


def spans(
    tokens: Sequence[int], first_time: int, audio_s: float, *, lead_s: float = 0.0
) -> list[Span]:
    """Tokens divided at the times among them; nothing is left out.

    The reference leaves out what follows the last time and looks at its audio again. Here no job
    is longer than the model's window, so that the words are whole without.

    Args:
        tokens: what was written.
        first_time: the token for 0 s; all greater ones are times.
        audio_s: length of the audio in seconds; the model may point beyond it.
        lead_s: length of the silence that the model was given before it, in seconds.
    """
    found: list[Span] = []
    start_s, words = 0.0, []
    for token in tokens:
        if token < first_time:
            words.append(token)
            continue
        at_s = min(max(0.0, (token - first_time) * _TICK_S - lead_s), audio_s)
        if words:
            found.append(Span(start_s, at_s, words))
        start_s, words = at_s, []
    if words:
        found.append(Span(start_s, audio_s, words))
    return found


def segments(
    attempt: Attempt, parts: Sequence[tuple[Span, str]], audio_s: float
) -> tuple[Segment, ...]:
    """The segments worth keeping, of spans and their texts; none if nothing was said.

    Args:
        attempt: what the spans are of.
        parts: spans in order, each with its text.
        audio_s: length of the audio in seconds.
    """
    # A threshold may still fail at the last temperature. People do repeat themselves, so what
    # repeats and is likely is left to `plausibility`, which knows how much voice there was.
    if attempt.is_unlikely and (attempt.is_looping or attempt.no_speech > _NO_SPEECH):
        return ()
    confidence = min(1.0, math.exp(attempt.log_probability))
    return tuple(
        Segment(
            start_s=min(span.start_s, audio_s),
            end_s=min(span.end_s, audio_s),
            text=text,
            confidence=confidence,
            words=tuple(_within(word, audio_s) for word in span.words),
            repetitive=attempt.is_looping,
        )
        for span, text in parts
        if text.strip() and span.end_s > span.start_s
    )


def _within(word: Word, audio_s: float) -> Word:
    return replace(word, start_s=min(word.start_s, audio_s), end_s=min(word.end_s, audio_s))
