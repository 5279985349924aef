"""A caller who stops reading, with its connection alive, does not keep the call's place."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import grpc
import grpc.aio
import pytest

from voicemesh_chassis import testing
from voicemesh_chassis.interceptors import errors

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

pytestmark = pytest.mark.contract

# The stubs of gRPC leave methods of plain bytes untyped.
running: Any = testing.running

CHUNK = bytes(60_000)


class Flood:
    """A stream without an end, which knows when it was cut."""

    def __init__(self) -> None:
        self.ended = asyncio.Event()

    async def serve(self, _request: bytes, _context: object) -> AsyncIterator[bytes]:
        try:
            while True:
                yield CHUNK
        finally:
            self.ended.set()

    def handlers(self) -> dict[str, Any]:
        return {"Flood": grpc.unary_stream_rpc_method_handler(self.serve)}


async def read_on(call: Any) -> None:
    """Reads what there is, to the end."""
    while await call.read() is not grpc.aio.EOF:
        pass


def handlers_left() -> list[str]:
    """The calls that grpc.aio still serves."""
    names = [getattr(task.get_coro(), "__qualname__", "") for task in asyncio.all_tasks()]
    return [name for name in names if name == "_handle_exceptions"]


async def test_its_place_is_free_again_and_it_is_told_once_it_reads(
    make_service: Any, make_settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(errors, "_TELL_S", 0.2)
    flood = Flood()
    settings = make_settings(write_timeout_s=0.5, max_concurrent=1)
    async with running(make_service(**flood.handlers()), settings) as run:
        channel = run.channel()
        echo = channel.unary_unary("/test.Echo/Echo")
        call = channel.unary_stream("/test.Echo/Flood")(b"")
        await call.read()
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await echo(b"too early")

        async with asyncio.timeout(10):
            await flood.ended.wait()
            while handlers_left():
                await asyncio.sleep(0.05)
        answers = [await echo(b"next") for _ in range(3)]

        with pytest.raises(grpc.aio.AioRpcError) as told:
            await asyncio.wait_for(read_on(call), 10)

    assert refused.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert answers == [b"next"] * 3
    assert told.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    assert told.value.details() == "the caller has not read enough for 0.5 s to be sent more"


async def test_nothing_is_left_of_it_when_it_goes(
    make_service: Any, make_settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(errors, "_TELL_S", 0.2)
    flood = Flood()
    settings = make_settings(write_timeout_s=0.3)
    async with running(make_service(**flood.handlers()), settings) as run:
        before = len(asyncio.all_tasks())
        async with grpc.aio.insecure_channel(run.target) as channel:
            open_flood: Any = channel.unary_stream("/test.Echo/Flood")
            calls = [open_flood(b"") for _ in range(5)]
            for call in calls:
                await call.read()
            async with asyncio.timeout(10):
                await flood.ended.wait()
                while handlers_left():
                    await asyncio.sleep(0.05)
        async with asyncio.timeout(10):
            while len(asyncio.all_tasks()) > before:
                await asyncio.sleep(0.05)
        answer = await run.channel().unary_unary("/test.Echo/Echo")(b"well")

    assert answer == b"well"


async def test_a_slow_reader_is_not_cut(make_service: Any, make_settings: Any) -> None:
    flood = Flood()
    async with running(make_service(**flood.handlers()), make_settings(write_timeout_s=1.5)) as run:
        call = run.channel().unary_stream("/test.Echo/Flood")(b"")
        for _ in range(500):
            assert await call.read() == CHUNK
            await asyncio.sleep(0.005)

        assert not flood.ended.is_set()
        call.cancel()
