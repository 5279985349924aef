"""Words that the audio cannot hold: what is left of Whisper's inventions on noise.

The engine's own thresholds (no speech, log probability, compression ratio) judge how the model
felt about the words. These rules look at what they do not: how much voice there was. The list of
phrases that Whisper learned from subtitles is deliberately absent, since people do say them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from voicemesh_stt.domain import Segment

__all__ = ("plausible", "repeats_its_end")

_FASTEST_WORDS_PER_S = 8.0
"""Twice the speed of quick speech; auctioneers reach about six words a second."""
_REPEATED_WORDS_PER_S = 4.5
"""Where the text repeats itself: people who do, speak; a model in a loop writes as much as it may,
which is eight tokens for each second of audio."""
_FREE_WORDS = 3
_LEAST_SHARE = 0.05
"""Share of voice in the audio below which words are taken for invented."""
_MOST_REPEATS = 6
_LEAST_REPEATED = 3
"""Words of a phrase that people seldom say twice in a row, and a model in a loop does."""
_WORD = re.compile(r"\w+")


def plausible(
    segments: Iterable[Segment], *, voiced_s: float, audio_s: float
) -> tuple[Segment, ...]:
    """The segments, without those that cannot have been said.

    Args:
        segments: what the engine heard, in order.
        voiced_s: how much of the audio was voiced, in seconds.
        audio_s: length of the audio in seconds.
    """
    kept = tuple(segment for segment in segments if not _repeats(segment.text))
    words = sum(len(_WORD.findall(segment.text)) for segment in kept)
    if words == 0 or voiced_s < _LEAST_SHARE * audio_s:
        return ()
    repetitive = any(segment.repetitive for segment in kept)
    fastest = _REPEATED_WORDS_PER_S if repetitive else _FASTEST_WORDS_PER_S
    if words > _FREE_WORDS + fastest * voiced_s:
        return ()
    return kept


def repeats_its_end(text: str) -> bool:
    """Whether the text ends with a phrase of three words or more said twice in a row.

    That is how the loops of a short audio context begin. People do say things twice, so it is a
    reason to look again, not one to drop the words.
    """
    words = [word.casefold() for word in _WORD.findall(text)]
    return any(
        words[-size:] == words[-2 * size : -size]
        for size in range(_LEAST_REPEATED, len(words) // 2 + 1)
    )


def _repeats(text: str) -> bool:
    """Whether a phrase of one to four words is said over and over until the end."""
    words = [word.casefold() for word in _WORD.findall(text)]
    for size in range(1, 5):
        phrase = words[-size:]
        times = 1
        while words[-size * (times + 1) : len(words) - size * times] == phrase and phrase:
            times += 1
        if times > _MOST_REPEATS:
            return True
    return False
