"""`transcribe_file` over real gRPC: what goes up, what comes back, and how it ends and goes on."""

from __future__ import annotations

import asyncio
import io
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.duration_pb2 import Duration

from voicemesh.stt.v1 import speech_to_text_service_pb2 as pb
from voicemesh_chassis.errors import InvalidArgumentError, OverloadedError
from voicemesh_chassis.errors import UnavailableError as DrainingError
from voicemesh_client import (
    AudioEncoding,
    AudioFormat,
    Connection,
    DeadlineExceededError,
    DetectedLanguage,
    FileEvent,
    FileProgress,
    FileSummary,
    InternalError,
    RecognitionTimings,
    Segment,
    SpeechToText,
    TranscriptionOptions,
    UnavailableError,
)

pytestmark = pytest.mark.contract

README = Path(__file__).resolve().parents[3] / "libs/client/README.md"
CONTENT = bytes(range(256)) * 4_000  # a megabyte
SUMMARY = FileSummary(9, DetectedLanguage("en", 1), "m", RecognitionTimings())


def seconds(value: float) -> Duration:
    duration = Duration()
    duration.FromMilliseconds(round(value * 1000))
    return duration


def said(start_s: float, end_s: float) -> pb.TranscribeFileResponse:
    segment = pb.Segment(text="Words.", start_offset=seconds(start_s), end_offset=seconds(end_s))
    return pb.TranscribeFileResponse(segment=segment)


def progress(processed_s: float, received_s: float) -> pb.TranscribeFileResponse:
    return pb.TranscribeFileResponse(
        progress=pb.TranscribeFileProgress(
            processed_duration=seconds(processed_s), received_duration=seconds(received_s)
        )
    )


def summary() -> pb.TranscribeFileResponse:
    return pb.TranscribeFileResponse(
        summary=pb.TranscribeFileSummary(
            audio_duration=seconds(9),
            language=pb.DetectedLanguage(language_code="en", probability=1),
            model="m",
        )
    )


async def taken(requests: Any) -> tuple[pb.TranscribeFileConfig, list[bytes]]:
    """The whole upload."""
    first = (await anext(requests)).config
    return first, [request.audio async for request in requests]


async def heard(target: str | Connection, source: Any, **options: Any) -> list[FileEvent]:
    async with SpeechToText(target) as stt:
        return [event async for event in stt.transcribe_file(source, **options)]


def open_files() -> set[str]:
    """What this process has open."""
    links = [link for link in Path("/proc/self/fd").iterdir() if link.is_symlink()]
    return {str(link.readlink()) for link in links}


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    file = tmp_path / "talk.wav"
    file.write_bytes(CONTENT)
    return file


async def test_a_file_goes_up_in_pieces_and_comes_back_as_events(
    script: Any, recording: Path
) -> None:
    async def transcribe(requests: Any, _context: Any) -> AsyncIterator[pb.TranscribeFileResponse]:
        script.requests = await taken(requests)
        yield said(0, 1.5)
        yield progress(4, 9)
        yield pb.TranscribeFileResponse()  # of no kind that this client knows
        yield said(4, 5)
        yield summary()

    script.TranscribeFile = transcribe
    events = await heard(
        script.target,
        recording,
        format=AudioFormat(AudioEncoding.PCM_S16LE, 16_000, 2),
        options=TranscriptionOptions(model="m", word_timestamps=True, separate_channels=True),
        resume_s=1.25,
    )

    assert [type(event) for event in events] == [Segment, FileProgress, Segment, FileSummary]
    assert events[1:] == [FileProgress(4, 9), Segment("Words.", 4, 5, 0), SUMMARY]
    config, uploaded = script.requests
    assert b"".join(uploaded) == CONTENT
    assert max(map(len, uploaded)) <= 1 << 18
    assert (config.format.sample_rate_hertz, config.format.channel_count) == (16_000, 2)
    assert (config.transcription.model, config.transcription.word_timestamps) == ("m", True)
    assert config.resume_offset == seconds(1.25)


async def test_the_example_of_the_readme_runs(script: Any, tmp_path: Path) -> None:
    async def transcribe(requests: Any, _context: Any) -> AsyncIterator[pb.TranscribeFileResponse]:
        config, uploaded = await taken(requests)
        assert config.transcription.word_timestamps
        assert b"".join(uploaded) == CONTENT
        yield said(0, 1.5)
        yield summary()

    script.TranscribeFile = transcribe
    (tmp_path / "talk.mp3").write_bytes(CONTENT)
    example = README.read_text(encoding="utf-8").split("```python\n")[2].split("```")[0]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", example.replace("127.0.0.1:50051", script.target), cwd=tmp_path
    )

    assert await process.wait() == 0
    subtitles = (tmp_path / "talk.srt").read_text(encoding="utf-8")
    assert subtitles == "1\n00:00:00,000 --> 00:00:01,500\nWords.\n\n"


