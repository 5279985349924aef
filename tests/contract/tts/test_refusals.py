"""Requests that cannot be served: always a clear status that names the field."""

from __future__ import annotations

import math
import time
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest
from google.protobuf.duration_pb2 import Duration

from voicemesh.common.v1 import audio_pb2
from voicemesh.tts.v1 import text_to_speech_service_pb2 as pb
from voicemesh.tts.v1 import text_to_speech_service_pb2_grpc as pb_grpc
from voicemesh_chassis.channel import error_from_rpc
from voicemesh_chassis.errors import ServiceError
from voicemesh_chassis.settings import ServerSettings
from voicemesh_chassis.testing import running
from voicemesh_tts.__main__ import build
from voicemesh_tts.settings import TtsSettings

pytestmark = [pytest.mark.contract, pytest.mark.asyncio(loop_scope="module")]

Config = pb.SynthesisConfig


async def refusal(call: Any) -> ServiceError:
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await call
    error = error_from_rpc(raised.value)
    assert "Traceback" not in error.message
    assert len(error.message) < 400
    return error


def form(encoding: int = 0, rate: int = 0, channels: int = 0) -> Config:
    return Config(
        format=audio_pb2.AudioFormat(
            encoding=encoding,  # type: ignore[arg-type]
            sample_rate_hertz=rate,
            channel_count=channels,
        )
    )


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "INVALID_ARGUMENT"),
        (" \n\t", "INVALID_ARGUMENT"),
        ("🎉🎉🎉", "NOTHING_TO_SPEAK"),
        ("... ?!", "NOTHING_TO_SPEAK"),
        ("```\ncode\n```", "NOTHING_TO_SPEAK"),
        ("a" * 5_001, "TEXT_TOO_LONG"),
        ("a " * 50_000, "TEXT_TOO_LONG"),
    ],
    ids=["empty", "blank", "emoji", "marks", "code", "5001", "100000"],
)
async def test_texts_that_cannot_be_spoken(stub: Any, text: str, reason: str) -> None:
    begin = time.monotonic()
    error = await refusal(stub.Synthesize(pb.SynthesizeRequest(text=text)))

    assert (error.code, error.reason, error.field) == ("INVALID_ARGUMENT", reason, "text")
    assert time.monotonic() - begin < 1


BAD_CONFIGS = [
    (Config(voice="piper:nobody"), "NOT_FOUND", "config.voice"),
    (Config(voice="no such engine"), "NOT_FOUND", "config.voice"),
    (Config(language_code="sv"), "INVALID_ARGUMENT", "config.language_code"),
    (Config(language_code="!"), "INVALID_ARGUMENT", "config.language_code"),
    (Config(speaking_rate=0.2), "INVALID_ARGUMENT", "config.speaking_rate"),
    (Config(speaking_rate=4.1), "INVALID_ARGUMENT", "config.speaking_rate"),
    (Config(speaking_rate=math.nan), "INVALID_ARGUMENT", "config.speaking_rate"),
    (Config(pitch_semitones=21), "INVALID_ARGUMENT", "config.pitch_semitones"),
    (Config(pitch_semitones=math.nan), "INVALID_ARGUMENT", "config.pitch_semitones"),
    (Config(tenant="a\0b"), "INVALID_ARGUMENT", "config.tenant"),
    (Config(tenant="x" * 129), "INVALID_ARGUMENT", "config.tenant"),
    (Config(voice="piper:../../etc/passwd", tenant=".."), "NOT_FOUND", "config.voice"),
    (Config(volume_gain_db=17), "INVALID_ARGUMENT", "config.volume_gain_db"),
    (Config(volume_gain_db=-math.inf), "INVALID_ARGUMENT", "config.volume_gain_db"),
    (form(rate=7_999), "INVALID_ARGUMENT", "config.format.sample_rate_hertz"),
    (form(rate=96_000), "INVALID_ARGUMENT", "config.format.sample_rate_hertz"),
    (form(rate=-1), "INVALID_ARGUMENT", "config.format.sample_rate_hertz"),
    (form(9, rate=16_000), "INVALID_ARGUMENT", "config.format.sample_rate_hertz"),
    (form(7, rate=10_000), "INVALID_ARGUMENT", "config.format.sample_rate_hertz"),
    (form(channels=3), "INVALID_ARGUMENT", "config.format.channel_count"),
    (form(77), "INVALID_ARGUMENT", "config.format.encoding"),
    (
        Config(leading_silence_duration=Duration(seconds=3)),
        "INVALID_ARGUMENT",
        "config.leading_silence_duration",
    ),
    (
        # Sums up to one second, but no duration is written like that.
        Config(leading_silence_duration=Duration(seconds=3, nanos=-2_000_000_000)),
        "INVALID_ARGUMENT",
        "config.leading_silence_duration",
    ),
    (
        Config(leading_silence_duration=Duration(seconds=-1)),
        "INVALID_ARGUMENT",
        "config.leading_silence_duration",
    ),
    (
        Config(pronunciations=[pb.Pronunciation(written="a", respelling="b")] * 1_001),
        "INVALID_ARGUMENT",
        "config.pronunciations",
    ),
    (
        Config(
            pronunciations=[
                pb.Pronunciation(written="a", respelling="b"),
                pb.Pronunciation(written="b"),
            ]
        ),
        "INVALID_ARGUMENT",
        "config.pronunciations[1]",
    ),
    (
        Config(pronunciations=[pb.Pronunciation(written="a", phonemes="[[x]]")]),
        "INVALID_ARGUMENT",
        "config.pronunciations[0]",
    ),
]


