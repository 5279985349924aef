"""What nobody sends by accident: every service stays up, says what is wrong, and keeps nothing."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import grpc
import grpc.aio
import pytest
import pytest_asyncio

from voicemesh.stt.v1 import speech_to_text_service_pb2 as stt_pb
from voicemesh.stt.v1 import speech_to_text_service_pb2_grpc as stt_grpc
from voicemesh.trainer.v1 import trainer_service_pb2 as trainer_pb
from voicemesh.trainer.v1 import trainer_service_pb2_grpc as trainer_grpc
from voicemesh.tts.v1 import text_to_speech_service_pb2 as tts_pb
from voicemesh.tts.v1 import text_to_speech_service_pb2_grpc as tts_grpc
from voicemesh_bot.bot import build as build_bot
from voicemesh_bot.settings import BackendSettings, BotSettings, ConsoleSettings
from voicemesh_chassis.channel import error_from_rpc
from voicemesh_chassis.errors import ServiceError
from voicemesh_chassis.testing import RunningService, running
from voicemesh_stt.__main__ import build as build_stt
from voicemesh_stt.settings import SttSettings
from voicemesh_trainer.__main__ import build as build_trainer
from voicemesh_trainer.settings import TrainerSettings
from voicemesh_tts.__main__ import build as build_tts
from voicemesh_tts.settings import TtsSettings

pytestmark = [
    pytest.mark.integration,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.timeout(60),
]

SECRET = "xylophone"
"""A word that no log may hold."""
ENDS_S = 20.0


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stt(models_dir: Path) -> AsyncIterator[RunningService]:
    settings = SttSettings(models_dir=models_dir)
    async with running(build_stt(settings), settings) as service:
        yield service


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def tts(models_dir: Path) -> AsyncIterator[RunningService]:
    settings = TtsSettings()
    async with running(build_tts(settings), settings) as service:
        yield service


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def trainer(models_dir: Path) -> AsyncIterator[RunningService]:
    settings = TrainerSettings(backend="local")
    async with running(build_trainer(settings), settings) as service:
        yield service


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def console() -> AsyncIterator[str]:
    """`http://127.0.0.1:PORT` of a bot's console whose services are not there."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    nobody = BackendSettings(target="127.0.0.1:1")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("DISCORD_TOKEN", raising=False)
        settings = BotSettings(
            console=ConsoleSettings(port=port), stt=nobody, tts=nobody, trainer=nobody
        )
    async with running(build_bot(settings), settings):
        yield f"http://127.0.0.1:{port}"


def hearing(service: RunningService) -> Any:
    return stt_grpc.SpeechToTextServiceStub(service.channel(max_message_bytes=1 << 28))


def speaking(service: RunningService) -> Any:
    return tts_grpc.TextToSpeechServiceStub(service.channel(max_message_bytes=1 << 26))


def answering(service: RunningService) -> Any:
    return trainer_grpc.TrainerServiceStub(service.channel())


async def collected(call: Any) -> list[Any]:
    return [message async for message in call]


async def refusal(call: Any) -> ServiceError:
    """What a call that must fail is told; checks what holds for every refusal."""
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await call
    error = error_from_rpc(raised.value)
    assert len(error.message) < 400
    for leak in ("Traceback", 'File "', "site-packages", str(Path.home())):
        assert leak not in error.message
    return error


# Names and bytes.


@pytest.mark.parametrize("name", ["m" * 1_000_000, "a\r\ngrpc-status: 0", "../../etc/passwd\0"])
async def test_a_strange_name_is_not_found_and_hardly_repeated(
    stt: RunningService, tts: RunningService, name: str
) -> None:
    config = stt_pb.TranscriptionConfig(model=name)
    voice = tts_pb.SynthesisConfig(voice=name)

    model_error = await refusal(
        hearing(stt).Transcribe(stt_pb.TranscribeRequest(config=config, audio=b"RIFF"))
    )
    voice_error = await refusal(
        speaking(tts).Synthesize(tts_pb.SynthesizeRequest(config=voice, text="Hello."))
    )

    assert {model_error.code, voice_error.code} == {"NOT_FOUND"}
    assert "\n" not in model_error.message + voice_error.message


