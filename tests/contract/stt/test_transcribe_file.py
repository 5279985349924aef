"""Uploaded files, over real gRPC with the real engine."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from pathlib import Path
from typing import Any

import av
import grpc
import numpy as np
import numpy.typing as npt
import pytest

from voicemesh.common.v1 import audio_pb2
from voicemesh.stt.v1 import speech_to_text_service_pb2 as pb

pytestmark = [pytest.mark.contract, pytest.mark.asyncio(loop_scope="module")]

Audio = npt.NDArray[np.float32]
RATE = 16_000
NAMES = ("librivox-0870.wav", "jfk.flac", "librivox-0920.wav")
PCM = audio_pb2.AudioFormat(
    encoding=audio_pb2.AUDIO_ENCODING_PCM_S16LE, sample_rate_hertz=RATE, channel_count=1
)


def first(**fields: Any) -> pb.TranscribeFileRequest:
    return pb.TranscribeFileRequest(config=pb.TranscribeFileConfig(**fields))


async def upload(
    data: bytes,
    size: int = 1 << 16,
    until: Callable[[int], Awaitable[object]] | None = None,
    **config: Any,
) -> AsyncIterator[pb.TranscribeFileRequest]:
    """The messages of an upload; `until` is awaited before each with what was sent."""
    yield first(**config)
    for start in range(0, len(data), size):
        if until is not None:
            await until(start)
        yield pb.TranscribeFileRequest(audio=data[start : start + size])


async def sent(*messages: pb.TranscribeFileRequest) -> AsyncIterator[pb.TranscribeFileRequest]:
    for message in messages:
        yield message


async def told(call: Any) -> list[pb.TranscribeFileResponse]:
    return [event async for event in call]


def segments(events: Iterable[pb.TranscribeFileResponse]) -> list[pb.Segment]:
    return [event.segment for event in events if event.HasField("segment")]


def text(found: Iterable[pb.Segment]) -> str:
    return " ".join(segment.text for segment in found)


def seconds(duration: Any) -> float:
    return float(duration.ToTimedelta().total_seconds())


def open_spools() -> int:
    """Files without a name that this process holds open."""
    descriptors = [f"/proc/self/fd/{name}" for name in os.listdir("/proc/self/fd")]
    return sum("(deleted)" in os.readlink(each) for each in descriptors if os.path.lexists(each))


def memory() -> int:
    """Memory that this process holds, in bytes."""
    pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[1]
    return int(pages) * os.sysconf("SC_PAGESIZE")


@pytest.fixture(scope="module")
def talk(voice: Callable[[str], Audio]) -> Audio:
    """Three people one after another, 4 s apart."""
    quiet = np.zeros(4 * RATE, dtype=np.float32)
    return np.concatenate([part for name in NAMES for part in (voice(name), quiet)])


@pytest.fixture(scope="module")
def said(wer: Callable[[str, str], float], transcripts: dict[str, str]) -> Callable[[str], float]:
    """The word error rate of a text against what is said in `talk`."""
    transcripts["talk"] = " ".join(transcripts[name] for name in NAMES)
    return lambda found: wer("talk", found)


def encoded(
    audio: Audio, container: str, codec: str, path: Path, options: dict[str, str] | None = None
) -> bytes:
    """Mono samples in a container."""
    rate = 48_000
    file = path / "talk"
    with av.open(str(file), "w", format=container, options=options or {}) as output:
        stream: Any = output.add_stream(codec, rate=rate)
        stream.layout = "mono"
        frame = av.AudioFrame.from_ndarray(audio[np.newaxis], format="fltp", layout="mono")
        frame.sample_rate = RATE
        resampler = av.AudioResampler(stream.format, "mono", rate, stream.frame_size or 1024)
        for part in [*resampler.resample(frame), *resampler.resample(None)]:
            output.mux(stream.encode(part))
        output.mux(stream.encode(None))
    return file.read_bytes()


@pytest.mark.parametrize(
    ("container", "codec", "options"),
    [
        ("wav", "pcm_s16le", {}),
        ("mp3", "libmp3lame", {}),
        ("ogg", "libopus", {}),
        ("webm", "libopus", {}),
        ("flac", "flac", {}),
        ("ipod", "aac", {}),
        ("ipod", "aac", {"movflags": "+faststart"}),
        ("mp4", "aac", {"movflags": "frag_keyframe+empty_moov"}),
    ],
)
async def test_a_file_in_any_container_is_understood(
    stt: Any,
    talk: Audio,
    said: Callable[[str], float],
    tmp_path: Path,
    container: str,
    codec: str,
    options: dict[str, str],
) -> None:
    data = encoded(talk, container, codec, tmp_path, options)

    events = await told(stt.stub.TranscribeFile(upload(data, 1 << 14)))

    assert said(text(segments(events))) <= 0.1
    assert [event.WhichOneof("event") for event in events][-2:] == ["progress", "summary"]
    summary = events[-1].summary
    assert seconds(summary.audio_duration) == pytest.approx(len(talk) / RATE, abs=0.1)
    assert summary.language.language_code == "en"
    assert summary.model == "whisper-tiny.en"
    progress = events[-2].progress
    assert progress.processed_duration == progress.received_duration == summary.audio_duration


async def test_a_file_gives_the_words_that_a_recording_does(
    stt: Any, talk: Audio, said: Callable[[str], float], pcm: Callable[[Audio], bytes]
) -> None:
    data = pcm(talk)

    whole = await stt.stub.Transcribe(pb.TranscribeRequest(format=PCM, audio=data))
    events = await told(stt.stub.TranscribeFile(upload(data, format=PCM)))

    assert said(text(segments(events))) == said(whole.text)
    starts = [seconds(segment.start_offset) for segment in segments(events)]
    assert starts == sorted(starts)
    assert starts == pytest.approx([seconds(s.start_offset) for s in whole.segments], abs=0.05)


@pytest.mark.parametrize("size", [1, 997, 1 << 20])
async def test_messages_may_cut_the_file_anywhere(stt: Any, speech: Path, size: int) -> None:
    data = (speech / "librivox-0880.wav").read_bytes()

    async def cut() -> AsyncIterator[pb.TranscribeFileRequest]:
        async for message in upload(data[:3_000], size):
            yield message
        yield pb.TranscribeFileRequest(audio=data[3_000:])

    assert segments(await told(stt.stub.TranscribeFile(cut())))


async def test_words_come_while_the_upload_goes_on(
    stt: Any, talk: Audio, pcm: Callable[[Audio], bytes]
) -> None:
    data = pcm(talk)
    came = asyncio.Event()

    async def until(start: int) -> None:
        if start > len(data) * 0.9:
            await came.wait()

    events: list[pb.TranscribeFileResponse] = []
    async with asyncio.timeout(20):
        async for event in stt.stub.TranscribeFile(upload(data, until=until, format=PCM)):
            events.append(event)
            if event.HasField("segment"):
                came.set()
    assert len(segments(events)) >= 3


async def test_a_file_goes_on_where_it_was_left(
    stt: Any, talk: Audio, said: Callable[[str], float], tmp_path: Path
) -> None:
    data = encoded(talk, "mp3", "libmp3lame", tmp_path)
    whole = segments(await told(stt.stub.TranscribeFile(upload(data))))

    for count in range(1, len(whole)):
        offset = whole[count - 1].end_offset
        call = stt.stub.TranscribeFile(upload(data, resume_offset=offset))
        rest = segments(await told(call))
        assert all(seconds(s.start_offset) >= seconds(offset) for s in rest)
        assert said(text([*whole[:count], *rest])) <= said(text(whole)) + 0.03


async def test_each_channel_is_a_speaker_if_asked(
    stt: Any, voice: Callable[[str], Audio], wer: Callable[[str, str], float], pcm: Any
) -> None:
    left, right = voice("jfk.flac"), voice("librivox-0870.wav")
    both = np.zeros((2, max(len(left), len(right))), dtype=np.float32)
    both[0, : len(left)], both[1, : len(right)] = left, right
    two = audio_pb2.AudioFormat(encoding=PCM.encoding, sample_rate_hertz=RATE, channel_count=2)
    config = pb.TranscriptionConfig(separate_channels=True, word_timestamps=True)

    call = stt.stub.TranscribeFile(
        upload(pcm(both.T.reshape(-1)), format=two, transcription=config)
    )
    found = segments(await told(call))

    by_channel = [text(s for s in found if s.channel == channel) for channel in (0, 1)]
    assert wer("jfk.flac", by_channel[0]) <= 0.1
    assert wer("librivox-0870.wav", by_channel[1]) <= 0.1
    starts = [seconds(segment.start_offset) for segment in found]
    assert starts == sorted(starts)
    for segment in found:
        assert segment.words
        assert seconds(segment.start_offset) <= seconds(segment.words[0].end_offset)


AUDIO = pb.TranscribeFileRequest(audio=bytes(100))
LONG = pb.TranscribeFileRequest(audio=bytes((1 << 20) + 1))


@pytest.mark.parametrize(
    ("messages", "reason", "field"),
    [
        ((), "MESSAGE_ORDER", "config"),
        ((AUDIO,), "MESSAGE_ORDER", "config"),
        ((first(format=PCM), AUDIO, first(format=PCM)), "MESSAGE_ORDER", "config"),
        ((first(), pb.TranscribeFileRequest()), "INVALID_ARGUMENT", "payload"),
        ((first(), LONG), "INVALID_ARGUMENT", "audio"),
        ((first(),), "INVALID_AUDIO", "audio"),
        ((first(), pb.TranscribeFileRequest(audio=b"")), "INVALID_AUDIO", "audio"),
        ((first(), AUDIO), "INVALID_AUDIO", "audio"),
        (
            (first(format=audio_pb2.AudioFormat(encoding=PCM.encoding)),),
            "INVALID_ARGUMENT",
            "config.format.sample_rate_hertz",
        ),
        (
            (first(transcription=pb.TranscriptionConfig(beam_size=99)),),
            "INVALID_ARGUMENT",
            "config.transcription.beam_size",
        ),
        (
            (first(transcription=pb.TranscriptionConfig(model="no-such-model")),),
            "UNKNOWN_MODEL",
            "config.transcription.model",
        ),
    ],
)
async def test_what_is_wrong_is_said(
    stt: Any, messages: tuple[pb.TranscribeFileRequest, ...], reason: str, field: str
) -> None:
    problem = await stt.problem(told(stt.stub.TranscribeFile(sent(*messages))))

    assert (problem.reason, problem.fields) == (reason, (field,))


@pytest.mark.parametrize("offset_s", [-1, 3_600])
async def test_a_resume_offset_must_lie_in_the_file(
    stt: Any, talk: Audio, pcm: Callable[[Audio], bytes], offset_s: int
) -> None:
    config = first(format=PCM)
    config.config.resume_offset.seconds = offset_s
    audio = pb.TranscribeFileRequest(audio=pcm(talk)[: 1 << 20])

    problem = await stt.problem(told(stt.stub.TranscribeFile(sent(config, audio))))

    assert problem.code is grpc.StatusCode.INVALID_ARGUMENT
    assert problem.fields == ("config.resume_offset",)


async def test_a_file_that_is_cut_off_is_refused(
    stt: Any, speech: Path, talk: Audio, tmp_path: Path
) -> None:
    for data in ((speech / NAMES[0]).read_bytes(), encoded(talk, "ipod", "aac", tmp_path)):
        half = data[: len(data) // 2]
        problem = await stt.problem(told(stt.stub.TranscribeFile(upload(half))))
        assert (problem.reason, problem.fields) == ("INVALID_AUDIO", ("audio",))


async def test_an_upload_that_stops_is_ended(stt: Any) -> None:
    async def stuck() -> AsyncIterator[pb.TranscribeFileRequest]:
        yield first(format=PCM)
        yield AUDIO
        await asyncio.Event().wait()

    problem = await stt.problem(told(stt.stub.TranscribeFile(stuck())))

    assert (problem.code, problem.reason) == (grpc.StatusCode.DEADLINE_EXCEEDED, "STREAM_IDLE")


async def test_the_deadline_of_the_call_is_honoured(
    stt: Any, pcm: Callable[[Audio], bytes]
) -> None:
    async def slow() -> AsyncIterator[pb.TranscribeFileRequest]:
        yield first(format=PCM)
        while True:
            yield AUDIO
            await asyncio.sleep(0.05)

    problem = await stt.problem(told(stt.stub.TranscribeFile(slow(), timeout=0.5)))

    assert problem.code is grpc.StatusCode.DEADLINE_EXCEEDED
    await stt.running.check_well()


@pytest.mark.parametrize("events", [0, 1, 3])
async def test_a_caller_may_leave_at_any_stage(
    stt: Any, talk: Audio, pcm: Callable[[Audio], bytes], events: int
) -> None:
    before = open_spools()
    call = stt.stub.TranscribeFile(upload(pcm(talk), 1 << 15, format=PCM))
    for _ in range(events):
        await call.read()
    call.cancel()

    await stt.running.check_well()
    assert open_spools() == before


async def test_a_long_file_takes_no_more_memory_than_a_short_one(
    stt: Any, voice: Callable[[str], Audio], pcm: Callable[[Audio], bytes]
) -> None:
    spoken, quiet = pcm(voice("librivox-0930.wav")), bytes(1 << 20)

    async def long() -> AsyncIterator[pb.TranscribeFileRequest]:
        yield first(format=PCM)
        for part in range(40):
            yield pb.TranscribeFileRequest(audio=spoken if part % 20 == 0 else quiet)

    before, most, found = memory(), 0, 0
    heard_before = await stt.running.metric("voicemesh_stt_audio_seconds_total")
    async for event in stt.stub.TranscribeFile(long()):
        most = max(most, memory())
        found += event.HasField("segment")
    heard = await stt.running.metric("voicemesh_stt_audio_seconds_total") - heard_before

    assert found == 2
    assert most - before < 48 << 20
    assert heard == pytest.approx(event.summary.audio_duration.seconds, abs=1)
    assert heard > 1_200
