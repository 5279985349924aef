"""`voicemesh transcribe` and `voicemesh models stt` as a process against a scripted service."""

from __future__ import annotations

import asyncio
import json
import os
import shlex
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.duration_pb2 import Duration

from voicemesh.stt.v1 import speech_to_text_service_pb2 as pb
from voicemesh_chassis.errors import InvalidArgumentError
from voicemesh_chassis.errors import UnavailableError as DrainingError

pytestmark = pytest.mark.contract

Command = Callable[..., Awaitable[tuple[int, str, str]]]
LARGE = bytes(1_100_000)


def segment(text: str, start_s: int, end_s: int, channel: int = 0) -> pb.Segment:
    start, end = Duration(seconds=start_s), Duration(seconds=end_s)
    return pb.Segment(text=text, start_offset=start, end_offset=end, channel=channel)


GREETING = segment("Good evening.", 0, 2)
QUESTION = segment("How are you?", 3, 4, channel=1)


@pytest.fixture
def small(tmp_path: Path) -> Path:
    file = tmp_path / "small.wav"
    file.write_bytes(b"RIFF")
    return file


@pytest.fixture
def large(tmp_path: Path) -> Path:
    file = tmp_path / "large.wav"
    file.write_bytes(LARGE)
    return file


@pytest.fixture
def answering(script: Any) -> Any:
    """The service, which says the same to everyone and keeps what it was asked."""

    async def transcribe(request: Any, _context: Any) -> pb.TranscribeResponse:
        if request.audio == b"damaged":
            raise InvalidArgumentError("the audio cannot be decoded", field="audio")
        return pb.TranscribeResponse(segments=[GREETING, QUESTION], model="small")

    async def upload(requests: Any, _context: Any) -> AsyncIterator[pb.TranscribeFileResponse]:
        script.requests.append((await anext(requests)).config)
        script.requests.append(b"".join([request.audio async for request in requests]))
        yield pb.TranscribeFileResponse(segment=GREETING)
        yield pb.TranscribeFileResponse(progress=pb.TranscribeFileProgress())
        yield pb.TranscribeFileResponse(segment=QUESTION)
        yield pb.TranscribeFileResponse(summary=pb.TranscribeFileSummary(model="large"))

    script.Transcribe = transcribe
    script.TranscribeFile = upload
    return script


@pytest.fixture
def transcribe(answering: Any, voicemesh: Command) -> Command:
    async def run(*arguments: object, text: str = "") -> tuple[int, str, str]:
        return await voicemesh(
            "transcribe", *map(str, arguments), "--stt", answering.target, text=text
        )

    return run


async def test_segments_are_lines(transcribe: Command, small: Path, large: Path) -> None:
    expected = (0, "Good evening.\nHow are you?\n", "")

    assert await transcribe(small) == expected
    assert await transcribe(large) == expected


async def test_a_large_file_is_uploaded_with_every_option(
    transcribe: Command, answering: Any, large: Path
) -> None:
    options = (
        "--language", "de", "--translate", "--model", "m", "--prompt", "Dr.", "--hotword", "Ann",
        "--hotword", "Bo", "--words", "--channels", "--resume", "1.5",
    )  # fmt: skip
    status, output, _ = await transcribe(large, *options)

    assert (status, output) == (0, "Channel 1: Good evening.\nChannel 2: How are you?\n")
    config, uploaded = answering.requests
    assert uploaded == LARGE
    assert config.resume_offset == Duration(seconds=1, nanos=500_000_000)
    wanted = config.transcription
    assert wanted == pb.TranscriptionConfig(
        model="m",
        language_code="de",
        task=pb.TRANSCRIPTION_TASK_TRANSLATE,
        initial_prompt="Dr.",
        hotwords=["Ann", "Bo"],
        word_timestamps=True,
        separate_channels=True,
    )


async def test_a_small_file_is_uploaded_too_if_it_is_to_be_resumed(
    transcribe: Command, answering: Any, small: Path
) -> None:
    status, _, _ = await transcribe(small, "--resume", "2")

    assert status == 0
    assert answering.requests[0].resume_offset == Duration(seconds=2)


async def test_subtitles_ask_for_words_and_go_where_they_are_told(
    transcribe: Command, answering: Any, small: Path, tmp_path: Path
) -> None:
    target = tmp_path / "small.srt"

    assert await transcribe(small, "--format", "srt", "-o", target) == (0, "", "")
    assert target.read_text(encoding="utf-8") == (
        "1\n00:00:00,000 --> 00:00:02,000\nGood evening.\n\n"
        "2\n00:00:03,000 --> 00:00:04,000\nHow are you?\n\n"
    )
    assert answering.requests[0].config.word_timestamps


async def test_json_is_one_object(transcribe: Command, small: Path, large: Path) -> None:
    for file, model in ((small, "small"), (large, "large")):
        for option in (("--json",), ("--format", "json")):
            status, output, _ = await transcribe(file, *option)
            assert status == 0
            assert json.loads(output)["model"] == model