async def test_text_that_is_not_utf8_is_refused_by_every_service(
    stt: RunningService, tts: RunningService, trainer: RunningService
) -> None:
    bad = b"\x0a\x04\xff\xfe\xfd\xfc"  # field 1, a message or a string of four bytes
    for service, path, raw in (
        (stt, "/voicemesh.stt.v1.SpeechToTextService/Transcribe", b"\x0a\x06" + bad),
        (tts, "/voicemesh.tts.v1.TextToSpeechService/Synthesize", b"\x0a\x06" + bad),
        (trainer, "/voicemesh.trainer.v1.TrainerService/Generate", bad),
    ):
        call: Any = service.channel().unary_unary(path)

        error = await refusal(call(raw, timeout=5))

        assert (error.code, error.field) == ("INVALID_ARGUMENT", "request")


# Conversations.


def asked(text: str, **fields: Any) -> trainer_pb.GenerateRequest:
    history = [trainer_pb.Turn(role=trainer_pb.ROLE_USER, text=text)]
    return trainer_pb.GenerateRequest(**{"tenant": "t", "history": history, **fields})


@pytest.mark.parametrize(
    "sampling",
    [
        trainer_pb.Sampling(seed=-(2**63), max_output_tokens=4),
        trainer_pb.Sampling(seed=2**63 - 1, max_output_tokens=4),
        trainer_pb.Sampling(temperature=2, top_p=1e-30, max_output_tokens=4),
        trainer_pb.Sampling(frequency_penalty=-2, presence_penalty=-2, max_output_tokens=4),
        trainer_pb.Sampling(stop_sequences=["\0", "🙂", "<eos>", "\n"], max_output_tokens=4),
    ],
    ids=["least seed", "greatest seed", "extremes", "penalties", "strange stops"],
)
async def test_the_bounds_of_sampling_are_within_it(
    trainer: RunningService, sampling: trainer_pb.Sampling
) -> None:
    request = asked("Hello.", sampling=sampling)

    events = await collected(answering(trainer).Generate(request, timeout=ENDS_S))

    assert events[-1].HasField("finished")


async def test_a_long_past_is_left_out_and_the_question_answered(trainer: RunningService) -> None:
    past = [trainer_pb.Turn(role=1 + index % 2, text="word " * 800) for index in range(499)]  # type: ignore[arg-type]
    request = asked("Hello.", sampling=trainer_pb.Sampling(max_output_tokens=4))
    request.history.extend(past)
    request.history.append(request.history.pop(0))

    events = await collected(answering(trainer).Generate(request, timeout=ENDS_S))

    assert events[0].started.omitted_turn_count >= 490
    assert events[-1].HasField("finished")


# Logs.


async def test_logs_hold_no_words_and_no_line_of_a_caller(
    stt: RunningService,
    tts: RunningService,
    trainer: RunningService,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG, logger="voicemesh")
    config = stt_pb.TranscriptionConfig(model=SECRET)
    sampling = trainer_pb.Sampling(max_output_tokens=2)
    await refusal(hearing(stt).Transcribe(stt_pb.TranscribeRequest(config=config)))
    await speaking(tts).Synthesize(tts_pb.SynthesizeRequest(text=SECRET))
    await refusal(speaking(tts).Synthesize(tts_pb.SynthesizeRequest(ssml=SECRET)))
    await collected(answering(trainer).Generate(asked(SECRET, tenant=SECRET, sampling=sampling)))

    assert SECRET not in "".join(str(record.msg) + str(record.args) for record in caplog.records)


# The console.


async def exchanged(console: str, request: bytes) -> bytes:
    """The answer to bytes that need not be HTTP."""
    reader, writer = await asyncio.open_connection("127.0.0.1", int(console.rpartition(":")[2]))
    try:
        writer.write(request)
        return await asyncio.wait_for(reader.read(), 5)
    finally:
        writer.close()


