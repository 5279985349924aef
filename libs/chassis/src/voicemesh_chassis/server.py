"""The `grpc.aio` server of a service: guards, health, reflection, limits, certificates."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import grpc.aio
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1.health import aio as health_aio
from grpc_reflection.v1alpha import reflection

from voicemesh_chassis.addresses import check_free, host_port
from voicemesh_chassis.interceptors.access_log import AccessLog
from voicemesh_chassis.interceptors.admission import Admission
from voicemesh_chassis.interceptors.auth import Auth
from voicemesh_chassis.interceptors.call import HEALTH
from voicemesh_chassis.interceptors.chain import GuardChain
from voicemesh_chassis.interceptors.errors import Errors
from voicemesh_chassis.interceptors.lifecycle import Lifecycle, Phase
from voicemesh_chassis.interceptors.metering import Metering
from voicemesh_chassis.logs import get_logger
from voicemesh_chassis.metrics import GrpcMetrics
from voicemesh_chassis.service import StartupError
from voicemesh_chassis.tls import server_credentials

if TYPE_CHECKING:
    from voicemesh_chassis.service import Service
    from voicemesh_chassis.settings import ServerSettings

__all__ = ("GrpcServer",)

_logger = get_logger(__name__)

_GRPC_MAX_BYTES = 2**31 - 1
"""gRPC keeps the limit in a signed 32-bit integer."""

_CUT_S = 2.0
"""How long a handler that was cut may take to clean up, in seconds."""

_HEALTH_S = 1.0
"""How long telling the watchers of health may take, in seconds; one may have stopped reading."""

_WATCHERS_S = 0.05
"""How long watchers of health have to send their last word before they are ended, in seconds."""


class GrpcServer:
    """One service on one port.

    Attributes:
        lifecycle: which calls are let in, and which are open.
        port: the port in use, once `bind` has returned.
    """

    def __init__(self, service: Service, settings: ServerSettings, *, prefix: str) -> None:
        """Builds the server and registers the APIs; needs a running event loop.

        Args:
            service: what to serve.
            settings: where and how.
            prefix: of the environment variables behind `settings`, for sentences about them.
        """
        self.lifecycle = Lifecycle()
        self.port = 0
        self._settings = settings
        self._prefix = prefix
        self._names = tuple(api.name for api in service.apis)
        self._tell_service = service.drain
        metrics = GrpcMetrics(service.registry)
        guards = (
            AccessLog(),
            Metering(metrics),
            Errors(f"{service.name}.voicemesh"),
            self.lifecycle,
            Auth(settings.auth_tokens),
            Admission(settings.max_concurrent, service.weights, service.registry),
        )
        chain = GuardChain(
            guards,
            metrics,
            max_message_bytes=settings.max_message_bytes,
            write_timeout_s=settings.write_timeout_s,
        )
        self._server = grpc.aio.server(interceptors=[chain], options=_options(settings))
        self._health = health_aio.HealthServicer()
        self._register(service)

    def _register(self, service: Service) -> None:
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        for api in service.apis:
            api.register(self._server)
        if self._settings.reflection:
            names = (*self._names, HEALTH, reflection.SERVICE_NAME)
            reflection.enable_server_reflection(names, self._server)

    async def bind(self) -> int:
        """Takes the port and starts to answer; every call but health is refused until `open`.

        Raises:
            StartupError: if the port or a certificate cannot be used.
        """
        settings = self._settings
        await self._set_health(health_pb2.HealthCheckResponse.NOT_SERVING)
        await check_free(settings.host, settings.port, f"{self._prefix}PORT")
        address = host_port(settings.host, settings.port)
        try:
            if settings.tls is None:
                self.port = self._server.add_insecure_port(address)
            else:
                credentials = server_credentials(settings.tls, f"{self._prefix}TLS__")
                self.port = self._server.add_secure_port(address, credentials)
        except RuntimeError as error:
            msg = f"{address} cannot be listened on: set {self._prefix}PORT to a free port."
            raise StartupError(msg) from error
        await self._server.start()
        return self.port

    async def open(self) -> None:
        """Lets calls in and says so: health is SERVING."""
        self.lifecycle.phase = Phase.SERVING
        await self._set_health(health_pb2.HealthCheckResponse.SERVING)

    async def drain(self, timeout_s: float) -> None:
        """Lets no more calls in, lets open ones end for `timeout_s` seconds, then cuts them.

        The service is told, so that calls without an end of their own may end themselves. Clients
        are told at once, by health and by HTTP/2 GOAWAY, so that they turn to other replicas. When
        this returns no handler is running any more, except one that ignored being cancelled for two
        seconds.
        """
        lifecycle = self.lifecycle
        lifecycle.phase = Phase.DRAINING
        self._tell_service()
        try:
            await asyncio.wait_for(self._health.enter_graceful_shutdown(), _HEALTH_S)
        except TimeoutError:
            _logger.warning("a watcher of health does not read; going on")
        stopping = asyncio.ensure_future(self._server.stop(timeout_s + _CUT_S))
        try:
            await asyncio.wait_for(lifecycle.idle(free=False), timeout_s)
        except TimeoutError:
            _logger.warning("drain timeout, cutting calls", calls=lifecycle.cut(free=False))
        # Watchers of health never end by themselves. They have been woken to say NOT_SERVING,
        # and there is nothing to wait for that says when they have.
        await asyncio.sleep(_WATCHERS_S)
        lifecycle.cut(free=True)
        await self._finish()
        await stopping

    async def _finish(self) -> None:
        """Waits for the last handlers, then for the transport, each for a bounded time."""
        try:
            async with asyncio.timeout(_CUT_S):
                await self.lifecycle.idle(free=False)
                await self.lifecycle.idle(free=True)
        except TimeoutError:
            _logger.error("a handler ignores being cancelled; leaving it behind")
        await self._server.stop(_CUT_S)

    async def _set_health(self, status: health_pb2.HealthCheckResponse.ServingStatus) -> None:
        for name in ("", HEALTH, *self._names):
            await asyncio.wait_for(self._health.set(name, status), _HEALTH_S)


def _options(settings: ServerSettings) -> list[tuple[str, Any]]:
    # The chain refuses a message over the limit with full details. That needs the message in
    # memory, so those over eight times it are left to gRPC, which does not read them but says less.
    ceiling = min(8 * settings.max_message_bytes, _GRPC_MAX_BYTES)
    return [
        # Otherwise a second process could take the same port and get every other connection.
        ("grpc.so_reuseport", 0),
        ("grpc.max_receive_message_length", ceiling),
        ("grpc.max_send_message_length", -1),  # the chain checks
        ("grpc.keepalive_time_ms", 60_000),
        ("grpc.keepalive_timeout_ms", 20_000),
        ("grpc.keepalive_permit_without_calls", 1),
        # Clients of the chassis ping every 30 s; a ping more often than this is abuse.
        ("grpc.http2.min_ping_interval_without_data_ms", 20_000),
        # No max_connection_age_grace: the grace is a guillotine for live streams.
        ("grpc.max_connection_age_ms", round(settings.max_connection_age_s * 1000)),
    ]