async def test_any_source_of_bytes_will_do(script: Any, recording: Path) -> None:
    async def transcribe(requests: Any, _context: Any) -> AsyncIterator[pb.TranscribeFileResponse]:
        config, uploaded = await taken(requests)
        assert not config.HasField("format")
        assert not config.HasField("resume_offset")
        script.requests.append(b"".join(uploaded))
        yield summary()

    async def arriving() -> AsyncIterator[bytes]:
        yield CONTENT

    script.TranscribeFile = transcribe
    with recording.open("rb") as file:
        for source in (file, CONTENT, io.BytesIO(CONTENT), [CONTENT, b""], arriving()):
            assert await heard(script.target, source) == [SUMMARY]

    assert script.requests == [CONTENT] * 5


async def test_events_come_while_the_upload_goes_on(script: Any) -> None:
    go_on = asyncio.Event()

    async def arriving() -> AsyncIterator[bytes]:
        yield b"first"
        await go_on.wait()
        yield b"second"

    async def transcribe(requests: Any, _context: Any) -> AsyncIterator[pb.TranscribeFileResponse]:
        await anext(requests)
        await anext(requests)
        yield said(0, 1)
        assert [request.audio async for request in requests] == [b"second"]
        yield summary()

    script.TranscribeFile = transcribe
    async with (
        SpeechToText(script.target) as stt,
        aclosing(stt.transcribe_file(arriving())) as events,
    ):
        assert isinstance(await anext(events), Segment)
        go_on.set()
        assert [event async for event in events] == [SUMMARY]


async def test_no_more_is_read_than_the_service_takes(script: Any) -> None:
    read = []
    go_on = asyncio.Event()

    def endless() -> Iterator[bytes]:
        for number in range(200):
            read.append(number)
            yield bytes(1 << 18)

    async def transcribe(requests: Any, _context: Any) -> AsyncIterator[pb.TranscribeFileResponse]:
        await anext(requests)
        yield said(0, 1)
        await go_on.wait()
        async for _request in requests:
            pass
        yield summary()

    script.TranscribeFile = transcribe
    async with (
        SpeechToText(script.target) as stt,
        aclosing(stt.transcribe_file(endless())) as events,
    ):
        await anext(events)
        before = -1
        while before < len(read):
            before = len(read)
            await asyncio.sleep(0.3)
        assert len(read) < 60  # of 200, which are 50 MiB; gRPC and its sockets hold some
        go_on.set()
        assert [event async for event in events] == [SUMMARY]

    assert len(read) == 200


async def test_a_transcription_goes_on_behind_its_last_segment(
    script: Any, recording: Path
) -> None:
    async def transcribe(requests: Any, _context: Any) -> AsyncIterator[pb.TranscribeFileResponse]:
        config, uploaded = await taken(requests)
        assert b"".join(uploaded) == CONTENT
        script.requests.append(config.resume_offset)
        match len(script.requests):
            case 1:
                yield said(0, 1)
                yield progress(2, 9)
                raise DrainingError("the service is stopping", retry_after_s=0.01)
            case 2:
                raise OverloadedError("busy", retry_after_s=0.01)
            case 3:
                yield progress(1, 9)
                yield said(0.9, 1.05)
                yield said(1.5, 3)
                raise DrainingError("the service is stopping", retry_after_s=0.01)
        yield said(3, 4)
        yield summary()

    script.TranscribeFile = transcribe
    events = await heard(script.target, recording)

    assert script.requests == [seconds(0), seconds(1), seconds(1), seconds(3)]
    assert events == [
        Segment("Words.", 0, 1, 0),
        FileProgress(2, 9),
        Segment("Words.", 1.5, 3, 0),
        Segment("Words.", 3, 4, 0),
        SUMMARY,
    ]


async def test_failures_are_forgiven_only_so_often(script: Any, recording: Path) -> None:
    async def transcribe(requests: Any, _context: Any) -> AsyncIterator[pb.TranscribeFileResponse]:
        script.requests.append(await anext(requests))
        if script.requests:
            raise OverloadedError("busy", retry_after_s=0.01)
        yield summary()

    script.TranscribeFile = transcribe
    with pytest.raises(OverloadedError, match="busy"):
        await heard(script.target, recording, retries=2)

    assert len(script.requests) == 3


@pytest.mark.parametrize("can_be_read_twice", [False, True])
async def test_what_cannot_be_sent_again_or_will_not_pass_is_raised_at_once(
    script: Any, can_be_read_twice: bool
) -> None:
    async def transcribe(requests: Any, _context: Any) -> AsyncIterator[pb.TranscribeFileResponse]:
        script.requests.append(await anext(requests))
        yield said(0, 1)
        if can_be_read_twice:
            raise InvalidArgumentError("the audio is damaged", field="audio")
        raise DrainingError("the service is stopping", retry_after_s=0.01)

    script.TranscribeFile = transcribe
    source = CONTENT if can_be_read_twice else iter((CONTENT,))
    async with SpeechToText(script.target) as stt:
        events = stt.transcribe_file(source)
        assert isinstance(await anext(events), Segment)
        with pytest.raises(InvalidArgumentError if can_be_read_twice else UnavailableError):
            await anext(events)

    assert len(script.requests) == 1


