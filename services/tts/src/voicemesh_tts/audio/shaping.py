"""The form of a sound: edges faded to zero, volume with a soft limit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from voicemesh_tts.ports import Piece, Samples

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ("FADE_S", "amplified", "ended", "faded")

FADE_S = 0.004
"""Length of a fade, in seconds: too short to hear as such, long enough not to click."""

_KNEE = 0.8


def faded(
    pieces: Iterator[Piece], sample_rate_hertz: int, *, gain_db: float = 0.0
) -> Iterator[Piece]:
    """The same sound, beginning and ending at zero, with the gain of the voice.

    Holds back a few milliseconds of every piece but the last, which may turn out to be the end.
    Words stay with their piece and keep their times.

    Args:
        pieces: of one utterance.
        sample_rate_hertz: their rate.
        gain_db: from `VoiceLevels`, in decibels.
    """
    length = max(1, round(FADE_S * sample_rate_hertz))
    gain = np.float32(10.0 ** (gain_db / 20.0))
    held: Samples = np.zeros(0, np.float32)
    begun = False
    for piece in pieces:
        sound = np.concatenate([held, piece.samples * gain])
        if len(sound) and not begun:
            sound = _begun(sound, length)
            begun = True
        if piece.last:
            yield Piece(_ended(sound, length), last=True, words=piece.words)
            return
        split = max(0, len(sound) - length)
        held = sound[split:]
        yield Piece(sound[:split], last=False, words=piece.words)
    if begun:
        yield Piece(_ended(held, length), last=True)


def ended(sound: Samples, sample_rate_hertz: int) -> Samples:
    """The same sound, ending at zero."""
    return _ended(sound, max(1, round(FADE_S * sample_rate_hertz)))


def _begun(sound: Samples, length: int) -> Samples:
    count = min(length, len(sound))
    ramp = np.ones(len(sound), np.float32)
    ramp[:count] = np.linspace(0.0, 1.0, count, dtype=np.float32)
    return sound * ramp


def _ended(sound: Samples, length: int) -> Samples:
    return _begun(sound[::-1], length)[::-1]


def amplified(samples: Samples, gain_db: float) -> Samples:
    """The sound louder or softer by `gain_db`, bent rather than cut off where it would clip.

    Up to 0.8 of full scale it is linear; from there on it nears full scale without reaching it.
    Each sample is treated by itself, so pieces join as they did before.
    """
    scaled = samples * np.float32(10.0 ** (gain_db / 20.0))
    over = np.abs(scaled) > _KNEE
    if over.any():
        beyond = (np.abs(scaled[over]) - _KNEE) / (1.0 - _KNEE)
        scaled[over] = np.sign(scaled[over]) * (_KNEE + (1.0 - _KNEE) * np.tanh(beyond))
    return scaled
