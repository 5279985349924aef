"""Uploaded files, with fakes for what hears voices and words."""

from __future__ import annotations

import asyncio
import gc
import os
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from voicemesh_chassis.errors import InvalidArgumentError, ServiceError
from voicemesh_stt.domain import (
    AudioFormat,
    Encoding,
    Language,
    RecognitionOptions,
    Segment,
    SpeechModel,
)
from voicemesh_stt.engines.file_decoding import ProgressiveFileDecoder
from voicemesh_stt.errors import (
    AudioTooLongError,
    DrainingError,
    FilesBusyError,
    FileTooLargeError,
    JobExpiredError,
    QueueFullError,
    SpoolFullError,
    StreamIdleError,
    UnreadableAudioError,
)
from voicemesh_stt.files.cutting import Cutter
from voicemesh_stt.files.uploads import FileLimits, Files
from voicemesh_stt.files.work import FileEvent, FileRequest, Progress, Summary
from voicemesh_stt.ports import Job, Recognition, Samples
from voicemesh_stt.scribe import Piece

pytestmark = pytest.mark.unit

RATE = 16_000
ENGLISH = SpeechModel("fake", ("en",), "none", "none")
POLYGLOT = SpeechModel("fake", ("en", "ru"), "none", "none")


class Loudness:
    """Hears a voice where it is loud."""

    def probabilities(self, audio: Samples) -> list[float]:
        return [0.9 if frame.max() > 0.1 else 0.1 for frame in audio.reshape(-1, 512)]


@dataclass
class Scribbler:
    """Hears one word a piece, the level of its audio, and remembers what it was asked."""

    jobs: list[Job] = field(default_factory=list)
    most_at_once: int = 0
    refusals: int = 0
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    open: int = 0
    fails: BaseException | None = None

    def __post_init__(self) -> None:
        self.gate.set()

    async def transcribe(self, job: Job) -> Recognition:
        if self.refusals and self.jobs:
            self.refusals -= 1
            raise QueueFullError("full", retry_after_s=0.001)
        self.jobs.append(job)
        self.open += 1
        self.most_at_once = max(self.most_at_once, self.open)
        try:
            await self.gate.wait()
            await asyncio.sleep(0)
            if self.fails is not None:
                raise self.fails
        finally:
            self.open -= 1
        level = round(float(job.audio.max()) * 100)
        language = Language("ru" if level == 70 else "en", 0.8)
        return Recognition((Segment(0.1, job.audio_s - 0.1, f" {level}", 0.9),), language)


def speech(*parts: tuple[float, float]) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    """Audio from pairs of level and seconds."""
    return np.concatenate([np.full(round(s * RATE), level, np.float32) for level, s in parts])


def pcm(*channels: np.ndarray[tuple[int], np.dtype[np.float32]]) -> bytes:
    return (np.stack(channels, axis=1) * 32767).astype("<i2").tobytes()


async def cut(data: bytes, size: int = 1 << 16) -> AsyncIterator[bytes]:
    for start in range(0, len(data), size):
        yield data[start : start + size]


def request(channels: int = 1, *, resume_s: float = 0.0) -> FileRequest:
    audio_format = AudioFormat(Encoding.PCM_S16LE, RATE, channels)
    return FileRequest(audio_format, RecognitionOptions(), channels > 1, resume_s)


@asynccontextmanager
async def opened(
    transcriber: Scribbler, limits: FileLimits | None = None, heard: list[float] | None = None
) -> AsyncIterator[Files]:
    """Files that are closed at the end, when nothing may be left of them."""
    told_s: list[float] = [] if heard is None else heard
    files = Files(
        transcriber, ProgressiveFileDecoder(), Loudness, limits or FileLimits(), told_s.append
    )
    before = asyncio.all_tasks()
    try:
        yield files
    finally:
        async with asyncio.timeout(5):
            await files.aclose()
        assert asyncio.all_tasks() == before
        assert not [t for t in threading.enumerate() if t.name.startswith(("stt-file", "stt-sp"))]
        gc.collect()  # a file that was not closed would warn


