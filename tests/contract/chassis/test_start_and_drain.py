"""A service from bound ports to the last call of its drain."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import aiohttp
import grpc
import grpc.aio
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from voicemesh_chassis import testing
from voicemesh_chassis.app import serve
from voicemesh_chassis.channel import error_from_rpc
from voicemesh_chassis.errors import UnavailableError
from voicemesh_chassis.host import Host
from voicemesh_chassis.service import StartupError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from voicemesh_chassis.service import Service
    from voicemesh_chassis.settings import ServiceSettings

pytestmark = pytest.mark.contract

# The stubs of gRPC leave methods of plain bytes untyped.
running: Any = testing.running

NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
SERVING = health_pb2.HealthCheckResponse.SERVING


class Talk:
    """A stream that answers each message, and knows when it was cut."""

    def __init__(self) -> None:
        self.ended = asyncio.Event()

    async def echo(self, requests: AsyncIterator[bytes], _context: object) -> AsyncIterator[bytes]:
        try:
            async for request in requests:
                yield request
        finally:
            self.ended.set()

    def handlers(self) -> dict[str, Any]:
        return {"Talk": grpc.stream_stream_rpc_method_handler(self.echo)}


@asynccontextmanager
async def hosted(service: Service, settings: ServiceSettings) -> AsyncIterator[Any]:
    """A host with bound ports, and a plain channel to it."""
    host = Host(service, settings)
    try:
        await host.bind()
        async with grpc.aio.insecure_channel(f"127.0.0.1:{host.port}") as channel:
            yield host, channel
    finally:
        await host.aclose()


async def readiness(host: Host) -> int:
    url = f"http://127.0.0.1:{host.metrics_port}/readyz"
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        return response.status


async def health(channel: Any, name: str) -> Any:
    answer = await health_pb2_grpc.HealthStub(channel).Check(
        health_pb2.HealthCheckRequest(service=name), timeout=5
    )
    return answer.status


async def test_nothing_is_ready_and_no_call_is_let_in_until_start_returns(
    make_service: Any, make_settings: Any
) -> None:
    loaded = asyncio.Event()

    async def start() -> None:
        await loaded.wait()

    async with hosted(make_service(start=start), make_settings()) as (host, channel):
        echo = channel.unary_unary("/test.Echo/Echo")
        starting = asyncio.create_task(host.start())
        before = [await health(channel, name) for name in ("", "test.Echo")]
        ready_before = await readiness(host)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await echo(b"early", timeout=5)
        loaded.set()
        await starting

        assert before == [NOT_SERVING, NOT_SERVING]
        assert ready_before == 503
        assert error_from_rpc(caught.value).retry_after_s is not None
        assert "starting" in str(caught.value.details())
        assert [await health(channel, name) for name in ("", "test.Echo")] == [SERVING, SERVING]
        assert await readiness(host) == 200
        assert await echo(b"late", timeout=5) == b"late"


async def test_open_streams_go_on_through_the_drain_and_new_calls_are_refused(
    make_service: Any, make_settings: Any
) -> None:
    stopped = asyncio.Event()

    async def stop() -> None:
        stopped.set()

    talk = Talk()
    service = make_service(stop=stop, **talk.handlers())
    async with hosted(service, make_settings(drain_timeout_s=30)) as (host, channel):
        await host.start()
        watch = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest())
        statuses = [(await watch.read()).status]
        call = channel.stream_stream("/test.Echo/Talk")()
        await call.write(b"before")
        answers = [await call.read()]

        draining = asyncio.create_task(host.aclose())
        statuses.append((await watch.read()).status)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await channel.unary_unary("/test.Echo/Echo")(b"new", timeout=5)
        ready = await readiness(host)
        await call.write(b"during")
        answers.append(await call.read())
        stopped_early = stopped.is_set()
        await call.done_writing()
        end = await call.read()
        async with asyncio.timeout(5):  # far less than the drain timeout: the last call has ended
            await draining

        assert statuses == [SERVING, NOT_SERVING]
        # gRPC cancels a call that comes at the very moment in which it stops to listen.
        assert caught.value.code() in {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED}
        assert ready == 503
        assert (answers, end) == ([b"before", b"during"], grpc.aio.EOF)
        assert not stopped_early
        assert stopped.is_set()


async def test_the_service_hears_of_the_drain_so_that_endless_calls_end_by_themselves(
    make_service: Any, make_settings: Any
) -> None:
    draining = asyncio.Event()

    async def until_drained(_requests: object, _context: object) -> AsyncIterator[bytes]:
        yield b"open"
        await draining.wait()
        yield b"last"

    handlers: dict[str, Any] = {"Endless": grpc.stream_stream_rpc_method_handler(until_drained)}
    service = make_service(drain=draining.set, **handlers)
    async with hosted(service, make_settings(drain_timeout_s=60)) as (host, channel):
        await host.start()
        call = channel.stream_stream("/test.Echo/Endless")()
        answers = [await call.read()]
        told_early = draining.is_set()

        async with asyncio.timeout(5):  # far less than the drain timeout
            await host.aclose()
        answers += [await call.read(), await call.read()]

    assert not told_early
    assert answers == [b"open", b"last", grpc.aio.EOF]


async def test_watchers_of_health_hear_of_the_drain_and_do_not_hold_it(
    make_service: Any, make_settings: Any
) -> None:
    async with hosted(make_service(), make_settings(drain_timeout_s=60)) as (host, channel):
        await host.start()
        stub = health_pb2_grpc.HealthStub(channel)
        watches = [
            stub.Watch(health_pb2.HealthCheckRequest(service=name)) for name in ("", "test.Echo")
        ]
        before = [(await watch.read()).status for watch in watches]

        async with asyncio.timeout(5):
            await host.aclose()
        after = [(await watch.read()).status for watch in watches]

    assert (before, after) == ([SERVING, SERVING], [NOT_SERVING, NOT_SERVING])


async def test_a_start_that_ignores_being_cancelled_does_not_hold_the_stop(
    make_service: Any, make_settings: Any
) -> None:
    until, loading, release = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def start() -> None:
        loading.set()
        while not release.is_set():
            try:
                await release.wait()
            except asyncio.CancelledError:
                continue

    serving = asyncio.create_task(serve(make_service(start=start), make_settings(), until=until))
    await loading.wait()
    until.set()
    async with asyncio.timeout(10):
        await serving
    release.set()


async def test_a_stream_that_outlasts_the_drain_is_cut_with_a_clear_status(
    make_service: Any, make_settings: Any
) -> None:
    talk = Talk()
    service = make_service(**talk.handlers())
    async with hosted(service, make_settings(drain_timeout_s=0.2)) as (host, channel):
        await host.start()
        call = channel.stream_stream("/test.Echo/Talk")()
        await call.write(b"before")
        await call.read()

        async with asyncio.timeout(5):
            await host.aclose()
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call.read()

    error = error_from_rpc(caught.value)
    assert isinstance(error, UnavailableError)
    assert "stopping" in error.message
    assert talk.ended.is_set()


async def test_a_handler_that_ignores_its_cut_does_not_hold_the_stop(
    make_service: Any, make_settings: Any
) -> None:
    release = asyncio.Event()
    inside = asyncio.Event()

    async def stubborn(request: bytes, _context: object) -> bytes:
        inside.set()
        while not release.is_set():
            try:
                await release.wait()
            except asyncio.CancelledError:
                continue
        return request

    service = make_service(Stay=grpc.unary_unary_rpc_method_handler(stubborn))
    async with hosted(service, make_settings(drain_timeout_s=0)) as (host, channel):
        await host.start()
        call = channel.unary_unary("/test.Echo/Stay")(b"")
        await inside.wait()

        async with asyncio.timeout(15):
            await host.aclose()
        release.set()
        with pytest.raises(grpc.aio.AioRpcError):
            await call


async def test_start_is_cancelled_when_the_stop_comes_first(
    make_service: Any, make_settings: Any
) -> None:
    until, loading = asyncio.Event(), asyncio.Event()
    seen: list[str] = []

    async def start() -> None:
        loading.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            seen.append("cancelled")
            raise

    async def stop() -> None:
        seen.append("stopped")

    service = make_service(start=start, stop=stop)
    serving = asyncio.create_task(serve(service, make_settings(), until=until))
    await loading.wait()
    until.set()
    async with asyncio.timeout(5):
        await serving

    assert seen == ["cancelled", "stopped"]


async def test_a_failed_start_is_told_in_the_services_words_and_gives_the_ports_back(
    make_service: Any, make_settings: Any
) -> None:
    async def start() -> None:
        msg = "model x is not here; run `voicemesh models pull x`"
        raise UnavailableError(msg)

    before = len(asyncio.all_tasks())

    with pytest.raises(StartupError, match=r"model x is not here"):
        await serve(make_service(start=start), make_settings())

    assert len(asyncio.all_tasks()) == before


async def test_a_stop_that_hangs_or_fails_does_not_keep_the_process(
    make_service: Any, make_settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    async def hang() -> None:
        await asyncio.Event().wait()

    async def fail() -> None:
        raise OSError

    for stop in (hang, fail):
        settings = make_settings(stop_timeout_s=0.1)
        async with asyncio.timeout(5), running(make_service(stop=stop), settings):
            pass

    errors: list[Any] = [r.msg for r in caplog.records if r.levelname == "ERROR"]
    events = [error["event"] for error in errors]
    assert events == [
        "the service does not stop; leaving it behind",
        "the service failed to stop",
    ]


async def test_connections_are_aged_and_live_streams_survive_it(
    make_service: Any, make_settings: Any
) -> None:
    talk = Talk()
    service = make_service(**talk.handlers())
    async with running(service, make_settings(max_connection_age_s=1)) as run:
        channel = run.channel()
        call = channel.stream_stream("/test.Echo/Talk")()
        await call.write(b"young")
        answers = [await call.read()]
        state = channel.get_state()
        async with asyncio.timeout(10):  # the age has a jitter of 10 %
            while state is grpc.ChannelConnectivity.READY:
                await channel.wait_for_state_change(state)
                state = channel.get_state()

        await call.write(b"old")
        answers.append(await call.read())
        await call.done_writing()

        assert answers == [b"young", b"old"]
        assert await channel.unary_unary("/test.Echo/Echo")(b"anew") == b"anew"
