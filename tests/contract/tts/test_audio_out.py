"""What the listener hears of the real voice: its level, its pitch, and no silence but pauses."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from voicemesh.common.v1 import audio_pb2
from voicemesh.tts.v1 import text_to_speech_service_pb2 as pb
from voicemesh_tts.audio.loudness import loudness_lufs

pytestmark = [pytest.mark.contract, pytest.mark.asyncio(loop_scope="module")]

RATE = 22_050
FLOATS = audio_pb2.AudioFormat(encoding=audio_pb2.AUDIO_ENCODING_PCM_F32LE, sample_rate_hertz=RATE)
SENTENCES = (
    "Good evening, and welcome to the late news from the harbour. "
    "The boats came home before the storm, and nobody was hurt. "
    "Tomorrow the wind will turn, and the sun will come out again."
)

Samples = NDArray[np.float32]
Say = Callable[..., Awaitable[Any]]


async def spoken(stub: Any, text: str, **config: Any) -> Samples:
    request = pb.SynthesizeRequest(text=text, config=pb.SynthesisConfig(format=FLOATS, **config))
    return np.frombuffer((await stub.Synthesize(request, timeout=60)).audio, "<f4")


def median_pitch_hertz(samples: Samples) -> float:
    """The pitch of speech by autocorrelation, over the stretches that have one."""
    size, found = RATE // 20, []
    for start in range(0, len(samples) - 2 * size, size):
        part = samples[start : start + 2 * size]
        crossed = np.correlate(part, part, "full")[len(part) - 1 :]
        shortest, longest = RATE // 400, RATE // 50
        period = shortest + int(crossed[shortest:longest].argmax())
        if crossed[0] > 1.0 and crossed[period] > 0.5 * crossed[0]:
            found.append(RATE / period)
    assert len(found) > 20
    return float(np.median(found))


def silences_s(samples: Samples) -> list[tuple[float, float]]:
    """Begin and length of every stretch of a tenth of a second or more without a sound."""
    quiet = np.abs(samples) < 0.01
    edges = np.flatnonzero(np.diff(np.concatenate([[False], quiet, [False]]).astype(int)))
    stretches = zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)
    return [(start / RATE, (end - start) / RATE) for start, end in stretches if end - start > 2_205]


async def test_the_voice_is_as_loud_as_every_other_is_made(stub: Any) -> None:
    assert loudness_lufs(await spoken(stub, SENTENCES), RATE) == pytest.approx(-20.0, abs=2.5)


async def test_volume_is_counted_from_there(stub: Any) -> None:
    soft = await spoken(stub, SENTENCES, volume_gain_db=-12.0)

    assert loudness_lufs(soft, RATE) == pytest.approx(-32.0, abs=2.5)


@pytest.mark.parametrize("semitones", [-4.0, 4.0])
async def test_the_voice_is_higher_or_lower_and_still_understood(
    stub: Any, hear: Any, word_error_rate: Any, semitones: float
) -> None:
    own = await spoken(stub, SENTENCES)
    moved = await spoken(stub, SENTENCES, pitch_semitones=semitones)

    # The voice does not speak twice at the same pitch either: up to some percent lie between.
    ratio = median_pitch_hertz(moved) / median_pitch_hertz(own)
    assert ratio == pytest.approx(2 ** (semitones / 12), rel=0.12)
    # The voice does not take the same time twice, but the pitch takes none.
    assert len(moved) == pytest.approx(len(own), rel=0.1)
    assert word_error_rate(SENTENCES, hear(moved, RATE)) <= 0.1


async def test_the_first_sound_does_not_wait_for_silence(say: Say) -> None:
    talk = await say(pb.SynthesisConfig(format=FLOATS), SENTENCES)

    samples = np.frombuffer(talk.data, "<f4")
    assert int(np.flatnonzero(np.abs(samples) > 0.01)[0]) < 0.08 * RATE


async def test_there_is_a_pause_between_sentences_and_hardly_one_within_a_phrase(say: Say) -> None:
    text = (
        "the boats that came home before the storm had nothing to sell that morning. "
        "Nobody in the village was surprised."
    )
    talk = await say(pb.SynthesisConfig(format=FLOATS), text)

    samples = np.frombuffer(talk.data, "<f4")
    starts: dict[int, float] = {}
    for event in talk.audio:
        starts.setdefault(event.clause_index, event.start_offset.ToNanoseconds() / 1e9)
    within, between = starts[1], starts[2]

    def pause_s(place: float) -> float:
        around = [
            length
            for start, length in silences_s(samples)
            if start - 0.05 <= place <= start + length + 0.05
        ]
        return max(around, default=0.0)

    assert len(starts) == 3
    assert pause_s(within) < 0.2
    assert 0.15 < pause_s(between) < 0.7


async def test_nothing_is_louder_than_full_scale_however_loud_it_is_wanted(stub: Any) -> None:
    loud = await spoken(stub, SENTENCES, volume_gain_db=16.0)

    assert 0.99 < np.abs(loud).max() <= 1.0
