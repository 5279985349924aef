"""The `voicemesh` command as a process against real servers: output, errors and exit status."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from voicemesh.stt.v1 import speech_to_text_service_pb2 as stt_pb
from voicemesh.trainer.v1 import trainer_service_pb2 as trainer_pb
from voicemesh.tts.v1 import text_to_speech_service_pb2 as tts_pb
from voicemesh_chassis.errors import InvalidArgumentError

pytestmark = pytest.mark.contract

Command = Callable[..., Awaitable[tuple[int, str, str]]]
NOWHERE = "127.0.0.1:1"


async def test_transcribe_prints_the_words(voicemesh: Command, script: Any, tmp_path: Path) -> None:
    async def transcribe(request: Any, _context: Any) -> stt_pb.TranscribeResponse:
        assert request.config.language_code == "en"
        return stt_pb.TranscribeResponse(
            text="Good evening.", segments=[stt_pb.Segment(text="Good evening.")], model="m"
        )

    script.Transcribe = transcribe
    recording = tmp_path / "talk.wav"
    recording.write_bytes(b"RIFF")

    arguments = ("transcribe", str(recording), "--language", "en", "--stt", script.target)
    assert await voicemesh(*arguments) == (0, "Good evening.\n", "")
    status, output, _ = await voicemesh(*arguments, "--json")

    assert status == 0
    assert json.loads(output)["model"] == "m"


async def test_the_words_of_the_service_are_the_error(
    voicemesh: Command, script: Any, tmp_path: Path
) -> None:
    async def transcribe(_request: Any, _context: Any) -> None:
        raise InvalidArgumentError("the audio cannot be decoded", field="audio")

    script.Transcribe = transcribe
    recording = tmp_path / "talk.wav"
    recording.write_bytes(b"no audio")
    status, output, errors = await voicemesh("transcribe", str(recording), "--stt", script.target)

    assert (status, output, errors) == (1, "", "error: the audio cannot be decoded\n")


async def test_a_file_that_is_not_there_is_wrong_usage(voicemesh: Command) -> None:
    status, _, errors = await voicemesh("transcribe", "nowhere.wav")

    assert status == 2
    assert "nowhere.wav" in errors


async def test_say_writes_the_format_of_the_ending(
    voicemesh: Command, script: Any, tmp_path: Path
) -> None:
    async def synthesize(request: Any, _context: Any) -> tts_pb.SynthesizeResponse:
        script.requests.append(request)
        return tts_pb.SynthesizeResponse(audio=b"OggS", voice="piper:joe")

    script.Synthesize = synthesize
    target = tmp_path / "hello.ogg"
    said = await voicemesh("say", "-", "-o", str(target), "--tts", script.target, text="Hello.")

    assert said == (0, f"{target}: 0.00 s by piper:joe\n", "")
    assert target.read_bytes() == b"OggS"
    assert script.requests[0].text == "Hello."


async def test_say_knows_the_formats_that_it_can_write(voicemesh: Command) -> None:
    status, _, errors = await voicemesh("say", "Hello.", "-o", "hello.aac")

    assert status == 2
    assert ".wav" in errors


async def test_ask_prints_the_answer(voicemesh: Command, script: Any) -> None:
    async def generate(request: Any, _context: Any) -> AsyncIterator[trainer_pb.GenerateResponse]:
        for word in ("You said: ", request.history[0].text):
            yield trainer_pb.GenerateResponse(delta=trainer_pb.GenerationDelta(text=word))

    script.Generate = generate
    asked = await voicemesh("ask", "Who leads?", "--trainer", script.target)

    assert asked == (0, "You said: Who leads?\n", "")


async def test_a_service_that_is_not_there_is_one_sentence(voicemesh: Command) -> None:
    asked = await voicemesh("ask", "Who leads?", "--trainer", NOWHERE)

    assert asked == (1, "", f"error: no service answers at {NOWHERE}\n")


async def test_a_service_with_tls_is_not_taken_for_one_that_is_not_there(
    voicemesh: Command, secured: str, foreign_ca_file: Path, tmp_path: Path
) -> None:
    recording = tmp_path / "talk.wav"
    recording.write_bytes(b"RIFF")
    command = ("transcribe", str(recording), "--stt", secured)

    plain = await voicemesh(*command)
    foreign = await voicemesh("--ca-file", str(foreign_ca_file), *command)

    assert plain[:2] == foreign[:2] == (1, "")
    hint = "(--ca-file before the command, or VOICEMESH_CLIENT_CA_FILE)"
    assert (
        plain[2]
        .splitlines()[-1]
        .endswith(f"if it serves TLS, pass its authorities as ca_file {hint}")
    )
    assert f"error: the certificate of {secured} is not trusted: no authority" in foreign[2]


@pytest.mark.parametrize(
    ("command", "sentence"),
    [("ask", "the question is blank"), ("say", "the text to speak is blank")],
)
@pytest.mark.parametrize("given", ["", " \n", "-"])
async def test_nothing_to_ask_or_say_is_wrong_usage(
    voicemesh: Command, command: str, given: str, sentence: str
) -> None:
    assert await voicemesh(command, given, text="\n") == (2, "", f"error: {sentence}\n")


@pytest.mark.parametrize(
    "command",
    [
        (),
        ("transcribe",),
        ("say",),
        ("ask",),
        ("status",),
        ("voices", "list"),
        ("voices", "create"),
        ("voices", "delete"),
        ("teach",),
        ("train",),
        ("forget",),
        *(("persona", each) for each in ("show", "set")),
        *(("jobs", each) for each in ("list", "watch", "curve")),
        *(("datasets", each) for each in ("list", "import", "preview", "export", "split")),
        *(("tuned", each) for each in ("list", "evaluate", "promote", "history")),
    ],
)
async def test_the_help_names_every_variable_whole_on_a_narrow_terminal(
    voicemesh: Command, command: tuple[str, ...]
) -> None:
    status, output, _ = await voicemesh(*command, "--help", columns=80)

    assert status == 0
    assert "…" not in output
    assert "VOICEMESH_CLIENT_" in output


async def test_status_says_why_a_service_is_unreachable_and_guesses_no_version(
    voicemesh: Command, script: Any, secured: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VOICEMESH_CLIENT_STT_METRICS_URL", script.metrics_url)
    monkeypatch.setenv("VOICEMESH_CLIENT_TTS_METRICS_URL", script.metrics_url)
    others = ["--tts", script.target, "--trainer", script.target, "--bot", script.target]
    status, output, errors = await voicemesh("status", "--stt", secured, *others)

    rows = [line.split() for line in output.splitlines()]
    assert status == 1
    assert rows[1] == ["stt", secured, "unreachable", "-"]
    assert rows[2][:3] == ["tts", script.target, "serving"]
    assert rows[2][3] != "-"
    assert f"error: stt: {secured} closes the connection: if it serves TLS" in errors


async def test_status_fails_unless_all_are_serving(voicemesh: Command, script: Any) -> None:
    serving = ["--stt", script.target, "--tts", script.target, "--trainer", script.target]
    status, output, errors = await voicemesh("status", *serving, "--bot", NOWHERE)

    rows = [line.split() for line in output.splitlines()]
    assert (status, errors) == (1, "")
    assert rows[1] == ["stt", script.target, "serving", "-"]
    assert rows[4] == ["bot", NOWHERE, "unreachable", "-"]


async def test_status_succeeds_if_all_are_serving(voicemesh: Command, script: Any) -> None:
    options = (option for name in ("stt", "tts", "trainer", "bot") for option in (f"--{name}",))
    arguments = [part for option in options for part in (option, script.target)]

    status, _, _ = await voicemesh("status", *arguments)

    assert status == 0


async def test_models_are_a_command_of_it(voicemesh: Command) -> None:
    status, output, _ = await voicemesh("models", "list")

    assert status == 0
    assert "whisper-tiny.en" in output