@pytest.mark.parametrize(("config", "code", "field"), BAD_CONFIGS)
async def test_configs_that_cannot_be_served(
    stub: Any, say: Any, config: Config, code: str, field: str
) -> None:
    whole = await refusal(stub.Synthesize(pb.SynthesizeRequest(text="Hello.", config=config)))
    streamed = await refusal(say(config, "Hello."))

    for error in (whole, streamed):
        assert error.code == code
        assert error.metadata["field"] == field


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ("", "INVALID_ARGUMENT"),
        ("Hello.", "INVALID_ARGUMENT"),
        ("<speak>Hello", "INVALID_ARGUMENT"),
        ("<speak><script>Hello</script></speak>", "INVALID_ARGUMENT"),
        ("<speak>&lol;</speak>", "INVALID_ARGUMENT"),
        (
            '<!DOCTYPE s [<!ENTITY a "aa"><!ENTITY b "&a;&a;">]><speak>&b;</speak>',
            "INVALID_ARGUMENT",
        ),
        ("<speak>...</speak>", "NOTHING_TO_SPEAK"),
        ("<speak>" + "a" * 5_000 + "</speak>", "TEXT_TOO_LONG"),
    ],
    ids=["empty", "text", "unclosed", "unknown", "entity", "bomb", "no words", "long"],
)
async def test_documents_that_cannot_be_spoken(stub: Any, document: str, reason: str) -> None:
    error = await refusal(stub.Synthesize(pb.SynthesizeRequest(ssml=document)))

    # An empty document is no different from no input at all.
    field = "ssml" if document else error.field
    assert (error.code, error.reason, error.field) == ("INVALID_ARGUMENT", reason, field)


@pytest.mark.parametrize(
    ("messages", "field"),
    [
        ([], "config"),
        ([pb.StreamSynthesizeRequest(text="Hello.")], "config"),
        ([pb.StreamSynthesizeRequest()], "config"),
        ([pb.StreamSynthesizeRequest(config=Config())] * 2, "config"),
        (
            [pb.StreamSynthesizeRequest(config=Config()), pb.StreamSynthesizeRequest()],
            "payload",
        ),
        (
            [
                pb.StreamSynthesizeRequest(config=Config()),
                pb.StreamSynthesizeRequest(text="a" * 5_001),
            ],
            "text",
        ),
    ],
    ids=["nothing", "text first", "empty first", "config twice", "empty later", "long text"],
)
async def test_streams_out_of_order(
    stub: Any, messages: list[pb.StreamSynthesizeRequest], field: str
) -> None:
    async def run() -> None:
        async for _ in stub.StreamSynthesize(iter(messages), timeout=10):
            pass

    error = await refusal(run())

    assert (error.code, error.field) == ("INVALID_ARGUMENT", field)


@pytest.mark.parametrize("encoding", [audio_pb2.AUDIO_ENCODING_WAV, audio_pb2.AUDIO_ENCODING_MULAW])
async def test_audio_that_fits_into_no_message_is_refused(models_dir: Path, encoding: int) -> None:
    settings = TtsSettings(server=ServerSettings(max_message_bytes=128 * 1024))
    request = pb.SynthesizeRequest(
        text="This sentence is one of very many of them. " * 20,
        config=form(encoding, rate=24_000),
    )
    async with running(build(settings), settings) as service:
        stub = pb_grpc.TextToSpeechServiceStub(service.channel())

        error = await refusal(stub.Synthesize(request))

    assert (error.code, error.reason) == ("RESOURCE_EXHAUSTED", "AUDIO_TOO_LARGE")
    assert not error.retryable


async def test_voices_cannot_be_cloned_without_an_engine_that_can(stub: Any) -> None:
    wish = pb.CreateVoiceRequest(
        tenant="t",
        display_name="Me",
        language_code="en",
        reference_audio=b"a recording",
        speaker_consents=True,
    )
    made = await refusal(stub.CreateVoice(wish))
    deleted = await refusal(stub.DeleteVoice(pb.DeleteVoiceRequest(tenant="t", voice="piper:x")))

    assert {made.code, deleted.code} == {"FAILED_PRECONDITION"}
    assert made.reason == "CLONING_UNAVAILABLE"


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        (pb.ListVoicesRequest(page_size=-1), "page_size"),
        (pb.ListVoicesRequest(page_token="?"), "page_token"),
        (pb.ListVoicesRequest(language_code="no language"), "language_code"),
        (pb.ListVoicesRequest(tenant="a\nb"), "tenant"),
    ],
)
async def test_lists_that_cannot_be_made(
    stub: Any, request_: pb.ListVoicesRequest, field: str
) -> None:
    error = await refusal(stub.ListVoices(request_))

    assert (error.code, error.field) == ("INVALID_ARGUMENT", field)


async def test_the_installed_voice_is_listed_as_it_is(stub: Any) -> None:
    listed = await stub.ListVoices(pb.ListVoicesRequest(language_code="en"))
    (joe,) = [voice for voice in listed.voices if voice.id == "piper:en_US-joe-medium"]

    assert joe.language_codes == ["en-US"]
    assert (joe.sample_rate_hertz, joe.engine, joe.license) == (22_050, "piper", "CC0-1.0")
    assert joe.loaded
    assert joe.default_voice
    assert joe.gender == pb.VOICE_GENDER_MALE
    assert not (await stub.ListVoices(pb.ListVoicesRequest(language_code="sv"))).voices