def http(path: str, *lines: str, method: str = "GET", host: str) -> bytes:
    head = [f"{method} {path} HTTP/1.1", f"Host: {host}", "Connection: close", *lines, "", ""]
    return "\r\n".join(head).encode()


@pytest.mark.parametrize(
    "path",
    [
        "/static/../access.py",
        "/static/%2e%2e/access.py",
        "/static/..%2faccess.py",
        "/static/..%5caccess.py",
        "/static//etc/passwd",
        "/static/%00",
        "/static/x%0d%0aSet-Cookie:a=b",
        "/static/",
        "/static/" + "a" * 5_000,
    ],
)
async def test_no_path_leads_out_of_the_pages_files(console: str, path: str) -> None:
    answer = await exchanged(console, http(path, host=console.removeprefix("http://")))

    assert answer.split()[1] in {b"403", b"404"}
    assert b"import " not in answer
    assert b"Set-Cookie" not in answer


@pytest.mark.parametrize(
    "request_",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(100) + b"\r\n\r\n",
        http("/", "X: " + "a" * 20_000, host="127.0.0.1"),
        http("/", *(f"X{number}: a" for number in range(2_000)), host="127.0.0.1"),
        http("/", "Host: evil.example", host="127.0.0.1"),
        http("/", "Content-Length: 5", "Transfer-Encoding: chunked", host="127.0.0.1"),
        http("/", method="TRACE", host="127.0.0.1"),
        http("http://evil.example/", host="127.0.0.1"),
        http("/", host="127.0.0.1.evil.example"),
    ],
    ids=["tls", "long header", "headers", "two hosts", "smuggling", "trace", "absolute", "suffix"],
)
async def test_a_request_that_is_not_one_is_refused_without_a_traceback(
    console: str, request_: bytes
) -> None:
    answer = await exchanged(console, request_)

    assert 400 <= int(answer.split()[1]) < 500
    assert b"Traceback" not in answer


@pytest.mark.parametrize(
    "frame",
    [
        b"\x81\x82\0\0\0\0\xff\xfe",
        b"\xf1\x80\0\0\0\0",
        b"\x83\x80\0\0\0\0",
        b"\x80\x80\0\0\0\0",
        b"\x82\xff\x7f" + b"\xff" * 7 + bytes(4),
    ],
    ids=["not utf-8", "reserved bits", "reserved opcode", "continues nothing", "2^63 bytes"],
)
async def test_a_broken_frame_closes_its_connection_alone(console: str, frame: bytes) -> None:
    hello = http(
        "/session",
        f"Origin: {console}",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
        host=console.removeprefix("http://"),
    ).replace(b"Connection: close", b"Connection: Upgrade")

    answer = await exchanged(console, hello + frame)

    assert answer.startswith(b"HTTP/1.1 101")
    assert re.search(rb"\x88.\x03[\xe8-\xf3]", answer, re.DOTALL)


async def test_a_thousand_messages_at_once_leave_the_console_alive(console: str) -> None:
    messages: list[dict[str, Any]] = [
        *({"type": "message", "text": f"Number {number}."} for number in range(300)),
        *({"type": "listen", "sample_rate_hertz": 8_000 + number} for number in range(300)),
        *({"type": "voice", "on": bool(number % 2)} for number in range(400)),
    ]
    answer: dict[str, Any] = {"type": ""}
    async with aiohttp.ClientSession() as client:
        async with client.ws_connect(f"{console}/session", headers={"Origin": console}) as tab:
            for message in messages:
                await tab.send_str(json.dumps(message))
        async with client.ws_connect(f"{console}/session", headers={"Origin": console}) as tab:
            await tab.send_str('{"type": "message", "text": "\\ud800"}')
            while answer["type"] != "error":
                answer = json.loads((await tab.receive(timeout=5)).data)

    assert answer["code"] == "BAD_JSON"
