"""Recordings that voices can and cannot be made of, judged by the real detector of speech."""

from __future__ import annotations

import numpy as np
import pytest

from voicemesh_tts.cloning.recording import check_length, check_sound
from voicemesh_tts.errors import RecordingError
from voicemesh_tts.ports import REFERENCE_RATE_HERTZ, Samples, SpeechDetector

pytestmark = pytest.mark.unit

SECOND = REFERENCE_RATE_HERTZ


def refused(samples: Samples, detector: SpeechDetector) -> str:
    with pytest.raises(RecordingError) as raised:
        check_sound(samples, detector.speech(samples))
    assert raised.value.field == "reference_audio"
    return raised.value.message


def noise(seconds: float, level: float) -> Samples:
    rng = np.random.default_rng(1)
    made: Samples = (level * rng.standard_normal(round(seconds * SECOND))).astype(np.float32)
    return made


def tone(seconds: float) -> Samples:
    places = np.arange(round(seconds * SECOND))
    made: Samples = (0.3 * np.sin(places * (2 * np.pi * 220 / SECOND))).astype(np.float32)
    return made


def test_somebody_speaking_is_taken_loud_or_soft(
    speaking: Samples, detector: SpeechDetector
) -> None:
    for gain in (1.0, 0.1, 1 / np.abs(speaking).max()):
        sound = (speaking * np.float32(gain)).astype(np.float32)
        check_sound(sound, detector.speech(sound))


@pytest.mark.parametrize("seconds", [0.0, 1.0, 5.8])
def test_too_short(seconds: float) -> None:
    with pytest.raises(RecordingError, match=f"is {seconds:.1f} s long"):
        check_length(np.zeros(round(seconds * SECOND), np.float32))


def test_too_long() -> None:
    with pytest.raises(RecordingError, match="longer than 30 s"):
        check_length(np.zeros(31 * SECOND, np.float32))


@pytest.mark.parametrize("seconds", [5.95, 6.0, 30.0, 30.05])
def test_six_to_thirty_seconds_are_taken_as_encoders_leave_them(seconds: float) -> None:
    check_length(np.zeros(round(seconds * SECOND), np.float32))


def test_silence(detector: SpeechDetector) -> None:
    assert "is silent" in refused(np.zeros(8 * SECOND, np.float32), detector)
    assert "is silent" in refused(noise(8, 0.0005), detector)


def test_noise_and_tones_are_no_speech(detector: SpeechDetector) -> None:
    assert "has speech in only" in refused(noise(8, 0.1), detector)
    assert "has speech in only" in refused(tone(8), detector)


def test_a_few_words_in_a_long_silence(speaking: Samples, detector: SpeechDetector) -> None:
    sound = np.concatenate([speaking[: 2 * SECOND], noise(8, 0.002)])

    assert "has speech in only" in refused(sound, detector)


def test_speech_that_is_too_soft(speaking: Samples) -> None:
    soft = speaking * np.float32(0.02)

    with pytest.raises(RecordingError, match=r"too soft \(-\d\d dBFS\)"):
        check_sound(soft, np.abs(speaking) > 0.01)


@pytest.mark.parametrize("softer", [1.0, 0.5])
def test_speech_that_was_recorded_too_loud(
    speaking: Samples, detector: SpeechDetector, softer: float
) -> None:
    clipped = np.clip(speaking * 8, -1.0, 1.0).astype(np.float32) * np.float32(softer)

    assert "recorded too loud" in refused(clipped, detector)
