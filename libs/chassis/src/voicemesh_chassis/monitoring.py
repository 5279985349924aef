"""HTTP for probes and Prometheus: `/healthz`, `/readyz` and `/metrics`.

`/healthz` says that the process lives, whatever it is doing, so that a long start or drain does
not get it killed. `/readyz` says whether it takes calls.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web
from prometheus_client.exposition import choose_encoder

from voicemesh_chassis.addresses import check_free
from voicemesh_chassis.interceptors.lifecycle import Phase
from voicemesh_chassis.service import StartupError

if TYPE_CHECKING:
    from collections.abc import Callable

    from prometheus_client import CollectorRegistry

__all__ = ("Monitoring",)

_CLOSE_S = 1.0


class Monitoring:
    """The HTTP side of one service.

    Attributes:
        port: the port in use, once `bind` has returned.
    """

    def __init__(self, registry: CollectorRegistry, phase: Callable[[], Phase]) -> None:
        self.port = 0
        self._registry = registry
        self._phase = phase
        application = web.Application()
        application.add_routes(
            [
                web.get("/healthz", self._healthz),
                web.get("/readyz", self._readyz),
                web.get("/metrics", self._metrics),
            ]
        )
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=_CLOSE_S)

    async def bind(self, host: str, port: int, setting: str) -> int:
        """Takes the port and starts to answer.

        Args:
            host: address to listen on.
            port: port, 0 for a free one.
            setting: the environment variable that sets the port, for the sentence.

        Raises:
            StartupError: if the port cannot be had.
        """
        await check_free(host, port, setting)
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, host.strip("[]"), port).start()
        except OSError as error:
            msg = f"port {port} on {host} cannot be listened on: set {setting} to a free port."
            raise StartupError(msg) from error
        self.port = self._runner.addresses[0][1]
        return self.port

    async def aclose(self) -> None:
        """Stops answering; may be called before `bind` and twice."""
        await self._runner.cleanup()

    async def _healthz(self, _request: web.Request) -> web.Response:
        return web.Response(text="alive\n")

    async def _readyz(self, _request: web.Request) -> web.Response:
        phase = self._phase()
        return web.Response(text=f"{phase.value}\n", status=200 if phase is Phase.SERVING else 503)

    async def _metrics(self, request: web.Request) -> web.Response:
        encode, content_type = choose_encoder(request.headers.get("Accept", ""))
        return web.Response(body=encode(self._registry), headers={"Content-Type": content_type})