async def test_an_end_without_a_summary_is_not_taken_for_the_end(script: Any) -> None:
    async def transcribe(requests: Any, _context: Any) -> AsyncIterator[pb.TranscribeFileResponse]:
        await taken(requests)
        yield said(0, 1)

    script.TranscribeFile = transcribe
    with pytest.raises(InternalError, match="without a summary"):
        await heard(script.target, CONTENT)


async def test_a_service_that_takes_and_says_nothing_is_a_passed_deadline(script: Any) -> None:
    async def transcribe(_requests: Any, _context: Any) -> AsyncIterator[pb.TranscribeFileResponse]:
        await asyncio.Event().wait()
        yield summary()

    script.TranscribeFile = transcribe
    connection = Connection(script.target, timeout_s=0.3)
    for source in (b"short", (bytes(1 << 18) for _ in range(200))):
        with pytest.raises(DeadlineExceededError, match=r"did not answer within 0\.3 s"):
            await heard(connection, source)


async def test_a_service_that_is_slow_but_answers_is_waited_for(script: Any) -> None:
    async def transcribe(requests: Any, _context: Any) -> AsyncIterator[pb.TranscribeFileResponse]:
        for number in range(8):
            yield progress(number, 60)
            await asyncio.sleep(0.1)
        await taken(requests)
        yield summary()

    script.TranscribeFile = transcribe
    pieces = (bytes(1 << 18) for _ in range(100))
    events = await heard(Connection(script.target, timeout_s=0.4), pieces)

    assert events[-1] == SUMMARY


async def test_a_consumer_that_takes_its_time_is_not_the_service_s_fault(script: Any) -> None:
    async def transcribe(requests: Any, _context: Any) -> AsyncIterator[pb.TranscribeFileResponse]:
        await anext(requests)
        yield said(0, 1)
        await script.read.wait()
        async for _request in requests:
            pass
        yield summary()

    script.read = asyncio.Event()
    script.TranscribeFile = transcribe
    pieces = (bytes(1 << 18) for _ in range(100))
    async with SpeechToText(Connection(script.target, timeout_s=0.2)) as stt:
        events = stt.transcribe_file(pieces)
        assert isinstance(await anext(events), Segment)
        await asyncio.sleep(0.5)
        script.read.set()
        assert [event async for event in events] == [SUMMARY]


async def test_closing_the_iterator_cancels_the_call_and_closes_the_source(script: Any) -> None:
    def endless() -> Iterator[bytes]:
        try:
            while True:
                yield bytes(1_000)
        finally:
            script.ended.append("source")

    async def transcribe(requests: Any, _context: Any) -> AsyncIterator[pb.TranscribeFileResponse]:
        async for _request in requests:
            yield said(0, 1)

    script.TranscribeFile = transcribe
    async with SpeechToText(script.target) as stt:
        async with aclosing(stt.transcribe_file(endless())) as events:
            await anext(events)
        assert "source" in script.ended
        async with asyncio.timeout(5):
            while "TranscribeFile" not in script.ended:
                await asyncio.sleep(0.01)

    assert not [task for task in asyncio.all_tasks() if task.get_name().startswith("send to")]


async def test_cancelling_closes_the_file(script: Any, recording: Path) -> None:
    arrived = asyncio.Event()

    async def transcribe(requests: Any, _context: Any) -> AsyncIterator[pb.TranscribeFileResponse]:
        await anext(requests)
        arrived.set()
        await asyncio.Event().wait()
        yield summary()

    script.TranscribeFile = transcribe
    task = asyncio.create_task(heard(script.target, recording))
    await arrived.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert str(recording) not in open_files()


async def test_a_file_that_is_not_there_is_said_without_a_call(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        await heard("127.0.0.1:1", tmp_path / "nowhere.wav")


async def test_what_the_source_raises_comes_out_of_the_iterator(script: Any) -> None:
    def broken() -> Iterator[bytes]:
        yield b"abc"
        raise OSError("the disk is gone")

    async def transcribe(requests: Any, _context: Any) -> AsyncIterator[pb.TranscribeFileResponse]:
        await taken(requests)
        yield summary()

    script.TranscribeFile = transcribe
    with pytest.raises(OSError, match="the disk is gone"):
        await heard(script.target, broken())


async def test_words_instead_of_bytes_are_refused_here(script: Any) -> None:
    async def transcribe(requests: Any, _context: Any) -> AsyncIterator[pb.TranscribeFileResponse]:
        await taken(requests)
        yield summary()

    script.TranscribeFile = transcribe
    with pytest.raises(InvalidArgumentError, match="cannot be sent"):
        await heard(script.target, io.StringIO("text"))


async def test_closing_the_client_is_not_forgiven(script: Any, recording: Path) -> None:
    arrived = asyncio.Event()

    async def transcribe(requests: Any, _context: Any) -> AsyncIterator[pb.TranscribeFileResponse]:
        await anext(requests)
        arrived.set()
        await asyncio.Event().wait()
        yield summary()

    script.TranscribeFile = transcribe
    stt = SpeechToText(script.target)
    waiting = asyncio.ensure_future(anext(stt.transcribe_file(recording)))
    await arrived.wait()
    await stt.aclose()

    with pytest.raises(UnavailableError, match="was closed during the call"):
        await waiting
