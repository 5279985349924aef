"""When words are said to be spoken."""

from __future__ import annotations

import numpy as np
import pytest

from voicemesh_tts.domain import WordTime
from voicemesh_tts.engines.phonemiser import NO_WORD
from voicemesh_tts.engines.piper.spelling import Run
from voicemesh_tts.engines.piper.timing import RunClock

pytestmark = pytest.mark.unit

RUN = Run(
    ids=(1, 0, 7, 0, 3, 0, 8, 0, 2), words=(NO_WORD, NO_WORD, 4, 4, NO_WORD, NO_WORD, 5, 5, -1)
)
LENGTHS = np.array([10, 10, 30, 20, 5, 5, 40, 10, 20])


def test_a_word_lasts_from_its_first_phoneme_to_its_last() -> None:
    clock = RunClock(RUN, LENGTHS, before=100, rate=100.0)

    assert clock.until(200) == (WordTime(4, 1.2, 1.7), WordTime(5, 1.8, 2.3))


def test_a_word_is_told_once_with_the_piece_it_ends_in() -> None:
    clock = RunClock(RUN, LENGTHS, before=0, rate=100.0)

    told = [[time.index for time in clock.until(made)] for made in (69, 70, 129, 150)]

    assert told == [[], [4], [], [5]]


def test_no_lengths_no_times() -> None:
    assert RunClock(RUN, None, before=0, rate=100.0).until(10_000) == ()