async def told(
    files: Files,
    data: bytes | AsyncIterator[bytes],
    what: FileRequest | None = None,
    model: SpeechModel = ENGLISH,
    timeout_s: float = 10.0,
) -> list[FileEvent]:
    parts = cut(data) if isinstance(data, bytes) else data
    return [event async for event in files.events(parts, what or request(), model, timeout_s)]


def segments(events: list[FileEvent]) -> list[tuple[float, str, int]]:
    return [
        (round(event.start_s, 1), event.text.strip(), event.channel)
        for event in events
        if isinstance(event, Segment)
    ]


TALK = speech((0, 5), (0.2, 3), (0, 10), (0.3, 40), (0, 4), (0.4, 2), (0, 6))


async def test_segments_come_in_order_and_the_summary_last() -> None:
    seconds: list[float] = []
    async with opened(Scribbler(), heard=seconds) as files:
        events = await told(files, pcm(TALK))

    assert [text for _, text, _ in segments(events)] == ["20", "30", "30", "40"]
    starts = [start for start, _, _ in segments(events)]
    assert starts == sorted(starts)
    assert starts[0] == pytest.approx(4.8, abs=0.1)
    assert isinstance(events[-1], Summary)
    assert events[-1].audio_s == pytest.approx(70.0)
    assert events[-1].language == Language("en", 1.0)
    last = events[-2]
    assert isinstance(last, Progress)
    assert (last.processed_s, last.received_s) == pytest.approx((70.0, 70.0))
    assert sum(seconds) == pytest.approx(70.0)


async def test_progress_never_goes_back() -> None:
    async with opened(Scribbler(), FileLimits(progress_s=0.001)) as files:
        events = await told(files, pcm(TALK))

    processed = [event.processed_s for event in events if isinstance(event, Progress)]
    assert processed == sorted(processed)


@pytest.mark.parametrize("size", [1, 777, 1 << 20])
async def test_it_does_not_matter_how_the_upload_is_cut(size: int) -> None:
    talk = speech((0, 0.1), (0.2, 0.4), (0, 0.1))
    async with opened(Scribbler()) as files:
        whole = await told(files, pcm(talk))
        parts = await told(files, cut(pcm(talk), size))

    assert segments(parts) == segments(whole)


async def test_segments_come_before_the_upload_ends() -> None:
    came = asyncio.Event()

    async def waiting() -> AsyncIterator[bytes]:
        async for part in cut(pcm(TALK)):
            yield part
        await came.wait()

    async with opened(Scribbler()) as files, asyncio.timeout(10):
        async for event in files.events(waiting(), request(), ENGLISH, 10.0):
            if isinstance(event, Segment):
                came.set()
    assert came.is_set()


async def test_pieces_wait_for_the_engine_together_but_not_all_of_them() -> None:
    transcriber = Scribbler()
    transcriber.gate.clear()
    talk = pcm(speech(*[(0.2, 2.0), (0.0, 3.0)] * 60))
    async with opened(transcriber, FileLimits(ahead_bytes=1 << 16)) as files:
        read = 0

        async def counting() -> AsyncIterator[bytes]:
            nonlocal read
            async for part in cut(talk, 1 << 15):
                read += len(part)
                yield part

        events = files.events(counting(), request(), ENGLISH, 20.0)
        first = asyncio.ensure_future(anext(events))
        while transcriber.open < 8:
            await asyncio.sleep(0.005)
        await asyncio.sleep(0.1)
        held_at = read
        transcriber.gate.set()
        rest = [await first] + [event async for event in events]

    assert transcriber.most_at_once == 8
    assert held_at < len(talk) / 2
    assert len(segments(rest)) == 60


async def test_what_comes_before_the_resume_offset_is_not_transcribed() -> None:
    transcriber = Scribbler()
    async with opened(transcriber) as files:
        whole = segments(await told(files, pcm(TALK)))
        transcriber.jobs.clear()
        resumed = await told(files, pcm(TALK), request(resume_s=8.3))

    assert segments(resumed) == whole[1:]
    assert len(transcriber.jobs) == len(whole) - 1


