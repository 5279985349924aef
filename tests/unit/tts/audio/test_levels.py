"""Every voice as loud as the others, and what it says as loud or quiet as it says it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from voicemesh_tts.audio.levels import VoiceLevels
from voicemesh_tts.audio.loudness import SILENCE_LUFS, loudness_lufs
from voicemesh_tts.audio.shaping import faded
from voicemesh_tts.domain import Utterance, Voice
from voicemesh_tts.errors import UnpronounceableTextError
from voicemesh_tts.ports import Piece, Samples

pytestmark = pytest.mark.unit

RATE = 22_050


class Reader:
    """An engine that says everything with the same recording."""

    name = "reader"

    def __init__(self, sound: Samples, error: Exception | None = None) -> None:
        self.sound = sound
        self.error = error
        self.asked: list[Utterance] = []

    def speak(self, utterance: Utterance) -> Iterator[Piece]:
        self.asked.append(utterance)
        if self.error is not None:
            raise self.error
        middle = len(self.sound) // 2
        yield Piece(self.sound[:middle], last=False)
        yield Piece(self.sound[middle:], last=True)


def voice(language: str = "en-US") -> Voice:
    return Voice("reader:a", "A", (language,) if language else (), RATE)


def sine(level: float, rate: int, seconds: float = 3.0) -> Samples:
    count = round(seconds * rate)
    wave = level * np.sin(np.arange(count) * (2 * np.pi * 997 / rate))
    samples: Samples = wave.astype(np.float32)
    return samples


@pytest.mark.parametrize("rate", [8_000, 16_000, 22_050, 24_000, 44_100, 48_000])
def test_the_standard_tone_has_the_standard_loudness(rate: int) -> None:
    # ITU-R BS.1770-4: a sine of 997 Hz at full scale in one channel reads -3.01 LUFS.
    assert loudness_lufs(sine(1.0, rate), rate) == pytest.approx(-3.0, abs=0.15)
    assert loudness_lufs(sine(0.1, rate), rate) == pytest.approx(-23.0, abs=0.15)


def test_pauses_do_not_count(talk: Samples) -> None:
    pause = np.zeros(RATE, np.float32)
    with_pauses = np.concatenate([pause, talk, pause, pause, talk, pause])

    assert loudness_lufs(with_pauses, RATE) == pytest.approx(loudness_lufs(talk, RATE), abs=0.7)


@pytest.mark.parametrize("count", [0, 1, 1_000, 100_000])
def test_silence_has_the_least_loudness(count: int) -> None:
    assert loudness_lufs(np.zeros(count, np.float32), RATE) == SILENCE_LUFS


def test_a_sound_shorter_than_the_standard_window_has_its_loudness() -> None:
    assert loudness_lufs(sine(0.1, RATE, seconds=0.15), RATE) == pytest.approx(-23.0, abs=0.5)


@pytest.mark.parametrize("gain_db", [-18.0, 0.0, 12.0])
def test_a_loud_and_a_quiet_voice_come_out_alike(talk: Samples, gain_db: float) -> None:
    reader: Any = Reader(talk * np.float32(10 ** (gain_db / 20)))
    levels = VoiceLevels(-20.0)
    levels.measure(reader, voice())

    said = [Piece(reader.sound, last=True)]
    made = faded(iter(said), RATE, gain_db=levels.gain_db("reader:a"))
    sound = np.concatenate([piece.samples for piece in made])

    assert loudness_lufs(sound, RATE) == pytest.approx(-20.0, abs=0.2)


def test_a_quiet_word_of_a_voice_stays_quiet(talk: Samples) -> None:
    reader: Any = Reader(talk)
    levels = VoiceLevels(-20.0)
    levels.measure(reader, voice())
    gain = levels.gain_db("reader:a")

    reader.sound = talk * np.float32(0.1)
    levels.measure(reader, voice())

    assert levels.gain_db("reader:a") == gain
    assert len(reader.asked) == 1


@pytest.mark.parametrize(
    ("language", "expected"), [("en-GB", "The"), ("de", "Franz"), ("cy", "1,"), ("", "1,")]
)
def test_the_voice_says_something_in_its_language(
    talk: Samples, language: str, expected: str
) -> None:
    reader: Any = Reader(talk)
    VoiceLevels(-20.0).measure(reader, voice(language))

    (asked,) = reader.asked
    assert asked.words[0].text == expected
    assert (asked.voice, asked.language_code) == ("reader:a", language)


@pytest.mark.parametrize(
    ("sound", "error"),
    [
        (np.zeros(RATE, np.float32), None),
        (np.zeros(0, np.float32), None),
        (np.full(RATE, np.nan, np.float32), None),
        (np.zeros(0, np.float32), UnpronounceableTextError("not in this script", field="text")),
    ],
)
def test_a_voice_that_says_nothing_of_it_stays_as_it_is(
    sound: Samples, error: Exception | None
) -> None:
    reader: Any = Reader(sound, error)
    levels = VoiceLevels(-20.0)
    levels.measure(reader, voice())

    assert levels.gain_db("reader:a") == 0.0


def test_hardly_any_sound_is_not_blown_up(tone: Callable[..., Samples]) -> None:
    levels = VoiceLevels(-20.0)
    reader: Any = Reader(tone(2.0, level=0.001))
    levels.measure(reader, voice())

    assert levels.gain_db("reader:a") == 24.0


def test_a_forgotten_voice_is_measured_anew(talk: Samples) -> None:
    reader: Any = Reader(talk)
    levels = VoiceLevels(-20.0)
    levels.measure(reader, voice())
    levels.forget("reader:a")

    assert levels.gain_db("reader:a") == 0.0
    levels.measure(reader, voice())
    assert len(reader.asked) == 2


def test_without_a_target_no_voice_is_measured(talk: Samples) -> None:
    reader: Any = Reader(talk)
    levels = VoiceLevels(None)
    levels.measure(reader, voice())

    assert reader.asked == []
    assert levels.gain_db("reader:a") == 0.0
