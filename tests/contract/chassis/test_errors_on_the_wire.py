"""What a caller gets when a handler raises, for all four kinds of rpc."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, ClassVar

import grpc
import grpc.aio
import pytest
from google.rpc import error_details_pb2, status_pb2
from grpc_health.v1 import health_pb2

from voicemesh_chassis import errors, testing
from voicemesh_chassis.channel import error_from_rpc

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

pytestmark = pytest.mark.contract

# The stubs of gRPC leave methods of plain bytes untyped.
running: Any = testing.running


class VoiceUnknownError(errors.InvalidArgumentError):
    reason: ClassVar[str] = "VOICE_UNKNOWN"

    def __init__(self, voice: str) -> None:
        super().__init__(f"voice {voice} is not known", field="voice.name")


def handlers(failure: Callable[[], BaseException]) -> dict[str, Any]:
    """One method of each kind that raises; the streams after their first response."""

    async def unary(_request: bytes, _context: object) -> bytes:
        raise failure()

    async def stream(_request: bytes, _context: object) -> AsyncIterator[bytes]:
        yield b"first"
        raise failure()

    async def writer(_requests: object, context: grpc.aio.ServicerContext[bytes, bytes]) -> None:
        await context.write(b"first")
        raise failure()

    return {
        "UnaryUnary": grpc.unary_unary_rpc_method_handler(unary),
        "UnaryStream": grpc.unary_stream_rpc_method_handler(stream),
        "StreamUnary": grpc.stream_unary_rpc_method_handler(unary),
        "StreamStream": grpc.stream_stream_rpc_method_handler(writer),
    }


async def requests() -> AsyncIterator[bytes]:
    yield b"request"


async def answer(channel: Any, kind: str, request: bytes) -> object:
    """Makes one call of `kind` and reads it to its end."""
    path = f"/test.Echo/{kind}"
    if kind == "UnaryUnary":
        return await channel.unary_unary(path)(request)
    if kind == "UnaryStream":
        return [message async for message in channel.unary_stream(path)(request)]
    if kind == "StreamUnary":
        return await channel.stream_unary(path)(requests())
    return [message async for message in channel.stream_stream(path)(requests())]


async def failed(channel: Any, kind: str, request: bytes = b"") -> Any:
    """The error of one call of `kind`."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await answer(channel, kind, request)
    return caught.value


def details(error: grpc.aio.AioRpcError) -> dict[str, Any]:
    """The details of a status, each by its message name; fails if one comes twice."""
    metadata = dict(error.trailing_metadata() or ())
    status = status_pb2.Status.FromString(metadata["grpc-status-details-bin"])
    assert status.code == error.code().value[0]
    assert status.message == error.details()
    found: dict[str, Any] = {}
    for packed in status.details:
        name = packed.type_url.rpartition(".")[2]
        assert name not in found
        found[name] = getattr(error_details_pb2, name)()
        packed.Unpack(found[name])
    return found


KINDS = ("UnaryUnary", "UnaryStream", "StreamUnary", "StreamStream")


@pytest.mark.parametrize("kind", KINDS)
async def test_a_service_error_names_reason_domain_field_and_request(
    kind: str, make_service: Any, make_settings: Any
) -> None:
    service = make_service(**handlers(lambda: VoiceUnknownError("nobody")))

    async with running(service, make_settings()) as run:
        error = await failed(run.channel(), kind)

    found = details(error)
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert error.details() == "voice nobody is not known"
    assert found["ErrorInfo"].reason == "VOICE_UNKNOWN"
    assert found["ErrorInfo"].domain == "test.voicemesh"
    assert found["BadRequest"].field_violations[0].field == "voice.name"
    assert found["RequestInfo"].request_id == dict(error.trailing_metadata())["x-request-id"]
    assert "RetryInfo" not in found


@pytest.mark.parametrize("letter", ["x", "\N{PILE OF POO}"])
async def test_a_message_that_quotes_something_huge_is_cut_and_still_arrives(
    letter: str, make_service: Any, make_settings: Any
) -> None:
    def huge() -> VoiceUnknownError:
        return VoiceUnknownError(letter * 100_000)

    async with running(make_service(**handlers(huge)), make_settings()) as run:
        error = error_from_rpc(await failed(run.channel(), "UnaryUnary"))

    assert (error.reason, error.field) == ("VOICE_UNKNOWN", "voice.name")
    assert error.message.startswith(f"voice {letter}")
    assert error.message.endswith("…")


