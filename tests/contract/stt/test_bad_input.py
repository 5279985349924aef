"""What callers get wrong: always a status that names the field, and nothing left behind."""

from __future__ import annotations

import asyncio
import gc
import io
import threading
import wave
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import grpc
import httpx
import numpy as np
import pytest
from google.protobuf.duration_pb2 import Duration

from voicemesh.common.v1 import audio_pb2
from voicemesh.stt.v1 import speech_to_text_service_pb2 as pb

pytestmark = [pytest.mark.contract, pytest.mark.asyncio(loop_scope="module")]

INVALID = grpc.StatusCode.INVALID_ARGUMENT
S16 = audio_pb2.AUDIO_ENCODING_PCM_S16LE
OPUS = audio_pb2.AUDIO_ENCODING_OPUS_PACKETS
WAV = audio_pb2.AUDIO_ENCODING_WAV


def s16(rate: int = 16_000, channels: int = 1) -> audio_pb2.AudioFormat:
    return audio_pb2.AudioFormat(encoding=S16, sample_rate_hertz=rate, channel_count=channels)


def wav(seconds: float = 1.0) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as output:
        output.setnchannels(1)
        output.setsampwidth(2)
        output.setframerate(16_000)
        output.writeframes(bytes(int(32_000 * seconds)))
    return file.getvalue()


PLAYLIST = b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n"
CONCAT = b"ffconcat version 1.0\nfile /etc/passwd\n"


@pytest.mark.parametrize(
    ("audio", "audio_format"),
    [
        (b"", None),
        (b"", s16()),
        (b"RIFF", None),
        (b"hello, this is not audio at all\n" * 100, None),
        (np.random.default_rng(1).bytes(50_000), None),
        (bytes(5_000), None),
        (b"<html><body>404</body></html>", audio_pb2.AudioFormat(encoding=WAV)),
        (PLAYLIST, None),
        (CONCAT, None),
        (wav()[:-10_000], None),
        (wav()[:44], None),
        (wav()[:30], None),
        (wav(), audio_pb2.AudioFormat(encoding=audio_pb2.AUDIO_ENCODING_FLAC)),
        (bytes(32_001), s16()),
        (bytes(32_002), s16(channels=2)),
    ],
    ids=[
        "empty",
        "empty-raw",
        "four-bytes",
        "text",
        "random",
        "zeros",
        "html",
        "playlist",
        "concat",
        "truncated",
        "header-only",
        "half-a-header",
        "another-format",
        "half-a-sample",
        "half-a-frame",
    ],
)
async def test_what_is_not_whole_audio_names_the_audio(
    stt: Any, audio: bytes, audio_format: audio_pb2.AudioFormat | None
) -> None:
    request = pb.TranscribeRequest(audio=audio, format=audio_format)

    problem = await stt.problem(stt.stub.Transcribe(request))

    assert (problem.code, problem.reason, problem.fields) == (INVALID, "INVALID_AUDIO", ("audio",))


