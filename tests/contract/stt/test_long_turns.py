"""Turns longer than the model can take at once, on recorded speech joined with pauses."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import jiwer
import numpy as np
import pytest
from google.protobuf.duration_pb2 import Duration

from voicemesh.stt.v1 import speech_to_text_service_pb2 as pb

pytestmark = [pytest.mark.contract, pytest.mark.asyncio(loop_scope="module")]

NAMES = (
    "librivox-0920.wav",
    "jfk.flac",
    "librivox-0870.wav",
    "librivox-0880.wav",
    "librivox-0890.wav",
    "librivox-0930.wav",
    "librivox-0920.wav",
)
PATIENT = pb.TurnDetection(
    complete_silence_duration=Duration(seconds=3), max_turn_duration=Duration(seconds=120)
)


def plain(text: str) -> str:
    words = text.lower().replace("mr.", "mister").replace("-", " ")
    return " ".join(re.sub(r"[^\w\s']", " ", words).split())


@pytest.fixture(scope="session")
def joined(voice: Callable[[str], Any]) -> Any:
    """About 45 s of speech with pauses of 0.6 s, and a silence."""
    pause = np.zeros(9_600, dtype=np.float32)
    parts = [part for name in NAMES for part in (voice(name), pause)]
    return np.concatenate([*parts, np.zeros(16_000 * 4, dtype=np.float32)])


@pytest.fixture(scope="session")
def words(transcripts: dict[str, str]) -> str:
    """What is said in it."""
    return " ".join(plain(transcripts[name]) for name in NAMES)


def of_kind(events: list[Any], kind: str) -> list[Any]:
    return [getattr(event, kind) for event in events if event.WhichOneof("event") == kind]


async def test_a_turn_with_pauses_is_as_well_understood_as_a_whole_recording(
    stt: Any, stream: Any, pcm: Any, joined: Any, words: str
) -> None:
    config = pb.StreamTranscribeConfig(turn_detection=PATIENT)
    config.transcription.word_timestamps = True

    (final,) = of_kind(await stt.listen(stream(pcm(joined), config=config)), "final")

    whole = await stt.stub.Transcribe(
        pb.TranscribeRequest(
            audio=pcm(joined),
            format=next(iter(stream(b""))).config.format,
        )
    )
    rate, whole_rate = (jiwer.wer(words, plain(text)) for text in (final.text, whole.text))
    assert rate <= max(0.1, whole_rate + 0.02)
    edges = [
        (segment.start_offset.ToMilliseconds(), segment.end_offset.ToMilliseconds())
        for segment in final.segments
    ]
    assert len(edges) >= 3
    assert all(start < end for start, end in edges)
    assert all(end <= start + 50 for (_, end), (start, _) in pairwise(edges))
    starts = [
        word.start_offset.ToMilliseconds() for segment in final.segments for word in segment.words
    ]
    assert starts == sorted(starts)
    assert len(starts) == pytest.approx(len(words.split()), rel=0.1)
    assert starts[-1] > 35_000


async def test_the_words_of_a_turn_are_recognised_about_once(
    stt: Any, stream: Any, pcm: Any, joined: Any
) -> None:
    recognised = "voicemesh_stt_recognised_audio_seconds_total"
    config = pb.StreamTranscribeConfig(turn_detection=PATIENT)
    before = await stt.running.metric(recognised)

    await stt.listen(stream(pcm(joined), config=config))

    spent = await stt.running.metric(recognised) - before
    assert spent < 6 * len(joined) / 16_000  # from the start each time it would be twelve times


async def test_partials_go_on_for_as_long_as_the_turn_does(
    stt: Any, stream: Any, pcm: Any, joined: Any
) -> None:
    config = pb.StreamTranscribeConfig(turn_detection=PATIENT, partials=True)
    audio = joined[: 36 * 16_000]

    events = await stt.listen(stream(pcm(audio), config=config, piece=3_200), gap_s=0.03)

    partials = of_kind(events, "partial")
    (final,) = of_kind(events, "final")
    stable = [partial.stable_text for partial in partials]
    assert all(later.startswith(earlier) for earlier, later in pairwise(stable))
    last = plain(partials[-1].stable_text + partials[-1].unstable_text)
    assert len(last.split()) > 0.8 * len(plain(final.text).split())


async def test_speech_without_pauses_is_cut_where_it_hurts_least(
    stt: Any, stream: Any, pcm: Any, voice: Callable[[str], Any], transcripts: dict[str, str]
) -> None:
    names = NAMES * 2
    audio = np.concatenate([*map(voice, names), np.zeros(16_000 * 4, dtype=np.float32)])
    config = pb.StreamTranscribeConfig(turn_detection=PATIENT)

    (final,) = of_kind(await stt.listen(stream(pcm(audio), config=config)), "final")

    said = " ".join(plain(transcripts[name]) for name in names)
    assert jiwer.wer(said, plain(final.text)) <= 0.15