@pytest.mark.parametrize("kind", KINDS)
async def test_an_unexpected_error_tells_an_id_and_nothing_else(
    kind: str, make_service: Any, make_settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    service = make_service(**handlers(lambda: KeyError("what the user said")))

    async with running(service, make_settings()) as run:
        error = await failed(run.channel(), kind)

    error_id = details(error)["ErrorInfo"].metadata["error_id"]
    assert error.code() is grpc.StatusCode.INTERNAL
    assert error.details() == f"internal error {error_id}; the service's log has the cause"
    assert "said" not in str(error)
    logged = [vars(record)["msg"] for record in caplog.records if record.levelname == "ERROR"]
    assert [event["error_id"] for event in logged] == [error_id]
    assert isinstance(logged[0]["exc_info"], KeyError)


async def test_overload_says_when_to_come_back(make_service: Any, make_settings: Any) -> None:
    service = make_service(
        **handlers(lambda: errors.OverloadedError("the queue is full", retry_after_s=1.5))
    )

    async with running(service, make_settings()) as run:
        error = await failed(run.channel(), "UnaryUnary")

    assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert details(error)["RetryInfo"].retry_delay.ToMilliseconds() == 1500


async def test_a_service_error_in_a_task_group_is_that_error(
    make_service: Any, make_settings: Any
) -> None:
    def failure() -> BaseException:
        return ExceptionGroup("a task failed", [errors.NotFoundError("no such dataset")])

    async with running(make_service(**handlers(failure)), make_settings()) as run:
        error = await failed(run.channel(), "UnaryStream")

    assert error.code() is grpc.StatusCode.NOT_FOUND


async def test_a_group_with_a_fault_beside_a_service_error_is_internal(
    make_service: Any, make_settings: Any
) -> None:
    def failure() -> BaseException:
        return ExceptionGroup("two failed", [errors.NotFoundError("no such set"), KeyError("x")])

    async with running(make_service(**handlers(failure)), make_settings()) as run:
        error = await failed(run.channel(), "UnaryUnary")

    assert error.code() is grpc.StatusCode.INTERNAL


@pytest.mark.parametrize("kind", KINDS)
async def test_work_cancelled_inside_the_service_is_cancelled_not_a_hang(
    kind: str, make_service: Any, make_settings: Any
) -> None:
    service = make_service(**handlers(asyncio.CancelledError))

    async with running(service, make_settings()) as run:
        error = await failed(run.channel(call_timeout_s=5.0, stream_timeout_s=5.0), kind)

    assert error.code() is grpc.StatusCode.CANCELLED
    assert details(error)["ErrorInfo"].reason == "CANCELLED"


async def test_an_abort_of_the_handler_is_left_as_it_is(
    make_service: Any, make_settings: Any
) -> None:
    async def abort(_request: bytes, context: grpc.aio.ServicerContext[bytes, bytes]) -> bytes:
        await context.abort(grpc.StatusCode.DATA_LOSS, "by hand")

    service = make_service(UnaryUnary=grpc.unary_unary_rpc_method_handler(abort))

    async with running(service, make_settings()) as run:
        error = await failed(run.channel(), "UnaryUnary")

    assert (error.code(), error.details()) == (grpc.StatusCode.DATA_LOSS, "by hand")


async def test_a_method_that_is_not_served_says_so(make_service: Any, make_settings: Any) -> None:
    async with running(make_service(), make_settings()) as run:
        error = await failed(run.channel(), "UnaryUnary")

    assert error.code() is grpc.StatusCode.UNIMPLEMENTED
    assert error.details() == "/test.Echo/UnaryUnary is not served here"
    assert details(error)["ErrorInfo"].reason == "UNIMPLEMENTED"


@pytest.mark.parametrize("kind", KINDS)
async def test_bytes_that_are_no_message_are_an_invalid_argument(
    kind: str, make_service: Any, make_settings: Any
) -> None:
    async def read(requests: Any, _context: object) -> bytes:
        if isinstance(requests, health_pb2.HealthCheckRequest):
            return b""
        return b"".join([request.service.encode() async for request in requests])

    async def stream(requests: Any, context: object) -> AsyncIterator[bytes]:
        yield await read(requests, context)

    make = {
        "UnaryUnary": (grpc.unary_unary_rpc_method_handler, read),
        "UnaryStream": (grpc.unary_stream_rpc_method_handler, stream),
        "StreamUnary": (grpc.stream_unary_rpc_method_handler, read),
        "StreamStream": (grpc.stream_stream_rpc_method_handler, stream),
    }
    handler, behaviour = make[kind]
    decode = health_pb2.HealthCheckRequest.FromString
    service = make_service(**{kind: handler(behaviour, decode)})

    async with running(service, make_settings()) as run:
        error = await failed(run.channel(), kind, b"request")

    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert details(error)["BadRequest"].field_violations[0].field == "request"


async def test_a_response_that_cannot_be_encoded_is_internal(
    make_service: Any, make_settings: Any
) -> None:
    async def wrong(_request: bytes, _context: object) -> str:
        return "not the message"

    encode = health_pb2.HealthCheckResponse.SerializeToString
    service = make_service(
        UnaryUnary=grpc.unary_unary_rpc_method_handler(wrong, response_serializer=encode)
    )

    async with running(service, make_settings()) as run:
        error = await failed(run.channel(), "UnaryUnary")

    assert error.code() is grpc.StatusCode.INTERNAL


async def test_the_error_comes_back_as_the_class_that_was_raised(
    make_service: Any, make_settings: Any
) -> None:
    service = make_service(**handlers(lambda: VoiceUnknownError("nobody")))

    async with running(service, make_settings()) as run:
        error = error_from_rpc(await failed(run.channel(), "UnaryStream"))

    assert type(error) is VoiceUnknownError
    assert (error.message, error.field) == ("voice nobody is not known", "voice.name")
    assert error.metadata == {"field": "voice.name"}
