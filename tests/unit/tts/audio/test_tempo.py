"""Faster, slower, higher and lower: in the time that was asked for, and at the right moment."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from voicemesh_tts.audio.pitch import PitchShifter
from voicemesh_tts.audio.tempo import Tempo, hastened
from voicemesh_tts.ports import Samples

pytestmark = pytest.mark.unit

STEP_S = 0.01


def envelope(samples: Samples, rate: int) -> NDArray[np.float32]:
    """Loudness of every hundredth of a second."""
    size = round(STEP_S * rate)
    rows = samples[: len(samples) // size * size].reshape(-1, size)
    loudness: NDArray[np.float32] = np.sqrt((rows**2).mean(axis=1))
    return loudness


def likeness(first: NDArray[np.float32], second: NDArray[np.float32]) -> tuple[float, float]:
    """How alike two envelopes are at best, and how much later the second is then, in seconds."""
    first, second = first - first.mean(), second - second.mean()
    crossed = np.correlate(second, first, "full")
    best = float(crossed.max() / np.sqrt((first**2).sum() * (second**2).sum()))
    return best, (int(crossed.argmax()) - (len(first) - 1)) * STEP_S


def median_pitch_hertz(samples: Samples, rate: int) -> float:
    """The pitch of speech by autocorrelation, over the stretches that have one."""
    size, found = rate // 20, []
    for start in range(0, len(samples) - 2 * size, size):
        part = samples[start : start + 2 * size]
        crossed = np.correlate(part, part, "full")[len(part) - 1 :]
        shortest, longest = rate // 500, rate // 50
        period = shortest + int(crossed[shortest:longest].argmax())
        if crossed[0] > 0.5 and crossed[period] > 0.5 * crossed[0]:
            found.append(rate / period)
    assert len(found) > 5
    return float(np.median(found))


def in_pieces(shifter: PitchShifter, sound: Samples, size: int) -> Samples:
    parts = [shifter.push(sound[at : at + size]) for at in range(0, len(sound), size)]
    return np.concatenate([*parts, shifter.finish()])


@pytest.mark.parametrize("factor", [0.1, 0.25, 0.5, 0.8, 1.25, 2.0, 4.0])
def test_speech_takes_the_time_that_was_asked_for(talk: Samples, rate: int, factor: float) -> None:
    made = hastened(talk, rate, factor)

    assert len(made) == round(len(talk) / factor)
    assert np.isfinite(made).all()


@pytest.mark.parametrize("factor", [0.5, 0.8, 1.5, 2.0])
def test_every_moment_is_where_the_factor_puts_it(talk: Samples, rate: int, factor: float) -> None:
    made = envelope(hastened(talk, rate, factor), rate)
    own = envelope(talk, rate)
    expected = np.interp(np.arange(len(made)) * factor, np.arange(len(own)), own)

    alike, late_s = likeness(expected.astype(np.float32), made)

    assert alike > 0.9
    assert abs(late_s) <= 0.01


def test_hastened_speech_keeps_its_pitch(talk: Samples, rate: int) -> None:
    made = hastened(talk, rate, 1.5)

    assert median_pitch_hertz(made, rate) == pytest.approx(median_pitch_hertz(talk, rate), rel=0.05)


@pytest.mark.parametrize("seconds", [0.0, 0.001, 0.09])
def test_sound_too_short_to_compare_is_left_alone(
    tone: Callable[..., Samples], rate: int, seconds: float
) -> None:
    assert len(hastened(tone(seconds), rate, 2.0)) == len(tone(seconds))


def test_a_long_sound_comes_out_while_it_goes_in(talk: Samples, rate: int) -> None:
    tempo = Tempo(rate, 2.0)

    assert len(tempo.push(talk[:rate])) > 0.4 * rate


@pytest.mark.parametrize("semitones", [-20.0, -12.0, -3.0, -0.5, 0.5, 3.0, 12.0, 20.0])
def test_pitch_takes_no_time_and_moves_no_moment(
    talk: Samples, rate: int, semitones: float
) -> None:
    made = in_pieces(PitchShifter(rate, semitones), talk, rate // 3)

    alike, late_s = likeness(envelope(talk, rate), envelope(made, rate))
    assert len(made) == len(talk)
    assert alike > 0.85
    assert abs(late_s) <= 0.02
    assert made[-1] == 0
    assert abs(made[0]) < 0.01


@pytest.mark.parametrize("semitones", [-7.0, -2.0, 2.0, 7.0])
def test_a_voice_is_as_much_higher_as_was_asked_for(
    talk: Samples, rate: int, semitones: float
) -> None:
    made = in_pieces(PitchShifter(rate, semitones), talk, rate)

    ratio = median_pitch_hertz(made, rate) / median_pitch_hertz(talk, rate)
    assert ratio == pytest.approx(2 ** (semitones / 12), rel=0.04)


def test_no_change_of_pitch_is_no_change_at_all(talk: Samples, rate: int) -> None:
    np.testing.assert_array_equal(in_pieces(PitchShifter(rate, 0.0), talk, 5_000), talk)


@pytest.mark.parametrize("count", [0, 1, 50, 1_000])
def test_the_shortest_sounds_keep_their_length(count: int, rate: int) -> None:
    shifter = PitchShifter(rate, 5.0)

    assert len(in_pieces(shifter, np.full(count, 0.1, np.float32), 100)) == count


def test_one_sound_leaves_nothing_for_the_next(talk: Samples, rate: int) -> None:
    shifter = PitchShifter(rate, 5.0)
    first = in_pieces(shifter, talk[:rate], 4_000)

    np.testing.assert_array_equal(in_pieces(shifter, talk[:rate], 4_000), first)
