"""A service run inside the test, on free ports, ready to be called."""

from __future__ import annotations

import asyncio
import re
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import aiohttp
from grpc_health.v1 import health_pb2, health_pb2_grpc

from voicemesh_chassis.addresses import host_port
from voicemesh_chassis.channel import ChannelOptions, open_channel
from voicemesh_chassis.host import Host

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    import grpc.aio

    from voicemesh_chassis.service import Service
    from voicemesh_chassis.settings import ServiceSettings

__all__ = ("RunningService", "running")

_PATIENCE_S = 20.0
_LOOK_S = 0.02


@dataclass(frozen=True)
class RunningService:
    """A service that is serving."""

    target: str
    """`127.0.0.1:PORT` of gRPC."""

    http_url: str
    """`http://127.0.0.1:PORT` of `/metrics`, `/healthz` and `/readyz`."""

    options: ChannelOptions
    """How `channel` connects: the target, the first of the service's tokens, no retries."""

    _open: AsyncExitStack = field(repr=False)

    async def metric(self, name: str) -> float:
        """What `/metrics` says of `name`, added up over its labels; 0 if it says nothing."""
        async with aiohttp.ClientSession() as http, http.get(f"{self.http_url}/metrics") as page:
            found = re.findall(rf"^{name}(?:{{.*}})? (\S+)$", await page.text(), re.MULTILINE)
        return sum(map(float, found))

    async def until(self, condition: Callable[[], Awaitable[object]]) -> None:
        """Waits until `condition` holds.

        Raises:
            TimeoutError: if it does not within 20 s.
        """
        async with asyncio.timeout(_PATIENCE_S):
            while not await condition():  # noqa: ASYNC110 - seen from outside only
                await asyncio.sleep(_LOOK_S)

    async def check_well(self) -> None:
        """Waits until no call is left, and checks that the service still serves.

        Raises:
            TimeoutError: if calls are left after 20 s.
            AssertionError: if its health is not SERVING.
        """

        async def idle() -> bool:
            in_flight = await self.metric("grpc_server_in_flight")
            return in_flight + await self.metric("voicemesh_admission_used") == 0

        await self.until(idle)
        stub = health_pb2_grpc.HealthStub(self.channel())
        answer = await stub.Check(health_pb2.HealthCheckRequest(), timeout=_PATIENCE_S)
        if answer.status != health_pb2.HealthCheckResponse.SERVING:
            msg = f"the service is not serving: {answer.status}"
            raise AssertionError(msg)

    def channel(self, **changes: Any) -> grpc.aio.Channel:
        """A channel to the service, closed with it; `changes` are fields of `ChannelOptions`."""
        channel = open_channel(replace(self.options, **changes))
        self._open.push_async_callback(channel.close)
        return channel


@asynccontextmanager
async def running(service: Service, settings: ServiceSettings) -> AsyncIterator[RunningService]:
    """Runs `service` on free ports of its host until the block ends; then drains it.

    The ports in `settings` are ignored, so tests can run beside each other. Signals are left
    alone. What `Service.start` raises comes out as `StartupError`.
    """
    server = settings.server.model_copy(update={"port": 0, "metrics_port": 0})
    host = Host(service, settings.model_copy(update={"server": server}))
    async with AsyncExitStack() as stack:
        stack.push_async_callback(host.aclose)
        await host.bind()
        await host.start()
        target = host_port(server.host, host.port)
        token = server.auth_tokens[0] if server.auth_tokens else None
        options = ChannelOptions(target=target, token=token, attempts=1, call_timeout_s=30.0)
        http_url = f"http://{host_port(server.host, host.metrics_port)}"
        channels = await stack.enter_async_context(AsyncExitStack())
        yield RunningService(target, http_url, options, channels)
