"""A caller who goes away in the middle leaves nothing behind on the server."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import grpc
import grpc.aio
import pytest

from voicemesh_chassis import testing

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

pytestmark = pytest.mark.contract

# The stubs of gRPC leave methods of plain bytes untyped.
running: Any = testing.running

PATIENCE_S = 5.0


class Watched:
    """Handlers of all kinds that never end by themselves, and what became of them."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.ended = asyncio.Event()

    async def generator(self, _request: Any, _context: object) -> AsyncIterator[bytes]:
        try:
            while True:
                self.begun.set()
                yield b"x" * 10_000
        finally:
            self.ended.set()

    async def writer(self, _request: Any, context: grpc.aio.ServicerContext[Any, Any]) -> None:
        try:
            while True:
                await context.write(b"x" * 10_000)
                self.begun.set()
        finally:
            self.ended.set()

    async def reader(self, requests: AsyncIterator[bytes], _context: object) -> bytes:
        try:
            async for _ in requests:
                self.begun.set()
            await asyncio.Event().wait()
        finally:
            self.ended.set()
        return b""

    async def idle(self, _request: bytes, _context: object) -> bytes:
        try:
            self.begun.set()
            await asyncio.Event().wait()
        finally:
            self.ended.set()
        return b""

    def handlers(self) -> dict[str, Any]:
        return {
            "UnaryUnary": grpc.unary_unary_rpc_method_handler(self.idle),
            "UnaryStream": grpc.unary_stream_rpc_method_handler(self.generator),
            "StreamUnary": grpc.stream_unary_rpc_method_handler(self.reader),
            "StreamStream": grpc.stream_stream_rpc_method_handler(self.writer),
        }


async def endless() -> AsyncIterator[bytes]:
    yield b"request"
    await asyncio.Event().wait()


def begin(channel: Any, kind: str) -> Any:
    path = f"/test.Echo/{kind}"
    if kind == "UnaryUnary":
        return channel.unary_unary(path)(b"")
    if kind == "UnaryStream":
        return channel.unary_stream(path)(b"")
    if kind == "StreamUnary":
        return channel.stream_unary(path)(endless())
    return channel.stream_stream(path)(endless())


async def settled(count: int) -> int:
    """How many tasks there are, once that is `count` or patience has ended."""
    async with asyncio.timeout(PATIENCE_S):
        while len(asyncio.all_tasks()) > count:
            await asyncio.sleep(0.01)  # tasks have no event to wait for when they go
    return len(asyncio.all_tasks())


@pytest.mark.parametrize("how", ["cancel", "close"])
@pytest.mark.parametrize("kind", ["UnaryUnary", "UnaryStream", "StreamUnary", "StreamStream"])
async def test_nothing_is_left_of_a_call_whose_caller_is_gone(
    kind: str, how: str, make_service: Any, make_settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    watched = Watched()
    async with running(make_service(**watched.handlers()), make_settings()) as run:
        before = len(asyncio.all_tasks())
        channel = run.channel()
        call = begin(channel, kind)
        async with asyncio.timeout(PATIENCE_S):
            await watched.begun.wait()

        if how == "cancel":
            call.cancel()
        else:
            await channel.close()
        async with asyncio.timeout(PATIENCE_S):
            await watched.ended.wait()
        await channel.close()

        assert await settled(before) <= before
    del call
    rpcs = [
        vars(record)["msg"] for record in caplog.records if vars(record)["msg"]["event"] == "rpc"
    ]
    assert [(event["method"], event["code"]) for event in rpcs] == [
        (f"/test.Echo/{kind}", "CANCELLED")
    ]
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


async def test_a_passed_deadline_ends_the_handler_and_is_logged_as_that(
    make_service: Any, make_settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    watched = Watched()
    async with running(make_service(**watched.handlers()), make_settings()) as run:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await run.channel().unary_unary("/test.Echo/UnaryUnary")(b"", timeout=0.2)
        async with asyncio.timeout(PATIENCE_S):
            await watched.ended.wait()

    assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    rpcs = [
        vars(record)["msg"] for record in caplog.records if vars(record)["msg"]["event"] == "rpc"
    ]
    assert [event["code"] for event in rpcs] == ["DEADLINE_EXCEEDED"]
