"""The stt client against the real service: files, subtitles, live speech and the list of models."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path

import av
import pytest
import pytest_asyncio

from voicemesh_chassis.testing import RunningService, running
from voicemesh_client import (
    AudioEncoding,
    AudioFormat,
    EndOfTurnReason,
    FileEvent,
    FileProgress,
    FileSummary,
    Final,
    InvalidArgumentError,
    NotFoundError,
    Segment,
    SpeechStarted,
    SpeechToText,
    SubtitleFormat,
    TranscriptionOptions,
    TurnDetection,
    renderer,
    to_srt,
)
from voicemesh_stt.__main__ import build
from voicemesh_stt.settings import SttSettings

pytestmark = [pytest.mark.contract, pytest.mark.asyncio(loop_scope="module")]

JFK = ("ask not what your country can do for you", "ask what you can do for your country")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def service(models_dir: Path) -> AsyncIterator[RunningService]:
    """The service with its real engine."""
    settings = SttSettings(models_dir=models_dir)
    async with running(build(settings), settings) as running_service:
        yield running_service


@pytest.fixture
async def stt(service: RunningService) -> AsyncIterator[SpeechToText]:
    async with SpeechToText(service.target) as client:
        yield client


@pytest.fixture(scope="session")
def jfk(speech: Path) -> Path:
    return speech / "jfk.flac"


@pytest.fixture(scope="session")
def pcm(jfk: Path) -> bytes:
    """The same as 16-bit samples at 16 kHz."""
    resampler = av.AudioResampler(format="s16", layout="mono", rate=16_000)
    with av.open(str(jfk)) as container:
        frames = [new for frame in container.decode(audio=0) for new in resampler.resample(frame)]
    return b"".join(bytes(frame.planes[0])[: frame.samples * 2] for frame in frames)


def plain(text: str) -> str:
    return " ".join(re.sub(r"[^\w\s]", " ", text.lower()).split())


def parted(events: list[FileEvent]) -> tuple[list[Segment], FileSummary]:
    """Segments and the summary, which must be the last."""
    assert isinstance(events[-1], FileSummary)
    progress = [event for event in events if isinstance(event, FileProgress)]
    assert all(one.processed_s <= two.processed_s for one, two in pairwise(progress))
    return [event for event in events if isinstance(event, Segment)], events[-1]


async def test_a_file_comes_back_as_segments_with_words(stt: SpeechToText, jfk: Path) -> None:
    options = TranscriptionOptions(word_timestamps=True)
    segments, summary = parted([event async for event in stt.transcribe_file(jfk, options=options)])

    text = plain(" ".join(segment.text for segment in segments))
    assert all(words in text for words in JFK)
    assert summary.audio_s == pytest.approx(11.0, abs=0.1)
    assert (summary.language.code, summary.model) == ("en", "whisper-tiny.en")
    words = [word for segment in segments for word in segment.words]
    assert plain(" ".join(word.text for word in words)) == text
    assert all(one.start_s <= two.start_s for one, two in pairwise(words))


async def test_pieces_of_samples_are_a_file_too(stt: SpeechToText, pcm: bytes) -> None:
    async def arriving() -> AsyncIterator[bytes]:
        for start in range(0, len(pcm), 33_333):  # cut inside of samples
            yield pcm[start : start + 33_333]

    audio_format = AudioFormat(AudioEncoding.PCM_S16LE, 16_000)
    upload = stt.transcribe_file(arriving(), format=audio_format)
    segments, _ = parted([event async for event in upload])

    assert JFK[1] in plain(" ".join(segment.text for segment in segments))


async def test_an_earlier_transcription_is_resumed(stt: SpeechToText, jfk: Path) -> None:
    upload = stt.transcribe_file(jfk, resume_s=7.9)
    segments, summary = parted([event async for event in upload])

    text = plain(" ".join(segment.text for segment in segments))
    assert JFK[1] in text
    assert JFK[0] not in text
    assert segments[0].start_s >= 7.9
    assert summary.audio_s == pytest.approx(11.0, abs=0.1)


async def test_what_the_service_refuses_is_an_error_of_its_kind(
    stt: SpeechToText, jfk: Path
) -> None:
    with pytest.raises(InvalidArgumentError):
        async for _event in stt.transcribe_file(b"no audio at all" * 1_000):
            pass
    with pytest.raises(NotFoundError):
        async for _event in stt.transcribe_file(jfk, options=TranscriptionOptions(model="none")):
            pass


async def test_subtitles_are_the_same_written_at_once_or_piece_by_piece(
    stt: SpeechToText, jfk: Path
) -> None:
    options = TranscriptionOptions(word_timestamps=True)
    heard = await stt.transcribe(await asyncio.to_thread(jfk.read_bytes), options=options)
    rendering = renderer(SubtitleFormat.SRT)
    pieces = [*map(rendering.segment, heard.segments), rendering.finish()]

    assert "".join(pieces) == to_srt(heard.segments)
    assert to_srt(heard.segments).startswith("1\n00:00:0")


async def test_turn_detection_and_finals_are_handed_on(stt: SpeechToText, pcm: bytes) -> None:
    async def arriving() -> AsyncIterator[bytes]:
        for start in range(0, len(pcm), 32_000):
            yield pcm[start : start + 32_000]

    events = [
        event
        async for event in stt.listen(
            arriving(),
            format=AudioFormat(AudioEncoding.PCM_S16LE, 16_000),
            options=TranscriptionOptions(word_timestamps=True),
            turn_detection=TurnDetection(
                start_threshold=0.6, end_threshold=0.4, pre_roll_s=0.2, min_speech_s=0.1,
                soft_stop_s=0.2, complete_silence_s=0.5, unsure_silence_s=0.8,
                incomplete_silence_s=2.0, max_turn_s=60.0,
            ),
            partials=False,
        )
    ]  # fmt: skip

    finals = [event for event in events if isinstance(event, Final)]
    assert isinstance(events[0], SpeechStarted)
    assert JFK[1] in plain(" ".join(final.text for final in finals))
    last = finals[-1]
    assert last.reason in {EndOfTurnReason.END_OF_STREAM, EndOfTurnReason.SILENCE}
    assert 0 < last.speech_start_s < last.speech_end_s
    assert (last.language.code, last.model) == ("en", "whisper-tiny.en")
    assert 0 < last.confidence <= 1
    assert last.timings.inference_s > 0
    assert last.segments[-1].words[-1].text == "country."


async def test_models_are_listed(stt: SpeechToText) -> None:
    models = await stt.models()

    assert [model.name for model in models if model.default] == ["whisper-tiny.en"]
