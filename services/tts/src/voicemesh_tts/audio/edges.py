"""Where the sound of a clause begins and ends: no long silence, no click.

Engines begin with silence, which is felt as latency, and end with a pause as after a sentence, also
if the clause was cut within one.
"""

from __future__ import annotations

import math
import unicodedata
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from voicemesh_tts.audio.shaping import faded
from voicemesh_tts.ports import Piece, Samples

if TYPE_CHECKING:
    from collections.abc import Iterator

    from voicemesh_tts.domain import Utterance, WordTime

__all__ = ("edged", "longest_tail_s")

_SILENT = 0.003
"""Samples below this count as silence: -50 dB of full scale."""

_LEAD_S = 0.03
"""Silence left before the first sound; soft consonants begin below `_SILENT`."""

_TAIL_S = 0.4
_TAIL_WITHIN_SENTENCE_S = 0.2
_TAIL_WITHIN_PHRASE_S = 0.05

_SENTENCE_ENDS = frozenset(".!?\u2026\u3002\uff01\uff1f\uff0e\u061f\u06d4\u0964\u0965")


def longest_tail_s(utterance: Utterance) -> float:
    """The longest silence that may follow an utterance, in seconds, by the mark that ends it."""
    text = utterance.words[-1].text if utterance.words else ""
    marks = text[len(text.rstrip(_marks_of(text))) :]
    if not marks:
        return _TAIL_WITHIN_PHRASE_S
    return _TAIL_S if _SENTENCE_ENDS & set(marks) else _TAIL_WITHIN_SENTENCE_S


def _marks_of(text: str) -> str:
    return "".join({char for char in text if unicodedata.category(char).startswith("P")})


def edged(
    pieces: Iterator[Piece], utterance: Utterance, sample_rate_hertz: int, *, gain_db: float = 0.0
) -> Iterator[Piece]:
    """The sound of an utterance without needless silence around it, beginning and ending at zero.

    Silence is held back until sound follows it, the rest only for some milliseconds. Times of words
    count from the sample that comes first now.

    Args:
        pieces: from the engine.
        utterance: what it says.
        sample_rate_hertz: of the sound.
        gain_db: of the voice, from `VoiceLevels`.
    """
    silent = _SILENT / 10.0 ** (gain_db / 20.0)
    trimmed = _trimmed(pieces, sample_rate_hertz, silent, longest_tail_s(utterance))
    return faded(trimmed, sample_rate_hertz, gain_db=gain_db)


def _trimmed(
    pieces: Iterator[Piece], sample_rate_hertz: int, silent: float, tail_s: float
) -> Iterator[Piece]:
    lead, tail = (round(length_s * sample_rate_hertz) for length_s in (_LEAD_S, tail_s))
    held: Samples = np.zeros(0, np.float32)
    words: tuple[WordTime, ...] = ()
    begun, skipped_s, given = False, 0.0, 0
    for piece in pieces:
        sound = np.concatenate([held, piece.samples])
        words += piece.words
        loud = np.flatnonzero(np.abs(piece.samples) > silent) + len(held)
        if len(loud) and not begun:
            start = max(0, int(loud[0]) - lead)
            begun, skipped_s = True, start / sample_rate_hertz
            sound, loud = sound[start:], loud - start
        end = int(loud[-1]) + 1 if len(loud) else 0
        sound, held = sound[:end], sound[end:]
        if piece.last:
            break
        if begun:
            given += len(sound)
            yield Piece(sound, False, _moved(words, skipped_s))
            words = ()
    else:
        if not len(held):
            return
        sound = held[:0]
    # What is nothing but silence stays as it is: a voice may be quieter than others.
    sound = np.concatenate([sound, held[:tail] if begun else held])
    length_s = (given + len(sound)) / sample_rate_hertz
    yield Piece(sound, True, _moved(words, skipped_s, length_s))


def _moved(
    words: tuple[WordTime, ...], earlier_s: float, length_s: float = math.inf
) -> tuple[WordTime, ...]:
    return tuple(
        replace(
            word,
            start_s=min(length_s, max(0.0, word.start_s - earlier_s)),
            end_s=min(length_s, max(0.0, word.end_s - earlier_s)),
        )
        for word in words
    )
