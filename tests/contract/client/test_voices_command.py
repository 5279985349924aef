"""`voicemesh voices` as a process against a scripted service."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from voicemesh.tts.v1 import text_to_speech_service_pb2 as pb
from voicemesh_chassis.errors import InvalidArgumentError, NotFoundError

pytestmark = pytest.mark.contract

Command = Callable[..., Awaitable[tuple[int, str, str]]]
JOE = pb.Voice(
    id="piper:en_US-joe-medium",
    display_name="Joe",
    language_codes=["en-US"],
    gender=pb.VOICE_GENDER_MALE,
    sample_rate_hertz=22_050,
    license="CC0-1.0",
    loaded=True,
    default_voice=True,
)
ANN = pb.Voice(
    id="coqui:cloned-7f",
    display_name="[Ann]",
    language_codes=["en", "de", "fr", "es", "it"],
    sample_rate_hertz=24_000,
    tenant="42",
)


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    file = tmp_path / "ann.wav"
    file.write_bytes(b"RIFF of Ann")
    return file


async def test_voices_are_listed_with_what_one_must_know_to_choose(
    voicemesh: Command, script: Any
) -> None:
    async def voices(_request: Any, _context: Any) -> pb.ListVoicesResponse:
        return pb.ListVoicesResponse(voices=[JOE, ANN])

    script.ListVoices = voices
    command = ("voices", "list", "--language", "en", "--tenant", "42", "--tts", script.target)
    status, output, errors = await voicemesh(*command)

    assert (status, errors) == (0, "")
    heading, joe, ann = (line.split() for line in output.splitlines())
    assert heading == ["VOICE", "NAME", "LANGUAGES", "GENDER", "HERTZ", "STATE", "LICENCE"]
    assert joe == [
        *("piper:en_US-joe-medium", "Joe", "en-US", "male", "22050", "loaded,", "default"),
        "CC0-1.0",
    ]
    assert ann == [
        *("coqui:cloned-7f", "[Ann]", "5", "languages", "24000", "on", "demand,", "of", "42"),
    ]
    (request,) = script.requests
    assert (request.language_code, request.tenant) == ("en", "42")


async def test_a_voice_is_made_of_a_recording_and_named(
    voicemesh: Command, script: Any, recording: Path
) -> None:
    async def create(_request: Any, _context: Any) -> pb.CreateVoiceResponse:
        return pb.CreateVoiceResponse(voice=ANN)

    script.CreateVoice = create
    made = await voicemesh(
        *("voices", "create", str(recording), "--tenant", "42", "--name", "Ann"),
        *("--language", "en", "--consent", "--tts", script.target),
    )

    assert made == (0, "coqui:cloned-7f\n", "")
    assert script.requests == [
        pb.CreateVoiceRequest(
            tenant="42",
            display_name="Ann",
            language_code="en",
            reference_audio=b"RIFF of Ann",
            speaker_consents=True,
        )
    ]


async def test_without_consent_nothing_is_sent(
    voicemesh: Command, script: Any, recording: Path
) -> None:
    status, output, errors = await voicemesh(
        *("voices", "create", str(recording), "--tenant", "42", "--name", "Ann"),
        *("--language", "en", "--tts", script.target),
    )

    assert (status, output) == (2, "")
    assert errors == (
        "error: a voice is cloned only if the person recorded agreed: say so with --consent\n"
    )
    assert script.requests == []


async def test_what_is_wrong_with_a_recording_is_the_error(
    voicemesh: Command, script: Any, recording: Path
) -> None:
    async def create(_request: Any, _context: Any) -> pb.CreateVoiceResponse:
        raise InvalidArgumentError("the recording has 1.0 s", field="reference_audio")

    script.CreateVoice = create
    made = await voicemesh(
        *("voices", "create", str(recording), "--tenant", "42", "--name", "Ann"),
        *("--language", "en", "--consent", "--tts", script.target),
    )

    assert made == (1, "", "error: the recording has 1.0 s\n")


async def test_a_recording_that_is_not_there_is_wrong_usage(voicemesh: Command) -> None:
    status, _, errors = await voicemesh(
        *("voices", "create", "nowhere.wav", "--tenant", "42", "--name", "Ann"),
        *("--language", "en", "--consent"),
    )

    assert status == 2
    assert "nowhere.wav" in errors


async def test_a_voice_is_deleted(voicemesh: Command, script: Any) -> None:
    async def delete(_request: Any, _context: Any) -> pb.DeleteVoiceResponse:
        return pb.DeleteVoiceResponse()

    script.DeleteVoice = delete
    command = ("voices", "delete", "coqui:cloned-7f", "--tenant", "42", "--tts", script.target)

    assert await voicemesh(*command) == (0, "coqui:cloned-7f is deleted\n", "")
    assert script.requests == [pb.DeleteVoiceRequest(tenant="42", voice="coqui:cloned-7f")]


async def test_a_voice_that_is_not_there_cannot_be_deleted(voicemesh: Command, script: Any) -> None:
    async def delete(_request: Any, _context: Any) -> pb.DeleteVoiceResponse:
        raise NotFoundError("there is no voice 'x'")

    script.DeleteVoice = delete
    command = ("voices", "delete", "x", "--tenant", "42", "--tts", script.target)

    assert await voicemesh(*command) == (1, "", "error: there is no voice 'x'\n")


async def test_a_tenant_must_be_named(voicemesh: Command, recording: Path) -> None:
    create = ("create", str(recording), "--name", "Ann", "--language", "en", "--consent")
    for command in (create, ("delete", "coqui:x")):
        status, _, errors = await voicemesh("voices", *command)

        assert status == 2
        assert "--tenant" in errors
