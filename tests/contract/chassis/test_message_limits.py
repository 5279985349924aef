"""Messages over the limit get a clear status, in both directions and at any size."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import grpc
import grpc.aio
import pytest

from voicemesh_chassis import testing
from voicemesh_chassis.channel import error_from_rpc

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

pytestmark = pytest.mark.contract

# The stubs of gRPC leave methods of plain bytes untyped.
running: Any = testing.running
plain_channel: Any = grpc.aio.insecure_channel

LIMIT = 10_000
MIB = 1024 * 1024


async def echo(request: bytes, _context: object) -> bytes:
    return request


async def grow(_request: bytes, _context: object) -> AsyncIterator[bytes]:
    yield b"x" * (LIMIT + 1)


async def join(requests: AsyncIterator[bytes], _context: object) -> bytes:
    return b"".join([request async for request in requests])


HANDLERS: dict[str, Any] = {
    "Echo": grpc.unary_unary_rpc_method_handler(echo),
    "Grow": grpc.unary_stream_rpc_method_handler(grow),
    "Join": grpc.stream_unary_rpc_method_handler(join),
}


async def test_a_request_at_the_limit_is_served(make_service: Any, make_settings: Any) -> None:
    service = make_service(**HANDLERS)

    async with running(service, make_settings(max_message_bytes=LIMIT)) as run:
        answer = await run.channel().unary_unary("/test.Echo/Echo")(b"x" * LIMIT)

    assert len(answer) == LIMIT


async def test_a_request_over_the_limit_names_the_field_and_the_limit(
    make_service: Any, make_settings: Any
) -> None:
    service = make_service(**HANDLERS)

    async with running(service, make_settings(max_message_bytes=LIMIT)) as run:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await run.channel().unary_unary("/test.Echo/Echo")(b"x" * (LIMIT + 1))

    error = error_from_rpc(caught.value)
    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert (error.reason, error.field, error.retryable) == ("LIMIT_EXCEEDED", "request", False)
    assert error.metadata["max_message_bytes"] == str(LIMIT)


async def test_a_streamed_request_over_the_limit_is_refused(
    make_service: Any, make_settings: Any
) -> None:
    async def requests() -> AsyncIterator[bytes]:
        yield b"small"
        yield b"x" * (LIMIT + 1)

    service = make_service(**HANDLERS)
    async with running(service, make_settings(max_message_bytes=LIMIT)) as run:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await run.channel().stream_unary("/test.Echo/Join")(requests())

    assert error_from_rpc(caught.value).reason == "LIMIT_EXCEEDED"


@pytest.mark.parametrize("kind", ["Echo", "Join"])
async def test_an_upload_far_over_the_limit_is_refused_unread(
    kind: str, make_service: Any, make_settings: Any
) -> None:
    huge = bytes(200 * MIB)

    async def requests() -> AsyncIterator[bytes]:
        yield huge

    async with (
        running(make_service(**HANDLERS), make_settings()) as run,
        plain_channel(run.target, [("grpc.max_send_message_length", -1)]) as channel,
    ):
        if kind == "Echo":
            call = channel.unary_unary("/test.Echo/Echo")(huge, timeout=20)
        else:
            call = channel.stream_unary("/test.Echo/Join")(requests(), timeout=20)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call
        after = await run.channel().unary_unary("/test.Echo/Echo")(b"still there")

    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert "larger than max" in str(caught.value.details())
    assert error_from_rpc(caught.value).retryable is False
    assert after == b"still there"


async def test_a_response_over_the_limit_is_refused_by_the_server(
    make_service: Any, make_settings: Any
) -> None:
    service = make_service(**HANDLERS)

    async with running(service, make_settings(max_message_bytes=LIMIT)) as run:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            [_ async for _ in run.channel().unary_stream("/test.Echo/Grow")(b"")]

    assert error_from_rpc(caught.value).field == "response"


async def test_a_caller_without_token_is_refused_before_its_message_is_read(
    make_service: Any, make_settings: Any
) -> None:
    huge = bytes(200 * MIB)  # read, it would be refused for its size

    async with (
        running(make_service(**HANDLERS), make_settings(auth_tokens="secret")) as run,
        plain_channel(run.target, [("grpc.max_send_message_length", -1)]) as channel,
    ):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await channel.unary_unary("/test.Echo/Echo")(huge, timeout=20)

    assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED


async def test_a_call_without_its_message_is_refused(make_service: Any, make_settings: Any) -> None:
    messages: tuple[bytes, ...] = ()

    async def nothing() -> AsyncIterator[bytes]:
        for message in messages:
            yield message

    async with running(make_service(**HANDLERS), make_settings()) as run:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await run.channel().stream_unary("/test.Echo/Echo")(nothing())

    error = error_from_rpc(caught.value)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert (error.field, error.message) == ("request", "the call carries no request message")
