"""From a run of the network to what is heard: at the rate that is wanted, with the words' times."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from voicemesh_tts.audio.tempo import hastened
from voicemesh_tts.domain import WordTime
from voicemesh_tts.engines.kokoro.network import SAMPLE_RATE_HERTZ, Sound
from voicemesh_tts.engines.phonemiser import NO_WORD

if TYPE_CHECKING:
    from voicemesh_tts.engines.kokoro.respelling import Sounds
    from voicemesh_tts.ports import Samples

__all__ = ("Heard", "Pace", "heard")

_SLOWEST, _FASTEST = 0.5, 1.25
"""What is left to the network: no symbol lasts less than a frame, so more haste swallows sounds."""

_BEFORE_S = 0.03
_AFTER_S = 0.12
_AFTER_SENTENCE_S = 0.3
"""Silence that is kept, in seconds. The network makes 0.3 s before and up to 0.7 s behind."""

_AUDIBLE = 0.01
"""Share of the loudest sample."""

_SENTENCE_ENDS = frozenset(".!?…")


@dataclass(frozen=True)
class Pace:
    """How a speaking rate is made."""

    speed: float
    """What the network is asked for."""

    tempo: float
    """How much faster its sound is made."""

    @classmethod
    def of(cls, rate: float, *, takes_speed: bool) -> Pace:
        """The pace of a rate, by a network that can vary its own speed or not."""
        speed = min(max(rate, _SLOWEST), _FASTEST) if takes_speed else 1.0
        return cls(speed, rate / speed)


@dataclass(frozen=True)
class Heard:
    """The sound of a run."""

    samples: Samples
    """At `SAMPLE_RATE_HERTZ`."""

    words: tuple[WordTime, ...]
    """When each of its words is spoken, from its first sample; none if that is not known."""


def heard(sound: Sound, sounds: Sounds, pace: Pace) -> Heard:
    """What is heard of a run.

    Args:
        sound: what the network made.
        sounds: the symbols that it was given.
        pace: the speed that it was asked for, and the rest of the rate.
    """
    samples = sound.samples
    audible = np.flatnonzero(np.abs(samples) > _AUDIBLE * np.abs(samples).max(initial=0.0))
    if not len(audible):
        return Heard(np.zeros(0, np.float32), ())
    onset, end = int(audible[0]), int(audible[-1]) + 1
    last = next((symbol for symbol, _ in reversed(sounds) if symbol != " "), "")
    after_s = _AFTER_SENTENCE_S if last in _SENTENCE_ENDS else _AFTER_S
    start = max(0, onset - _samples(_BEFORE_S / pace.speed))
    stop = min(len(samples), end + _samples(after_s / pace.speed))
    words = _times(sound, sounds, onset, end)
    second = SAMPLE_RATE_HERTZ * pace.tempo
    return Heard(
        hastened(samples[start:stop], SAMPLE_RATE_HERTZ, pace.tempo),
        tuple(
            WordTime(word, (begins - start) / second, (ends - start) / second)
            for word, (begins, ends) in words.items()
        ),
    )


def _times(sound: Sound, sounds: Sounds, onset: int, end: int) -> dict[int, tuple[int, int]]:
    """For each word its first and its last sample, within what is audible."""
    found: dict[int, tuple[int, int]] = {}
    if sound.lengths is None:
        return found
    bounds = np.cumsum(sound.lengths)
    for place, (_, word) in enumerate(sounds):
        if word != NO_WORD:
            begins, ends = (min(max(int(bounds[place + at]), onset), end) for at in (0, 1))
            found[word] = (found[word][0] if word in found else begins, ends)
    return found


def _samples(seconds: float) -> int:
    return round(seconds * SAMPLE_RATE_HERTZ)