async def test_a_word_that_ends_just_after_the_resume_offset_does_not_come_again() -> None:
    async with opened(Scribbler()) as files:
        resumed = await told(files, pcm(TALK), request(resume_s=7.85))
        inside = await told(files, pcm(TALK), request(resume_s=7.0))

    assert segments(resumed)[0][1] == "30"
    assert segments(inside)[0][:2] == (7.1, "20")


async def test_a_resume_offset_at_the_end_is_done_and_one_beyond_it_is_wrong() -> None:
    async with opened(Scribbler()) as files:
        events = await told(files, pcm(TALK), request(resume_s=70.0))
        with pytest.raises(InvalidArgumentError, match="beyond the end") as caught:
            await told(files, pcm(TALK), request(resume_s=71.0))

    assert segments(events) == []
    assert isinstance(events[-1], Summary)
    assert caught.value.field == "config.resume_offset"


async def test_channels_are_merged_in_order_of_time() -> None:
    left = speech((0, 1), (0.2, 30), (0, 9))
    right = speech((0, 10), (0.3, 2), (0, 10), (0.4, 2), (0, 16))
    async with opened(Scribbler()) as files:
        events = await told(files, pcm(left, right), request(2))

    found = segments(events)
    assert sorted(found) == found
    assert {(text, channel) for _, text, channel in found} == {("20", 0), ("30", 1), ("40", 1)}


async def test_the_first_words_of_a_speaker_decide_the_language() -> None:
    transcriber = Scribbler()
    talk = speech(*[(0.7, 2.0), (0.0, 3.0)] * 4)
    async with opened(transcriber) as files:
        events = await told(files, pcm(talk), model=POLYGLOT)

    assert [job.options.language for job in transcriber.jobs] == [None, "ru", "ru", "ru"]
    assert isinstance(events[-1], Summary)
    assert events[-1].language == Language("ru", 0.8)


async def test_a_full_queue_in_the_middle_of_a_file_is_waited_out() -> None:
    transcriber = Scribbler(refusals=5)
    async with opened(transcriber) as files:
        events = await told(files, pcm(TALK))

    assert transcriber.refusals == 0
    assert len(segments(events)) == 4


async def test_a_queue_that_is_full_from_the_start_is_told_at_once() -> None:
    transcriber = Scribbler(fails=QueueFullError("full", retry_after_s=1.0))
    async with opened(transcriber) as files:
        with pytest.raises(QueueFullError):
            await told(files, pcm(TALK))


async def test_one_file_too_many_is_told_to_come_back() -> None:
    transcriber = Scribbler()
    transcriber.gate.clear()
    async with opened(transcriber, FileLimits(max_files=1, progress_s=0.01)) as files:
        first = files.events(cut(pcm(TALK)), request(), ENGLISH, 10.0)
        await anext(first)
        with pytest.raises(FilesBusyError) as caught:
            await told(files, pcm(TALK))
        await first.aclose()
        transcriber.gate.set()
        again = await told(files, pcm(TALK))

    assert caught.value.retry_after_s
    assert len(segments(again)) == 4


async def idle() -> AsyncIterator[bytes]:
    yield bytes(100)
    await asyncio.Event().wait()


@pytest.mark.parametrize(
    ("parts", "limits", "error"),
    [
        (b"", FileLimits(), UnreadableAudioError),
        (bytes(3), FileLimits(), UnreadableAudioError),
        (bytes(1 << 20), FileLimits(max_bytes=1 << 19), FileTooLargeError),
        (bytes(1 << 20), FileLimits(max_audio_s=10), AudioTooLongError),
        (None, FileLimits(idle_timeout_s=0.05), StreamIdleError),
    ],
)
async def test_what_is_wrong_with_an_upload_is_said(
    parts: bytes | None, limits: FileLimits, error: type[ServiceError]
) -> None:
    async with opened(Scribbler(), limits) as files:
        with pytest.raises(error) as caught:
            await told(files, idle() if parts is None else parts)

    assert error is StreamIdleError or caught.value.field == "audio"


