"""An endpoint with OpenAI's API answers; whatever it does wrong becomes a clear refusal."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import grpc
import grpc.aio
import pytest
from aiohttp import web
from google.rpc import error_details_pb2
from grpc_status import rpc_status
from pydantic import SecretStr

from voicemesh.trainer.v1 import trainer_service_pb2 as pb
from voicemesh.trainer.v1.trainer_service_pb2_grpc import TrainerServiceStub
from voicemesh_chassis.testing import RunningService, running
from voicemesh_trainer.__main__ import build
from voicemesh_trainer.settings import OpenAISettings, TrainerSettings

pytestmark = pytest.mark.contract

KEY = "sk-secret-key-of-the-test"
Ask = Callable[..., pb.GenerateRequest]
Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Endpoint:
    """A fake of `POST /v1/chat/completions` that does what each test tells it to."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.requests: list[dict[str, Any]] = []
        self.keys: list[str] = []

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(await request.json())
        self.keys.append(request.headers.get("authorization", ""))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return await answer(request)


def chunk(content: str | None = None, reason: str | None = None, **fields: Any) -> str:
    choice = {"index": 0, "delta": {"content": content}, "finish_reason": reason}
    body = {"id": "x", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    return json.dumps({**body, "choices": [choice], **fields})


USAGE = chunk(
    choices=[],
    usage={
        "prompt_tokens": 9,
        "completion_tokens": 2,
        "total_tokens": 11,
        "prompt_tokens_details": {"cached_tokens": 4},
    },
)
GOOD = (chunk(""), chunk("Hello"), chunk(" there."), chunk(None, "stop"), USAGE, "[DONE]")


def streams(*lines: str, then_cut: bool = False, pause_s: float = 0) -> Answer:
    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"content-type": "text/event-stream"})
        await response.prepare(request)
        for line in lines:
            await response.write(f"data: {line}\n\n".encode())
        await asyncio.sleep(pause_s)
        if then_cut and request.transport is not None:
            request.transport.abort()
        return response

    return answer


def fails(status: int, code: str = "x", **headers: str) -> Answer:
    async def answer(request: web.Request) -> web.StreamResponse:
        error = {"message": f"Incorrect API key provided: {KEY}", "type": "t", "code": code}
        return web.json_response({"error": error}, status=status, headers=headers)

    return answer


@asynccontextmanager
async def trainer_on(
    endpoint: Endpoint, **options: Any
) -> AsyncIterator[tuple[RunningService, Any]]:
    """A trainer whose model is the endpoint, and a client of it."""
    application = web.Application()
    application.router.add_post("/v1/chat/completions", endpoint.handle)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    settings = TrainerSettings(
        openai_api_key=SecretStr(KEY),
        openai_base_url=f"http://127.0.0.1:{port}/v1",
        openai=OpenAISettings(**{"model": "gpt-test", "attempts": 2, **options}),
    )
    try:
        async with running(build(settings), settings) as service:
            yield service, TrainerServiceStub(service.channel())
    finally:
        await runner.cleanup()


async def answered(endpoint: Endpoint, request: pb.GenerateRequest, **options: Any) -> Any:
    async with trainer_on(endpoint, **options) as (_, stub):
        return [event async for event in stub.Generate(request)]


