"""What a channel adds to a call: balance, retries, deadline, token, request id."""

from __future__ import annotations

import ast
import asyncio
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

import grpc
import grpc.aio
import pytest
from pydantic import SecretStr

from voicemesh_chassis import testing
from voicemesh_chassis.channel import ChannelOptions, error_from_rpc, open_channel, remaining_s
from voicemesh_chassis.errors import InternalError, UnavailableError
from voicemesh_chassis.requests import bind_request_id, current_request_id, reset_request_id

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

pytestmark = pytest.mark.contract

# The stubs of gRPC leave methods of plain bytes untyped.
running: Any = testing.running
channel_to: Any = open_channel

Context = grpc.aio.ServicerContext[bytes, bytes]


async def seen(_request: bytes, context: Context) -> bytes:
    """What the caller sent along, as text."""
    metadata = dict(context.invocation_metadata() or ())
    own = {key: metadata.get(key) for key in ("authorization", "x-request-id", "extra")}
    remaining = context.time_remaining()
    return repr({**own, "remaining": remaining, "current": current_request_id()}).encode()


async def seen_stream(request: bytes, context: Context) -> AsyncIterator[bytes]:
    yield await seen(request, context)


HANDLERS: dict[str, Any] = {
    "Seen": grpc.unary_unary_rpc_method_handler(seen),
    "SeenStream": grpc.unary_stream_rpc_method_handler(seen_stream),
}


def read(answer: bytes) -> dict[str, Any]:
    found: dict[str, Any] = ast.literal_eval(answer.decode())
    return found


async def test_a_call_carries_token_request_id_and_the_usual_deadline(
    make_service: Any, make_settings: Any
) -> None:
    settings = make_settings(auth_tokens=(SecretStr("let-me-in"),))
    async with running(make_service(**HANDLERS), settings) as run:
        call = run.channel(call_timeout_s=7.0).unary_unary("/test.Echo/Seen")

        token = bind_request_id("of-the-caller")
        answer = read(await call(b"", metadata=(("extra", "kept"),)))
        reset_request_id(token)

    assert answer["authorization"] == "Bearer let-me-in"
    assert answer["extra"] == "kept"
    assert answer["x-request-id"] == answer["current"] == "of-the-caller"
    assert answer["remaining"] == pytest.approx(7.0, abs=1.0)


async def test_what_the_caller_gives_itself_wins(make_service: Any, make_settings: Any) -> None:
    async with running(make_service(**HANDLERS), make_settings()) as run:
        call = run.channel(token=SecretStr("usual")).unary_unary("/test.Echo/Seen")
        metadata = grpc.aio.Metadata(("authorization", "Bearer own"), ("x-request-id", "own"))

        answer = read(await call(b"", metadata=metadata, timeout=3))

    assert answer["authorization"] == "Bearer own"
    assert answer["x-request-id"] == "own"
    assert answer["remaining"] == pytest.approx(3.0, abs=1.0)


async def test_a_stream_has_a_deadline_only_if_one_is_given(
    make_service: Any, make_settings: Any
) -> None:
    async with running(make_service(**HANDLERS), make_settings()) as run:
        free = [read(a) async for a in run.channel().unary_stream("/test.Echo/SeenStream")(b"")]
        bound_channel = run.channel(stream_timeout_s=9.0)
        bound = [read(a) async for a in bound_channel.unary_stream("/test.Echo/SeenStream")(b"")]

    assert free[0]["remaining"] is None
    assert bound[0]["remaining"] == pytest.approx(9.0, abs=1.0)


class Failing:
    """A unary method that fails a number of times and then answers with the attempts made."""

    def __init__(self, times: int, error: Exception) -> None:
        self.calls = 0
        self.times = times
        self.error = error

    async def __call__(self, _request: bytes, context: Context) -> bytes:
        self.calls += 1
        if self.calls <= self.times:
            raise self.error
        return str(self.calls).encode()


async def fail_twice(error: Exception, make_service: Any, settings: Any, **options: Any) -> Any:
    failing = Failing(2, error)
    service = make_service(Try=grpc.unary_unary_rpc_method_handler(failing))
    async with running(service, settings) as run:
        try:
            await run.channel(**options).unary_unary("/test.Echo/Try")(b"")
        except grpc.aio.AioRpcError as raised:
            return failing.calls, raised.code().name
        return failing.calls, "OK"


@pytest.mark.parametrize(
    ("error", "attempts", "outcome"),
    [
        (UnavailableError("busy"), 4, (3, "OK")),
        (UnavailableError("busy"), 2, (2, "UNAVAILABLE")),
        (UnavailableError("busy"), 1, (1, "UNAVAILABLE")),
        (InternalError("broken"), 4, (1, "INTERNAL")),
    ],
)
async def test_only_unavailable_is_tried_again(
    error: Exception,
    attempts: int,
    outcome: tuple[int, str],
    make_service: Any,
    make_settings: Any,
) -> None:
    found = await fail_twice(error, make_service, make_settings(), attempts=attempts)

    assert found == outcome


async def two_services(
    stack: AsyncExitStack, make_service: Any, make_settings: Any
) -> tuple[list[testing.RunningService], list[int], str]:
    """Two replicas, how often each was called, and one target that is both."""
    counts = [0, 0]

    def counting(index: int) -> Any:
        async def count(_request: bytes, _context: object) -> bytes:
            counts[index] += 1
            return b""

        return grpc.unary_unary_rpc_method_handler(count)

    runs = [
        await stack.enter_async_context(
            running(make_service(Count=counting(index)), make_settings())
        )
        for index in range(2)
    ]
    return runs, counts, "ipv4:" + ",".join(run.target for run in runs)


async def test_calls_are_spread_over_all_addresses(make_service: Any, make_settings: Any) -> None:
    async with AsyncExitStack() as stack:
        _, counts, target = await two_services(stack, make_service, make_settings)
        channel = await stack.enter_async_context(channel_to(ChannelOptions(target=target)))
        count = channel.unary_unary("/test.Echo/Count")
        async with asyncio.timeout(10):
            while 0 in counts:  # until both connections are up
                await count(b"")
        counts[:] = [0, 0]

        for _ in range(10):
            await count(b"")

    assert counts == [5, 5]


async def test_a_dead_address_is_unavailable_at_once() -> None:
    async with channel_to(ChannelOptions(target="127.0.0.1:1", attempts=1)) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await channel.unary_unary("/test.Echo/Echo")(b"", timeout=10)

    error = error_from_rpc(caught.value)
    assert type(error) is UnavailableError
    assert error.retryable


async def test_an_address_that_is_not_serving_is_left_out(
    make_service: Any, make_settings: Any
) -> None:
    options = {"health_service": "test.Other"}
    async with running(make_service(), make_settings()) as run:
        served = run.channel(health_service="test.Echo").unary_unary("/test.Echo/Echo")
        other = run.channel(**options).unary_unary("/test.Echo/Echo")

        assert await served(b"hi") == b"hi"
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await other(b"hi", timeout=5)

    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE


@pytest.mark.parametrize(
    ("remaining", "expected"), [(None, 5.0), (60.0, 5.0), (2.0, 1.75), (0.1, 0.0)]
)
def test_a_deadline_is_passed_on_less_a_margin(remaining: float | None, expected: float) -> None:
    class Context:
        def time_remaining(self) -> float | None:
            return remaining

    assert remaining_s(Context(), 5.0, margin_s=0.25) == expected
