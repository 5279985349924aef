"""Whether the services are ready, by the standard gRPC health check."""

from __future__ import annotations

from typing import TYPE_CHECKING

import grpc.aio
from grpc_health.v1 import health_pb2, health_pb2_grpc

from voicemesh_chassis.channel import ChannelOptions, open_channel

if TYPE_CHECKING:
    from collections.abc import Mapping

    from voicemesh_bot.domain import Backend
    from voicemesh_client import Connection

__all__ = ("HealthReadiness",)

_CHECK_TIMEOUT_S = 1.5


class HealthReadiness:
    """`ports.Readiness` over one channel for each backend, apart from those that work.

    Make it in the event loop that uses it.
    """

    def __init__(self, connections: Mapping[Backend, Connection]) -> None:
        self._channels = {
            backend: open_channel(_options(connection))
            for backend, connection in connections.items()
        }
        self._stubs = {
            backend: health_pb2_grpc.HealthStub(channel)
            for backend, channel in self._channels.items()
        }

    async def is_ready(self, backend: Backend) -> bool:
        """Whether the whole service reports SERVING."""
        request = health_pb2.HealthCheckRequest()
        try:
            answer = await self._stubs[backend].Check(request, timeout=_CHECK_TIMEOUT_S)
        except grpc.aio.AioRpcError:
            return False
        return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)

    async def aclose(self) -> None:
        """Closes the channels."""
        for channel in self._channels.values():
            await channel.close()


def _options(connection: Connection) -> ChannelOptions:
    options = connection.channel_options()
    return ChannelOptions(target=options.target, token=options.token, tls=options.tls, attempts=1)
