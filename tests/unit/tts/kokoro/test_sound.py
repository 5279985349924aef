"""From what the network makes to what is heard."""

from __future__ import annotations

import numpy as np
import pytest

from voicemesh_tts.engines.kokoro.network import FRAME_SAMPLES, SAMPLE_RATE_HERTZ, Sound
from voicemesh_tts.engines.kokoro.sound import Pace, heard
from voicemesh_tts.engines.phonemiser import NO_WORD

pytestmark = pytest.mark.unit

FRAMES = [12, 4, 6, 2, 8, 16, 8]
"""Silence, "a", "b", a blank, "c", a full stop, silence."""
SOUNDS = [("a", 0), ("b", 0), (" ", NO_WORD), ("c", 1), (".", NO_WORD)]


def made(*, with_lengths: bool = True) -> Sound:
    """A tone wherever there is a letter."""
    lengths = np.array(FRAMES, np.int64) * FRAME_SAMPLES
    voiced = np.repeat([False, True, True, False, True, False, False], lengths)
    tone = 0.5 * np.sin(np.arange(lengths.sum()) * (2 * np.pi * 200 / SAMPLE_RATE_HERTZ))
    return Sound((tone * voiced).astype(np.float32), lengths if with_lengths else None)


def test_little_silence_is_kept_around_the_sound() -> None:
    found = heard(made(), SOUNDS, Pace(1.0, 1.0))

    audible = np.flatnonzero(np.abs(found.samples) > 0.01) / SAMPLE_RATE_HERTZ
    length_s = len(found.samples) / SAMPLE_RATE_HERTZ
    assert audible[0] == pytest.approx(0.03, abs=0.002)
    assert length_s - audible[-1] == pytest.approx(0.3, abs=0.002)


def test_less_silence_is_kept_where_no_sentence_ends() -> None:
    found = heard(made(), [*SOUNDS[:-1], (",", NO_WORD)], Pace(1.0, 1.0))

    audible = np.flatnonzero(np.abs(found.samples) > 0.01)
    assert (len(found.samples) - audible[-1]) / SAMPLE_RATE_HERTZ == pytest.approx(0.12, abs=0.002)


def test_words_are_spoken_when_the_network_says() -> None:
    found = heard(made(), SOUNDS, Pace(1.0, 1.0))

    first, second = found.words
    assert (first.index, second.index) == (0, 1)
    assert (first.start_s, first.end_s) == pytest.approx((0.03, 0.28), abs=0.002)
    assert (second.start_s, second.end_s) == pytest.approx((0.33, 0.53), abs=0.002)


@pytest.mark.parametrize("tempo", [0.5, 1.6, 3.2])
def test_words_keep_their_place_when_the_sound_is_hastened(tempo: float) -> None:
    plain, quick = (heard(made(), SOUNDS, Pace(1.0, factor)) for factor in (1.0, tempo))

    assert len(quick.samples) == pytest.approx(len(plain.samples) / tempo, rel=0.01)
    for word, hastened in zip(plain.words, quick.words, strict=True):
        assert hastened.start_s == pytest.approx(word.start_s / tempo)
        assert hastened.end_s == pytest.approx(word.end_s / tempo)


def test_without_lengths_there_are_no_times() -> None:
    found = heard(made(with_lengths=False), SOUNDS, Pace(1.0, 1.0))

    assert found.words == ()
    assert len(found.samples) == len(heard(made(), SOUNDS, Pace(1.0, 1.0)).samples)


def test_silence_is_nothing() -> None:
    lengths = np.array(FRAMES, np.int64) * FRAME_SAMPLES
    silent = Sound(np.zeros(int(lengths.sum()), np.float32), lengths)

    found = heard(silent, SOUNDS, Pace(1.0, 1.0))

    assert len(found.samples) == 0
    assert found.words == ()


@pytest.mark.parametrize("rate", [0.25, 0.5, 1.0, 1.25, 2.0, 4.0])
def test_network_and_tempo_together_make_the_rate(rate: float) -> None:
    shared, alone = (Pace.of(rate, takes_speed=takes) for takes in (True, False))

    assert shared.speed * shared.tempo == pytest.approx(rate)
    assert 0.5 <= shared.speed <= 1.25
    assert alone == Pace(1.0, rate)
