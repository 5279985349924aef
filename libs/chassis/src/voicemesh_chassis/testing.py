"""A service run inside the test, on free ports, ready to be called."""

from __future__ import annotations

from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from voicemesh_chassis.addresses import host_port
from voicemesh_chassis.channel import ChannelOptions, open_channel
from voicemesh_chassis.host import Host

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import grpc.aio

    from voicemesh_chassis.service import Service
    from voicemesh_chassis.settings import ServiceSettings

__all__ = ("RunningService", "running")


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