@pytest.mark.parametrize("name", ["jfk.flac", "librivox-0870.wav"])
async def test_a_truncated_file_says_that_it_is_cut_off(stt: Any, speech: Path, name: str) -> None:
    audio = (speech / name).read_bytes()

    problem = await stt.problem(
        stt.stub.Transcribe(pb.TranscribeRequest(audio=audio[: len(audio) // 2]))
    )

    assert (problem.code, problem.fields) == (INVALID, ("audio",))
    assert "cut off" in problem.message


@pytest.mark.parametrize(
    ("config", "audio_format", "field"),
    [
        ({}, s16(rate=0), "format.sample_rate_hertz"),
        ({}, s16(rate=7_999), "format.sample_rate_hertz"),
        ({}, s16(rate=1_000_000), "format.sample_rate_hertz"),
        ({}, s16(rate=-1), "format.sample_rate_hertz"),
        ({}, s16(channels=9), "format.channel_count"),
        ({}, s16(channels=-1), "format.channel_count"),
        ({}, audio_pb2.AudioFormat(encoding=OPUS), "format.encoding"),
        ({}, audio_pb2.AudioFormat(encoding=77), "format.encoding"),  # type: ignore[arg-type]
        ({"language_code": "klingon!"}, None, "config.language_code"),
        ({"language_code": "xx"}, None, "config.language_code"),
        ({"language_code": "ru"}, None, "config.language_code"),
        ({"task": pb.TRANSCRIPTION_TASK_TRANSLATE}, None, "config.task"),
        ({"task": 9}, None, "config.task"),
        ({"beam_size": 0}, None, "config.beam_size"),
        ({"beam_size": 11}, None, "config.beam_size"),
        ({"initial_prompt": "x" * 1_001}, None, "config.initial_prompt"),
        ({"hotwords": ["x"] * 101}, None, "config.hotwords"),
        ({"hotwords": ["fine", "x" * 51]}, None, "config.hotwords[1]"),
        ({"hotwords": [" "]}, None, "config.hotwords[0]"),
    ],
)
async def test_a_wrong_field_is_named(
    stt: Any, config: dict[str, Any], audio_format: audio_pb2.AudioFormat | None, field: str
) -> None:
    request = pb.TranscribeRequest(
        config=pb.TranscriptionConfig(**config), format=audio_format, audio=wav()
    )

    problem = await stt.problem(stt.stub.Transcribe(request))

    assert (problem.code, problem.fields) == (INVALID, (field,))
    assert field in problem.message


async def test_an_unknown_model_is_not_found(stt: Any, stream: Any) -> None:
    request = pb.TranscribeRequest(audio=wav(), config=pb.TranscriptionConfig(model="whisper-9"))
    config = pb.StreamTranscribeConfig(transcription=pb.TranscriptionConfig(model="whisper-9"))

    whole = await stt.problem(stt.stub.Transcribe(request))
    live = await stt.problem(stt.listen(stream(b"", config=config)))

    assert (whole.code, whole.reason) == (grpc.StatusCode.NOT_FOUND, "UNKNOWN_MODEL")
    assert "whisper-9" in whole.message
    assert "whisper-tiny.en" in whole.message
    assert live.code is grpc.StatusCode.NOT_FOUND
    assert "config.transcription.model" in live.message


async def test_an_upload_of_200_mb_is_refused(stt: Any) -> None:
    request = pb.TranscribeRequest(audio=bytes(200_000_000))

    problem = await stt.problem(stt.stub.Transcribe(request))

    assert problem.code is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert problem.fields == ("request",)
    assert "200000" in problem.message


async def test_a_message_over_the_limit_names_the_limit(stt: Any) -> None:
    problem = await stt.problem(stt.stub.Transcribe(pb.TranscribeRequest(audio=bytes(40_000_000))))

    assert problem.code is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert problem.fields == ("request",)


async def test_a_small_file_that_decodes_to_hours_is_refused(
    stt: Any, pcm: Callable[[Any], bytes]
) -> None:
    rate_of_eight = s16(rate=8_000)
    request = pb.TranscribeRequest(audio=bytes(31_000_000), format=rate_of_eight)

    problem = await stt.problem(stt.stub.Transcribe(request))

    assert problem.code is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert (problem.reason, problem.fields) == ("AUDIO_TOO_LONG", ("audio",))


def config_request(audio_format: audio_pb2.AudioFormat, **more: Any) -> pb.StreamTranscribeRequest:
    return pb.StreamTranscribeRequest(config=pb.StreamTranscribeConfig(format=audio_format, **more))


AUDIO = pb.StreamTranscribeRequest(audio=bytes(640))
PACKET = pb.StreamTranscribeRequest(packet=audio_pb2.OpusPacket(data=b"\xf8\xff\xfe"))
OPUS_FORMAT = audio_pb2.AudioFormat(encoding=OPUS)


def packet(**fields: Any) -> pb.StreamTranscribeRequest:
    return pb.StreamTranscribeRequest(packet=audio_pb2.OpusPacket(**fields))


@pytest.mark.parametrize(
    ("requests", "field"),
    [
        ([], "config"),
        ([AUDIO], "config"),
        ([pb.StreamTranscribeRequest(finish_turn=pb.FinishTurn())], "config"),
        ([pb.StreamTranscribeRequest()], "config"),
        ([config_request(s16()), config_request(s16())], "config"),
        ([config_request(s16()), AUDIO, config_request(s16())], "config"),
        ([config_request(s16()), pb.StreamTranscribeRequest()], "payload"),
        ([config_request(s16()), PACKET], "packet"),
        ([config_request(OPUS_FORMAT), AUDIO], "audio"),
        ([config_request(OPUS_FORMAT), packet(data=b"")], "packet.data"),
        ([config_request(OPUS_FORMAT), packet(data=bytes(7_665))], "packet.data"),
        ([config_request(OPUS_FORMAT), packet(data=b"x", sequence=65_536)], "packet.sequence"),
        (
            [config_request(OPUS_FORMAT), packet(data=b"x", rtp_timestamp=-1)],
            "packet.rtp_timestamp",
        ),
        ([config_request(s16()), pb.StreamTranscribeRequest(audio=bytes(1_048_578))], "audio"),
        ([config_request(s16(rate=4_000))], "config.format.sample_rate_hertz"),
        ([config_request(audio_pb2.AudioFormat())], "config.format.encoding"),
        ([config_request(audio_pb2.AudioFormat(encoding=WAV))], "config.format.encoding"),
        (
            [config_request(audio_pb2.AudioFormat(encoding=OPUS, sample_rate_hertz=16_000))],
            "config.format.sample_rate_hertz",
        ),
        (
            [config_request(s16(), transcription=pb.TranscriptionConfig(language_code="de"))],
            "config.transcription.language_code",
        ),
        (
            [config_request(s16(), transcription=pb.TranscriptionConfig(separate_channels=True))],
            "config.transcription.separate_channels",
        ),
    ],
)
async def test_a_stream_in_disorder_names_the_field(
    stt: Any, requests: list[pb.StreamTranscribeRequest], field: str
) -> None:
    problem = await stt.problem(stt.listen(requests))

    assert (problem.code, problem.fields) == (INVALID, (field,))


@pytest.mark.parametrize(
    ("detection", "field"),
    [
        ({"start_threshold": 0.99}, "start_threshold"),
        ({"start_threshold": float("nan")}, "start_threshold"),
        ({"start_threshold": 0.5, "end_threshold": 0.6}, "end_threshold"),
        ({"pre_roll_duration": Duration(seconds=3)}, "pre_roll_duration"),
        ({"min_speech_duration": Duration(seconds=-1)}, "min_speech_duration"),
        ({"soft_stop_duration": Duration()}, "soft_stop_duration"),
        ({"complete_silence_duration": Duration(nanos=1)}, "complete_silence_duration"),
        ({"unsure_silence_duration": Duration(nanos=200_000_000)}, "unsure_silence_duration"),
        ({"incomplete_silence_duration": Duration(seconds=11)}, "incomplete_silence_duration"),
        ({"max_turn_duration": Duration(seconds=121)}, "max_turn_duration"),
    ],
)
async def test_turn_detection_out_of_bounds_names_the_field(
    stt: Any, detection: dict[str, Any], field: str
) -> None:
    request = config_request(s16(), turn_detection=pb.TurnDetection(**detection))

    problem = await stt.problem(stt.listen([request]))

    assert (problem.code, problem.fields) == (INVALID, (f"config.turn_detection.{field}",))


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        (pb.ListModelsRequest(page_size=-1), "page_size"),
        (pb.ListModelsRequest(page_token="%%%"), "page_token"),
    ],
)
async def test_a_wrong_page_names_the_field(
    stt: Any, request_: pb.ListModelsRequest, field: str
) -> None:
    problem = await stt.problem(stt.stub.ListModels(request_))

    assert (problem.code, problem.fields) == (INVALID, (field,))


async def test_a_stream_without_audio_ends(stt: Any) -> None:
    async def waiting() -> AsyncIterator[pb.StreamTranscribeRequest]:
        yield config_request(s16())
        await asyncio.sleep(30)

    async def call() -> None:
        async for _ in stt.stub.StreamTranscribe(waiting()):
            pass

    problem = await stt.problem(call())

    assert (problem.code, problem.reason) == (grpc.StatusCode.DEADLINE_EXCEEDED, "STREAM_IDLE")


async def test_a_deadline_that_is_too_short_is_honoured(
    stt: Any, voice: Callable[[str], Any], pcm: Callable[[Any], bytes]
) -> None:
    audio = pcm(np.tile(voice("librivox-0920.wav"), 100))
    request = pb.TranscribeRequest(audio=audio, format=s16())

    problem = await stt.problem(stt.stub.Transcribe(request, timeout=1.0))

    assert problem.code is grpc.StatusCode.DEADLINE_EXCEEDED
    await settled(stt)


def stt_tasks() -> list[str]:
    return [task.get_name() for task in asyncio.all_tasks() if task.get_name().startswith("stt-")]


async def settled(stt: Any) -> None:
    """Waits, for ten seconds at most, until no stream, task or job of the service is left."""
    async with httpx.AsyncClient(trust_env=False) as http, asyncio.timeout(10):
        while True:
            text = (await http.get(f"{stt.running.http_url}/metrics")).text
            idle = all(
                f"\n{line} 0.0\n" in text
                for line in (
                    "voicemesh_stt_active_streams",
                    "voicemesh_stt_queued_jobs",
                    "voicemesh_admission_used",
                )
            )
            if idle and set(stt_tasks()) <= {"stt-engine-worker", "stt-idle-models"}:
                return
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("heard_s", [0.0, 0.5, 2.0, 6.05, 6.3])
async def test_a_client_that_vanishes_leaves_nothing_behind(
    stt: Any, stream: Any, voice: Callable[[str], Any], pcm: Callable[[Any], bytes], heard_s: float
) -> None:
    await settled(stt)
    threads = threading.active_count()
    audio = np.pad(voice("librivox-0920.wav"), (0, 16_000))
    audio = audio[: round(16_000 * heard_s)]
    config = pb.StreamTranscribeConfig(partials=True)

    async def sending() -> AsyncIterator[pb.StreamTranscribeRequest]:
        for request in stream(pcm(audio), config=config):
            yield request
        await asyncio.sleep(60)

    async with grpc.aio.insecure_channel(stt.running.target) as channel:
        call = pb_stub(channel).StreamTranscribe(sending())
        await asyncio.sleep(0.15)
        call.cancel()
    await settled(stt)
    gc.collect()

    # Threads of the pools may have been made: two each for live audio, features and the engine.
    assert threading.active_count() <= threads + 6


def pb_stub(channel: grpc.aio.Channel) -> Any:
    from voicemesh.stt.v1 import speech_to_text_service_pb2_grpc as pb_grpc

    return pb_grpc.SpeechToTextServiceStub(channel)


async def test_a_caller_that_vanishes_in_a_recording_leaves_nothing_behind(
    stt: Any, voice: Callable[[str], Any], pcm: Callable[[Any], bytes]
) -> None:
    audio = pcm(np.tile(voice("librivox-0920.wav"), 100))

    call = stt.stub.Transcribe(pb.TranscribeRequest(audio=audio, format=s16()))
    await asyncio.sleep(0.3)
    call.cancel()

    await settled(stt)
