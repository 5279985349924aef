"""A service from bound ports to drained stop; `app` adds the process around it."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from voicemesh_chassis.addresses import is_loopback
from voicemesh_chassis.errors import ServiceError
from voicemesh_chassis.logs import get_logger
from voicemesh_chassis.metrics import describe_build
from voicemesh_chassis.monitoring import Monitoring
from voicemesh_chassis.server import GrpcServer
from voicemesh_chassis.service import StartupError

if TYPE_CHECKING:
    from voicemesh_chassis.service import Service
    from voicemesh_chassis.settings import ServiceSettings

__all__ = ("Host",)

_logger = get_logger(__name__)


class Host:
    """Runs one service once: `bind`, `start`, then `aclose`, which also undoes half a start."""

    def __init__(self, service: Service, settings: ServiceSettings) -> None:
        self._service = service
        self._settings = settings.server
        self._prefix = f"{settings.model_config.get('env_prefix', '')}SERVER__"
        self._has_apis = bool(service.apis)
        self._started = False
        self._served = False
        describe_build(service.registry, service.name)
        self._grpc = GrpcServer(service, settings.server, prefix=self._prefix)
        self._http = Monitoring(service.registry, lambda: self._grpc.lifecycle.phase)

    @property
    def port(self) -> int:
        """The gRPC port in use."""
        return self._grpc.port

    @property
    def metrics_port(self) -> int:
        """The HTTP port in use."""
        return self._http.port

    async def bind(self) -> None:
        """Takes both ports; from here on probes are answered, with "not ready".

        Raises:
            StartupError: if a port or certificate cannot be used.
        """
        settings = self._settings
        await self._http.bind(settings.host, settings.metrics_port, f"{self._prefix}METRICS_PORT")
        await self._grpc.bind()
        _logger.info("listening", port=self.port, metrics_port=self.metrics_port)
        self._warn_if_open()

    async def start(self) -> None:
        """Starts the service and lets calls in; may be cancelled.

        Raises:
            StartupError: with what the service says is missing.
        """
        begin = time.monotonic()
        self._started = True
        try:
            await self._service.start()
        except ServiceError as error:
            raise StartupError(error.message) from error
        await self._grpc.open()
        self._served = True
        _logger.info("serving", start_s=round(time.monotonic() - begin, 3))

    async def aclose(self) -> None:
        """Drains, stops the service and gives the ports back; never waits without a bound."""
        if self._served:
            _logger.info("draining", timeout_s=self._settings.drain_timeout_s)
        try:
            await self._grpc.drain(self._settings.drain_timeout_s)
            if self._started:
                await self._stop_service()
        finally:
            await self._http.aclose()
        if self._served:
            _logger.info("stopped")

    def _warn_if_open(self) -> None:
        settings = self._settings
        if not self._has_apis or settings.tls is not None or settings.auth_tokens:
            return
        if not is_loopback(settings.host):
            _logger.warning(
                "anybody who reaches the port may call this service; "
                "where that is not a private network, set tokens and a certificate",
                host=settings.host,
                port=self.port,
                variables=f"{self._prefix}AUTH_TOKENS, {self._prefix}TLS__CERTIFICATE_FILE",
            )

    async def _stop_service(self) -> None:
        try:
            async with asyncio.timeout(self._settings.stop_timeout_s):
                await self._service.stop()
        except TimeoutError:
            _logger.error("the service does not stop; leaving it behind")
        except Exception as error:  # the process ends either way, and must give its ports back
            _logger.error("the service failed to stop", exc_info=error)
