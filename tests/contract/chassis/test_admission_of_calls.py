"""How much is served at once, and what the rest is told."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import grpc
import grpc.aio
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from voicemesh_chassis import testing
from voicemesh_chassis.channel import error_from_rpc

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

pytestmark = pytest.mark.contract

# The stubs of gRPC leave methods of plain bytes untyped.
running: Any = testing.running


class Gate:
    """Calls that stay in progress until `leave` is set."""

    def __init__(self) -> None:
        self.inside = 0
        self.entered = asyncio.Semaphore(0)
        self.left = asyncio.Semaphore(0)
        self.leave = asyncio.Event()

    async def hold(self, request: bytes, _context: object) -> bytes:
        self.entered.release()
        try:
            await self.leave.wait()
        finally:
            self.left.release()
        return request

    async def stream(self, request: bytes, context: object) -> AsyncIterator[bytes]:
        yield await self.hold(request, context)

    def handlers(self) -> dict[str, Any]:
        return {
            "Light": grpc.unary_unary_rpc_method_handler(self.hold),
            "Heavy": grpc.unary_stream_rpc_method_handler(self.stream),
            "Free": grpc.unary_unary_rpc_method_handler(self.hold),
        }


WEIGHTS = {"/test.Echo/Heavy": 3, "/test.Echo/Free": 0}


async def refused(channel: Any, method: str = "Light") -> grpc.aio.AioRpcError:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await channel.unary_unary(f"/test.Echo/{method}")(b"", timeout=5)
    return caught.value


async def test_a_call_beyond_the_capacity_is_refused_at_once_with_a_time_to_retry(
    make_service: Any, make_settings: Any
) -> None:
    gate = Gate()
    service = make_service(**gate.handlers(), weights=WEIGHTS)
    async with running(service, make_settings(max_concurrent=2)) as run:
        channel = run.channel()
        light = channel.unary_unary("/test.Echo/Light")
        calls = [light(b"1"), light(b"2")]
        [await gate.entered.acquire() for _ in calls]

        error = error_from_rpc(await refused(channel))
        gate.leave.set()
        answers = [await call for call in calls]
        after = await light(b"3")

    assert (error.code, error.reason, error.retryable) == ("RESOURCE_EXHAUSTED", "OVERLOADED", True)
    assert error.retry_after_s is not None
    assert error.retry_after_s > 0
    assert (answers, after) == ([b"1", b"2"], b"3")


async def test_health_and_calls_of_no_weight_are_served_when_full(
    make_service: Any, make_settings: Any
) -> None:
    gate = Gate()
    service = make_service(**gate.handlers(), weights=WEIGHTS)
    async with running(service, make_settings(max_concurrent=1)) as run:
        channel = run.channel()
        call = channel.unary_unary("/test.Echo/Light")(b"1")
        await gate.entered.acquire()

        health = await health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest())
        free = channel.unary_unary("/test.Echo/Free")(b"free")
        await gate.entered.acquire()
        gate.leave.set()

        assert health.status == health_pb2.HealthCheckResponse.SERVING
        assert await free == b"free"
        assert await call == b"1"


async def test_a_heavy_call_takes_its_weight(make_service: Any, make_settings: Any) -> None:
    gate = Gate()
    service = make_service(**gate.handlers(), weights=WEIGHTS)
    async with running(service, make_settings(max_concurrent=3)) as run:
        channel = run.channel()
        heavy = channel.unary_stream("/test.Echo/Heavy")(b"1")
        await gate.entered.acquire()

        error = await refused(channel)
        gate.leave.set()

        assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert [message async for message in heavy] == [b"1"]


async def test_a_call_heavier_than_everything_is_served_alone(
    make_service: Any, make_settings: Any
) -> None:
    gate = Gate()
    gate.leave.set()
    service = make_service(**gate.handlers(), weights=WEIGHTS)

    async with running(service, make_settings(max_concurrent=1)) as run:
        heavy = run.channel().unary_stream("/test.Echo/Heavy")(b"1")

        assert [message async for message in heavy] == [b"1"]


async def test_a_cancelled_call_gives_its_place_back(make_service: Any, make_settings: Any) -> None:
    gate = Gate()
    service = make_service(**gate.handlers(), weights=WEIGHTS)
    async with running(service, make_settings(max_concurrent=1)) as run:
        light = run.channel().unary_unary("/test.Echo/Light")
        call = light(b"1")
        await gate.entered.acquire()

        call.cancel()
        await gate.left.acquire()
        gate.leave.set()

        assert await light(b"2") == b"2"