async def test_several_files_go_into_a_directory(
    transcribe: Command, small: Path, large: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "subtitles"
    folder.mkdir()

    assert (await transcribe(small, large, "--format", "vtt", "-o", folder))[0] == 0
    assert sorted(file.name for file in folder.iterdir()) == ["large.vtt", "small.vtt"]
    assert (folder / "large.vtt").read_text(encoding="utf-8").startswith("WEBVTT\n\n00:00:00.000")


async def test_a_damaged_file_does_not_keep_the_others_from_being_transcribed(
    transcribe: Command, small: Path, tmp_path: Path
) -> None:
    damaged = tmp_path / "damaged.wav"
    damaged.write_bytes(b"damaged")
    status, output, errors = await transcribe(damaged, small)

    assert (status, errors) == (1, f"error: {damaged}: the audio cannot be decoded\n")
    assert output == f"==> {small} <==\nGood evening.\nHow are you?\n"


async def test_what_cannot_be_transcribed_leaves_what_was_in_the_file(
    transcribe: Command, tmp_path: Path
) -> None:
    damaged, target = tmp_path / "damaged.wav", tmp_path / "words.txt"
    damaged.write_bytes(b"damaged")
    target.write_text("earlier")

    assert (await transcribe(damaged, "-o", target))[0] == 1
    assert target.read_text() == "earlier"


async def test_standard_input_is_a_recording(transcribe: Command, answering: Any) -> None:
    assert (await transcribe("-", text="RIFF"))[0] == 0
    assert answering.requests[1] == b"RIFF"


async def test_what_broke_off_is_kept_and_the_error_says_where_to_go_on(
    transcribe: Command, answering: Any, tmp_path: Path
) -> None:
    async def broken(requests: Any, _context: Any) -> AsyncIterator[pb.TranscribeFileResponse]:
        await anext(requests)
        yield pb.TranscribeFileResponse(segment=GREETING)
        raise DrainingError("the service is stopping", retry_after_s=1)

    answering.TranscribeFile = broken
    target = tmp_path / "words.json"
    status, _, errors = await transcribe("-", "--json", "-o", target, text="RIFF")

    assert status == 1
    assert errors == (
        "error: the words stop at 2.000 s; --resume 2.000 goes on there\n"
        "error: the service is stopping (try again in 1 s)\n"
    )
    assert json.loads(target.read_text())["text"] == "Good evening."
    again = await transcribe("-", "--resume", "2", "-o", target, text="RIFF")
    assert again == (2, "", f"error: {target} is there already: write the rest to another file\n")


async def test_wrong_usage_is_said_before_anything_is_sent(
    transcribe: Command, answering: Any, small: Path, large: Path, tmp_path: Path
) -> None:
    (tmp_path / "other").mkdir()
    twin = tmp_path / "other" / "small.wav"
    twin.write_bytes(b"RIFF")
    for arguments, sentence in (
        ((small, large, "--format", "srt"), "name a directory as --output"),
        ((small, large, "-o", tmp_path / "all.txt"), "is not a directory"),
        ((small, twin, "-o", tmp_path), "have the same name"),
        ((small, large, "--resume", "2"), "--resume is for one file"),
        ((tmp_path,), "is no file"),
        ((tmp_path / "nowhere.wav",), "nowhere.wav does not exist"),
        ((small, "-o", small), "would be written over the recording"),
    ):
        status, output, errors = await transcribe(*arguments)
        assert (status, output) == (2, "")
        assert sentence in errors

    assert answering.requests == []


async def test_the_models_of_a_running_stt_are_listed(script: Any, voicemesh: Command) -> None:
    async def models(_request: Any, _context: Any) -> pb.ListModelsResponse:
        english = pb.Model(
            name="whisper-tiny.en", language_codes=["en"], loaded=True, default_model=True,
            license="MIT", device="cpu int8",
        )  # fmt: skip
        languages = [f"l{number}" for number in range(99)]
        return pb.ListModelsResponse(
            models=[english, pb.Model(name="whisper-small", language_codes=languages)]
        )

    script.ListModels = models
    status, output, _ = await voicemesh("models", "stt", "--stt", script.target)

    rows = [" ".join(line.split()) for line in output.splitlines()]
    assert status == 0
    assert rows[1] == "whisper-tiny.en en loaded, default cpu int8 MIT"
    assert rows[2] == "whisper-small 99 languages on demand"


async def test_progress_is_shown_to_somebody_who_looks(
    answering: Any, large: Path, tmp_path: Path
) -> None:
    program = "from voicemesh_client.cli import main; main()"
    arguments = ["transcribe", str(large), "-o", f"{tmp_path}/words", "--stt", answering.target]
    process = await asyncio.create_subprocess_exec(
        "script", "-qec", shlex.join([sys.executable, "-c", program, *arguments]), "/dev/null",
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "TERM": "xterm"},
    )  # fmt: skip
    shown, _ = await process.communicate()

    assert process.returncode == 0
    assert b"large.wav" in shown
