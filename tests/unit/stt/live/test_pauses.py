"""How long a pause of a live stream may be: the words and the sound of a turn decide."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from voicemesh_stt.events import Final, SoftFinal, TurnResumed
from voicemesh_stt.ports import Samples

if TYPE_CHECKING:
    from tests.unit.stt.live.conftest import MakeBench

pytestmark = pytest.mark.unit

SPEECH = b"v" * 40
PAUSE = b"." * 40


async def test_a_pause_inside_a_sentence_is_taken_back(bench: MakeBench) -> None:
    made = bench()

    events = await made.events(SPEECH, b"." * 10, 0.05, SPEECH, PAUSE)

    assert made.names == ["SpeechStarted", "SoftFinal", "TurnResumed", "SoftFinal", "Final"]
    assert events[-1].revision == 2
    assert sum(isinstance(event, Final) for event in events) == 1


async def test_a_resumed_turn_is_told_only_if_its_soft_final_was(bench: MakeBench) -> None:
    gate = asyncio.Event()
    made = bench(gate=gate)
    asyncio.get_running_loop().call_later(0.05, gate.set)

    events = await made.events(SPEECH, b"." * 5, SPEECH, PAUSE)

    assert not any(isinstance(event, TurnResumed) for event in events)
    assert made.names == ["SpeechStarted", "SoftFinal", "Final"]


@pytest.mark.parametrize(
    ("text", "pause", "finals"),
    [
        ("Is it time?", 15, 2),  # 480 ms
        ("It is time.", 15, 1),
        ("It is time.", 24, 2),  # 768 ms
        ("It is the", 24, 1),
        ("It is the", 50, 2),  # 1600 ms
    ],
)
async def test_words_decide_how_long_a_pause_may_be_however_fast_the_audio_comes(
    bench: MakeBench, text: str, pause: int, finals: int
) -> None:
    made = bench(say=lambda _job, _number: text)

    events = await made.events(SPEECH, b"." * pause, SPEECH, PAUSE)

    assert sum(isinstance(event, Final) for event in events) == finals


@dataclass
class Ear:
    """An `EndOfTurnModel` that always hears the same, and remembers what it was given."""

    says: float
    heard_s: list[float] = field(default_factory=list)

    def probability(self, audio: Samples) -> float:
        self.heard_s.append(len(audio) / 16_000)
        return self.says


@pytest.mark.parametrize(
    ("says", "text", "pause", "finals"),
    [
        (0.9, "It is time.", 12, 1),  # 384 ms
        (0.9, "It is time.", 15, 2),  # 480 ms
        (0.3, "Is it time?", 15, 1),
        (0.3, "It is time.", 24, 2),  # 768 ms
        (0.1, "It is time.", 24, 1),
        (0.1, "It is time.", 50, 2),  # 1600 ms
        (0.9, "It is the", 24, 1),  # the words are unfinished
    ],
)
async def test_the_sound_decides_how_long_a_pause_may_be(
    bench: MakeBench, says: float, text: str, pause: int, finals: int
) -> None:
    made = bench(say=lambda _job, _number: text, end_of_turn=Ear(says))

    events = await made.events(SPEECH, b"." * pause, SPEECH, PAUSE)

    assert sum(isinstance(event, Final) for event in events) == finals
    soft = [event for event in events if isinstance(event, SoftFinal)]
    assert {event.end_of_turn_probability for event in soft} == {says}


async def test_the_sound_is_the_last_seconds_of_the_turn_up_to_the_soft_stop(
    bench: MakeBench,
) -> None:
    ear = Ear(0.9)

    await bench(end_of_turn=ear).events(SPEECH, PAUSE, b"v" * 400, PAUSE)

    assert ear.heard_s == [pytest.approx(43 * 0.032), pytest.approx(8.0)]