async def refused(
    endpoint: Endpoint, request: pb.GenerateRequest, **options: Any
) -> tuple[grpc.aio.AioRpcError, str, float]:
    """The refusal, its reason, and after how many seconds to return."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await answered(endpoint, request, **options)
    status: Any = rpc_status.from_call(caught.value)
    info, retry = error_details_pb2.ErrorInfo(), error_details_pb2.RetryInfo()
    for detail in status.details:
        _ = detail.Unpack(info) or detail.Unpack(retry)
    assert KEY not in str(caught.value)
    return caught.value, info.reason, retry.retry_delay.ToMilliseconds() / 1000


def provider_warnings(caplog: pytest.LogCaptureFixture) -> list[dict[str, object]]:
    """The warnings of the engine, as structlog hands them to the standard library."""
    logged = [record.msg for record in caplog.records if record.name.endswith("engines.openai")]
    return [dict(event) for event in logged if isinstance(event, dict)]


async def test_an_answer_streams_and_its_usage_is_the_providers(
    ask: Ask, text_of: Callable[..., str]
) -> None:
    endpoint = Endpoint(streams(*GOOD))

    events = await answered(endpoint, ask("Hi"))

    assert text_of(events) == "Hello there."
    assert events[0].started.model == "gpt-test"
    finished = events[-1].finished
    assert finished.reason == pb.FINISH_REASON_STOP
    usage = finished.usage
    assert (usage.input_token_count, usage.cached_input_token_count) == (9, 4)
    assert usage.output_token_count == 2


async def test_the_request_says_what_was_asked_and_no_more(ask: Ask) -> None:
    endpoint = Endpoint(streams(*GOOD))
    sampling = pb.Sampling(
        temperature=0.5, seed=3, max_output_tokens=7, stop_sequences=list("abcdef")
    )
    history = [
        pb.Turn(role=pb.ROLE_USER, text="Hi", speaker="Ann"),
        pb.Turn(role=pb.ROLE_ASSISTANT, text="Hello"),
        pb.Turn(role=pb.ROLE_USER, text="Bye", speaker="Bob"),
    ]

    await answered(endpoint, ask(history=history, system_prompt="Be kind.", sampling=sampling))

    (request,) = endpoint.requests
    assert request == {
        "model": "gpt-test",
        "messages": [
            {"role": "system", "content": "Be kind."},
            {"role": "user", "content": "Ann: Hi"},
            {"role": "assistant", "content": "Hello"},
            {"role": "user", "content": "Bob: Bye"},
        ],
        "stream": True,
        "stream_options": {"include_usage": True},
        "max_tokens": 7,
        "temperature": 0.5,
        "seed": 3,
        "stop": ["a", "b", "c", "d"],
    }
    assert endpoint.keys == [f"Bearer {KEY}"]


async def test_stop_sequences_beyond_the_providers_four_hold_too(
    ask: Ask, text_of: Callable[..., str]
) -> None:
    endpoint = Endpoint(streams(chunk("One. Tw"), chunk("o. Three."), pause_s=5))
    sampling = pb.Sampling(stop_sequences=["Q", "W", "X", "Z", " Two"])

    events = await answered(endpoint, ask(sampling=sampling))

    assert text_of(events) == "One."


@pytest.mark.parametrize(
    ("answer", "code", "reason"),
    [
        (fails(401), grpc.StatusCode.FAILED_PRECONDITION, "PROVIDER_REFUSED"),
        (fails(403), grpc.StatusCode.FAILED_PRECONDITION, "PROVIDER_REFUSED"),
        (fails(404), grpc.StatusCode.NOT_FOUND, "MODEL_NOT_FOUND"),
        (fails(400), grpc.StatusCode.FAILED_PRECONDITION, "PROVIDER_REFUSED"),
        (
            fails(400, "context_length_exceeded"),
            grpc.StatusCode.INVALID_ARGUMENT,
            "CONVERSATION_TOO_LONG",
        ),
        (
            fails(429, "insufficient_quota"),
            grpc.StatusCode.FAILED_PRECONDITION,
            "PROVIDER_REFUSED",
        ),
    ],
)
async def test_what_will_not_pass_is_refused_at_once(
    ask: Ask, answer: Answer, code: grpc.StatusCode, reason: str
) -> None:
    endpoint = Endpoint(answer)

    error, given, _ = await refused(endpoint, ask())

    assert (error.code(), given) == (code, reason)
    assert len(endpoint.requests) == 1


@pytest.mark.parametrize(
    "answer",
    [
        fails(500),
        fails(503),
        streams("{not json"),
        streams('{"choices": 7}'),
        streams('{"choices": [{"delta": {"content": 7}}]}'),
        streams("7"),
        streams('{"error": {"message": "overloaded", "code": 500}}'),
        streams(then_cut=True),
        streams(chunk("")),
    ],
    ids=[
        "500",
        "503",
        "malformed",
        "other-shape",
        "no-words",
        "no-object",
        "error-event",
        "cut",
        "no-end",
    ],
)
async def test_passing_failures_are_tried_again(
    ask: Ask, text_of: Callable[..., str], answer: Answer
) -> None:
    failing, recovering = Endpoint(answer), Endpoint(answer, streams(*GOOD))

    error, reason, _ = await refused(failing, ask())
    events = await answered(recovering, ask())

    assert (error.code(), reason) == (grpc.StatusCode.UNAVAILABLE, "PROVIDER_UNAVAILABLE")
    assert len(failing.requests) == 2
    assert text_of(events) == "Hello there."


async def test_a_rate_limit_tells_when_to_return_rather_than_wait(ask: Ask) -> None:
    endpoint = Endpoint(fails(429, **{"retry-after": "20"}))

    error, reason, retry_s = await refused(endpoint, ask())

    assert (error.code(), reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "PROVIDER_OVERLOADED")
    assert retry_s == 20
    assert len(endpoint.requests) == 1


@pytest.mark.parametrize("then_cut", [True, False], ids=["cut", "no-end"])
async def test_an_answer_that_has_begun_is_not_asked_for_again(ask: Ask, then_cut: bool) -> None:
    endpoint = Endpoint(streams(chunk("Hello"), then_cut=then_cut, pause_s=0.05))

    error, reason, _ = await refused(endpoint, ask())

    assert (error.code(), reason) == (grpc.StatusCode.UNAVAILABLE, "PROVIDER_UNAVAILABLE")
    assert "broke off" in (error.details() or "")
    assert len(endpoint.requests) == 1


async def test_a_silent_endpoint_is_given_up(ask: Ask) -> None:
    endpoint = Endpoint(streams(pause_s=5))

    error, reason, _ = await refused(endpoint, ask(), read_timeout_s=0.1, attempts=1)

    assert (error.code(), reason) == (grpc.StatusCode.UNAVAILABLE, "PROVIDER_UNAVAILABLE")
    assert "in time" in (error.details() or "")


async def test_an_endpoint_that_is_not_there_is_unavailable(ask: Ask) -> None:
    settings = TrainerSettings(openai_base_url="http://127.0.0.1:9/v1")
    async with running(build(settings), settings) as service:
        call = TrainerServiceStub(service.channel()).Generate(ask())

        with pytest.raises(grpc.aio.AioRpcError) as caught:
            _ = [event async for event in call]

    assert caught.value.code() == grpc.StatusCode.UNAVAILABLE
    sentence = "the model provider at 127.0.0.1:9 cannot be reached; check OPENAI_BASE_URL"
    assert caught.value.details() == sentence


async def test_a_wrong_path_is_told_how_addresses_usually_end(ask: Ask) -> None:
    error, _, _ = await refused(Endpoint(fails(404)), ask())

    assert "check the model and OPENAI_BASE_URL (it usually ends in /v1)" in (error.details() or "")


@pytest.mark.parametrize(
    ("answer", "error", "status"),
    [(fails(500), "InternalServerError", 500), (fails(401), "AuthenticationError", 401)],
)
async def test_an_operator_is_told_once_what_the_provider_did(
    ask: Ask, caplog: pytest.LogCaptureFixture, answer: Answer, error: str, status: int
) -> None:
    endpoint = Endpoint(answer)

    await refused(endpoint, ask("xyzzy"))

    (warning,) = provider_warnings(caplog)
    assert warning["error"] == error
    assert warning["http_status"] == status
    assert str(warning["host"]).startswith("127.0.0.1:")
    assert warning["attempts"] == len(endpoint.requests)
    assert KEY not in str(warning)
    assert "xyzzy" not in str(warning)


async def test_an_operator_is_told_why_there_is_no_connection(
    ask: Ask, caplog: pytest.LogCaptureFixture
) -> None:
    settings = TrainerSettings(openai_base_url="http://127.0.0.1:9/v1")
    async with running(build(settings), settings) as service:
        with pytest.raises(grpc.aio.AioRpcError):
            _ = [event async for event in TrainerServiceStub(service.channel()).Generate(ask())]

    (warning,) = provider_warnings(caplog)
    assert (warning["error"], warning["cause"]) == ("APIConnectionError", "ConnectError")
    assert warning["http_status"] is None


async def test_a_fault_of_our_own_is_not_taken_for_the_providers(
    ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_chunk: object) -> None:
        raise TypeError("a fault of our own")

    monkeypatch.setattr("voicemesh_trainer.engines.openai.read_chunk", broken)
    endpoint = Endpoint(streams(*GOOD))

    error, _, _ = await refused(endpoint, ask())

    assert error.code() == grpc.StatusCode.INTERNAL
    assert len(endpoint.requests) == 1


async def test_a_vanished_caller_ends_the_request_to_the_endpoint(ask: Ask) -> None:
    gone = asyncio.Event()

    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"content-type": "text/event-stream"})
        await response.prepare(request)
        try:
            while True:
                await response.write(f"data: {chunk('on and ')}\n\n".encode())
                await asyncio.sleep(0.01)
        except (ConnectionError, asyncio.CancelledError):
            gone.set()
        return response

    async with trainer_on(Endpoint(endless)) as (_, stub):
        call = stub.Generate(ask())
        async for event in call:
            if event.HasField("delta"):
                break
        call.cancel()

        async with asyncio.timeout(2):
            await gone.wait()


async def test_neither_key_nor_words_are_logged(ask: Ask, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    for answer in (streams(*GOOD), fails(401), streams(chunk("Hello"), then_cut=True)):
        async with trainer_on(Endpoint(answer), attempts=1) as (_, stub):
            history = [pb.Turn(role=pb.ROLE_USER, text="xyzzy", speaker="Rumpelstiltskin")]
            call = stub.Generate(ask(history=history))
            try:
                _ = [event async for event in call]
            except grpc.aio.AioRpcError:
                continue

    own = [record for record in caplog.records if record.name.startswith("voicemesh")]
    shown = " ".join(f"{record.getMessage()} {record.exc_text}" for record in own)
    assert own
    for secret in (KEY, "xyzzy", "Rumpelstiltskin", "Hello there"):
        assert secret not in shown
