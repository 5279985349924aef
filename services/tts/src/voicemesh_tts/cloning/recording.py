"""Whether a voice can be made of a recording: length, level, clipping and speech.

A clone copies what it hears: noise, room and distortion too. So a recording that would give a bad
voice is refused with what to do about it, rather than turned into one. Pure.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from voicemesh_tts.errors import RecordingError
from voicemesh_tts.ports import REFERENCE_RATE_HERTZ

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from voicemesh_tts.ports import Samples

__all__ = ("LONGEST_S", "SHORTEST_S", "check_length", "check_sound")

SHORTEST_S = 6.0
"""Least length of a recording, in seconds."""

LONGEST_S = 30.0
"""Greatest length of a recording, in seconds."""

_SLACK_S = 0.1
"""By how much encoders lengthen or shorten a recording, in seconds."""
_SILENT_DB = -60.0
_SOFT_DB = -45.0
_LEAST_SPEECH = 0.5
"""Share of the recording that must be speech."""
_TOP = 0.985
"""Share of the highest peak that counts as flat; it may have been made softer after clipping."""
_CLIPPED_RUN = 3
_MOST_CLIPPED = 0.002
"""Share of samples of speech that may lie in runs at the top; without clipping it is a tenth."""
_FIELD = "reference_audio"


@dataclass(frozen=True)
class _Fault:
    """What is wrong, and how to mend it."""

    what: str
    how: str

    def error(self) -> RecordingError:
        return RecordingError(f"{_FIELD} {self.what}; {self.how}", field=_FIELD)


def check_length(samples: Samples) -> None:
    """Refuses what is too short or too long.

    Args:
        samples: float32 [samples] at `REFERENCE_RATE_HERTZ`.

    Raises:
        RecordingError: saying which.
    """
    length_s = len(samples) / REFERENCE_RATE_HERTZ
    if length_s < SHORTEST_S - _SLACK_S:
        what = f"is {length_s:.1f} s long"
        raise _Fault(what, f"send {SHORTEST_S:g} to {LONGEST_S:g} s of speech").error()
    if length_s > LONGEST_S + _SLACK_S:
        what = f"is longer than {LONGEST_S:g} s"
        raise _Fault(what, "send the clearest part of it").error()


def check_sound(samples: Samples, is_speech: NDArray[np.bool_]) -> None:
    """Refuses what is silent, has little speech, or is too soft or distorted.

    Args:
        samples: float32 [samples].
        is_speech: bool [samples], where somebody speaks.

    Raises:
        RecordingError: saying what is wrong and how to mend it.
    """
    fault = _fault(samples, is_speech)
    if fault is not None:
        raise fault.error()


def _fault(samples: Samples, is_speech: NDArray[np.bool_]) -> _Fault | None:
    if _level_db(samples) < _SILENT_DB:
        return _Fault("is silent", "check the microphone and record again")
    share = float(np.mean(is_speech))
    if share < _LEAST_SPEECH:
        what = f"has speech in only {share:.0%} of its time"
        return _Fault(what, "send one person speaking without long pauses, music or noise")
    speech = samples[is_speech]
    level_db = _level_db(speech)
    if level_db < _SOFT_DB:
        return _Fault(f"is too soft ({level_db:.0f} dBFS)", "record closer to the microphone")
    if _clipped_share(speech) > _MOST_CLIPPED:
        return _Fault("is distorted: it was recorded too loud", "record again with less gain")
    return None


def _level_db(samples: Samples) -> float:
    power = float(np.mean(np.square(samples, dtype=np.float64))) if len(samples) else 0.0
    return 10.0 * math.log10(power) if power > 0 else -math.inf


def _clipped_share(samples: Samples) -> float:
    """Share of the samples that lie in runs near the highest peak."""
    level = np.abs(samples)
    top = level >= _TOP * level.max(initial=0.0)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], top, [False]]).astype(np.int8)))
    runs = edges[1::2] - edges[::2]
    return float(runs[runs >= _CLIPPED_RUN].sum()) / max(1, len(samples))