async def test_the_deadline_holds_for_all_of_it() -> None:
    transcriber = Scribbler()
    transcriber.gate.clear()
    async with opened(transcriber) as files:
        with pytest.raises(JobExpiredError):
            await told(files, pcm(TALK), timeout_s=0.2)


async def test_what_the_engine_raises_ends_the_file_after_what_was_ready() -> None:
    transcriber = Scribbler()
    async with opened(transcriber) as files:
        found: list[FileEvent] = []

        async def listening() -> None:
            async for event in files.events(cut(pcm(TALK)), request(), ENGLISH, 10.0):
                found.append(event)
                transcriber.fails = RuntimeError("broken")

        with pytest.raises(RuntimeError, match="broken"):
            await listening()

    assert isinstance(found[0], Segment)
    assert not any(isinstance(event, Summary) for event in found)


async def test_a_file_that_is_done_soon_after_the_drain_begins_is_done() -> None:
    draining = asyncio.Event()
    draining.set()
    async with opened(Scribbler()) as files:
        events = [e async for e in files.events(cut(pcm(TALK)), request(), ENGLISH, 10.0, draining)]

    assert isinstance(events[-1], Summary)


async def test_a_file_that_is_not_done_soon_tells_what_it_has_and_is_to_be_resumed() -> None:
    draining = asyncio.Event()

    async def endless() -> AsyncIterator[bytes]:
        async for part in cut(pcm(TALK)):
            yield part
        draining.set()
        await asyncio.Event().wait()

    found: list[FileEvent] = []
    async with opened(Scribbler(), FileLimits(drain_s=0.1)) as files, asyncio.timeout(5):

        async def listening() -> None:
            async for event in files.events(endless(), request(), ENGLISH, 10.0, draining):
                found.append(event)  # noqa: PERF401 - those before the error are wanted

        with pytest.raises(DrainingError):
            await listening()

    assert [text for _, text, _ in segments(found)][:3] == ["20", "30", "30"]
    assert not any(isinstance(event, Summary) for event in found)


async def test_a_full_disk_is_a_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.pwrite", full)
    async with opened(Scribbler()) as files:
        with pytest.raises(SpoolFullError, match="disk is full"):
            await told(files, pcm(TALK))


@pytest.mark.parametrize("stage", ["upload", "words", "reading", "slow reader"])
async def test_cancelling_leaves_nothing(stage: str, tmp_path: Path) -> None:
    transcriber = Scribbler()
    if stage == "words":
        transcriber.gate.clear()
    parts = idle() if stage == "upload" else cut(pcm(TALK))
    limits = FileLimits(directory=tmp_path, progress_s=0.01)
    async with opened(transcriber, limits) as files:
        events = files.events(parts, request(), ENGLISH, 10.0)

        async def listening() -> None:
            async for _ in events:
                if stage == "slow reader":
                    await asyncio.sleep(10)

        task = asyncio.create_task(listening())
        await asyncio.sleep(0 if stage == "reading" else 0.1)
        task.cancel()
        begun = time.monotonic()
        await asyncio.wait([task])
        await events.aclose()
        assert time.monotonic() - begun < 2
    assert transcriber.open == 0
    assert not os.listdir(tmp_path)


async def test_hours_of_silence_take_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[int] = []
    push = Cutter.push

    def measured(cutter: Cutter, samples: Samples) -> list[Piece]:
        pieces = push(cutter, samples)
        kept.append(len(cutter._audio))  # memory is what is asked for
        return pieces

    monkeypatch.setattr(Cutter, "push", measured)

    async def hours() -> AsyncIterator[bytes]:
        for _ in range(3_600):
            yield bytes(2 * RATE)
        yield pcm(speech((0.2, 2)))

    async with opened(Scribbler(), FileLimits(ahead_bytes=1 << 20)) as files:
        events = await told(files, hours(), timeout_s=60)

    assert len(segments(events)) == 1
    assert max(kept) < 10 * RATE
