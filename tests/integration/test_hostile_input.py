"""What nobody sends by accident: every service stays up, says what is wrong, and keeps nothing."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import socket
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
import pytest_asyncio

from voicemesh.stt.v1 import speech_to_text_service_pb2 as stt_pb
from voicemesh.trainer.v1 import trainer_service_pb2 as trainer_pb
from voicemesh.tts.v1 import text_to_speech_service_pb2 as tts_pb
from voicemesh_bot.bot import build as build_bot
from voicemesh_bot.settings import BackendSettings, BotSettings, ConsoleSettings
from voicemesh_chassis.testing import running

if TYPE_CHECKING:
    from tests.integration.conftest import Called

pytestmark = [
    pytest.mark.integration,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.timeout(60),
]

SECRET = "xylophone"
"""A word that no log may hold."""
ENDS_S = 20.0


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


# Names and bytes.


@pytest.mark.parametrize("name", ["m" * 1_000_000, "a\r\ngrpc-status: 0", "../../etc/passwd\0"])
async def test_a_strange_name_is_not_found_and_hardly_repeated(
    stt: Called, tts: Called, name: str
) -> None:
    config = stt_pb.TranscriptionConfig(model=name)
    voice = tts_pb.SynthesisConfig(voice=name)

    model_error = await stt.refusal(
        stt.stub.Transcribe(stt_pb.TranscribeRequest(config=config, audio=b"RIFF"))
    )
    voice_error = await tts.refusal(
        tts.stub.Synthesize(tts_pb.SynthesizeRequest(config=voice, text="Hello."))
    )

    assert {model_error.code, voice_error.code} == {"NOT_FOUND"}
    assert "\n" not in model_error.message + voice_error.message


async def test_text_that_is_not_utf8_is_refused_by_every_service(
    stt: Called, tts: Called, trainer: Called
) -> None:
    bad = b"\x0a\x04\xff\xfe\xfd\xfc"  # field 1, a message or a string of four bytes
    for service, path, raw in (
        (stt, "/voicemesh.stt.v1.SpeechToTextService/Transcribe", b"\x0a\x06" + bad),
        (tts, "/voicemesh.tts.v1.TextToSpeechService/Synthesize", b"\x0a\x06" + bad),
        (trainer, "/voicemesh.trainer.v1.TrainerService/Generate", bad),
    ):
        call: Any = service.running.channel().unary_unary(path)

        error = await service.refusal(call(raw, timeout=5))

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
    trainer: Called, sampling: trainer_pb.Sampling
) -> None:
    request = asked("Hello.", sampling=sampling)

    events = await trainer.collected(trainer.stub.Generate(request, timeout=ENDS_S))

    assert events[-1].HasField("finished")


async def test_a_long_past_is_left_out_and_the_question_answered(trainer: Called) -> None:
    past = [trainer_pb.Turn(role=1 + index % 2, text="word " * 800) for index in range(499)]  # type: ignore[arg-type]
    request = asked("Hello.", sampling=trainer_pb.Sampling(max_output_tokens=4))
    request.history.extend(past)
    request.history.append(request.history.pop(0))

    events = await trainer.collected(trainer.stub.Generate(request, timeout=ENDS_S))

    assert events[0].started.omitted_turn_count >= 490
    assert events[-1].HasField("finished")


# Logs.


async def test_logs_hold_no_words_and_no_line_of_a_caller(
    stt: Called,
    tts: Called,
    trainer: Called,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG, logger="voicemesh")
    config = stt_pb.TranscriptionConfig(model=SECRET)
    sampling = trainer_pb.Sampling(max_output_tokens=2)
    await stt.refusal(stt.stub.Transcribe(stt_pb.TranscribeRequest(config=config)))
    await tts.stub.Synthesize(tts_pb.SynthesizeRequest(text=SECRET))
    await tts.refusal(tts.stub.Synthesize(tts_pb.SynthesizeRequest(ssml=SECRET)))
    await trainer.collected(trainer.stub.Generate(asked(SECRET, tenant=SECRET, sampling=sampling)))

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
