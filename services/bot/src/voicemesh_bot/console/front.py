"""The console's HTTP server: the page, its files and one WebSocket for each tab."""

from __future__ import annotations

import asyncio
import errno
from pathlib import Path
from typing import TYPE_CHECKING

from aiohttp import WSCloseCode, web

from voicemesh_bot.console.access import HEADERS, check_origin, host_check
from voicemesh_bot.console.connection import MOST_MESSAGE_BYTES, Connection, WebSocketAudience
from voicemesh_bot.console.replies import as_error
from voicemesh_bot.console.requests import BadRequestError
from voicemesh_bot.metrics import MeteredAudience
from voicemesh_bot.session import Session
from voicemesh_chassis.logs import get_logger
from voicemesh_chassis.service import StartupError

if TYPE_CHECKING:
    from voicemesh_bot.metrics import BotMetrics
    from voicemesh_bot.ports import Backends
    from voicemesh_bot.session import SessionOptions
    from voicemesh_bot.settings import ConsoleSettings
    from voicemesh_bot.watch import BackendWatch

__all__ = ("ConsoleFront",)

_HEARTBEAT_S = 20.0
_CLOSE_TIMEOUT_S = 2.0
_STATIC = Path(__file__).with_name("static")

_logger = get_logger(__name__)


class ConsoleFront:
    """`ports.Front` for browsers on this machine."""

    def __init__(
        self,
        settings: ConsoleSettings,
        backends: Backends,
        watch: BackendWatch,
        options: SessionOptions,
        metrics: BotMetrics,
        *,
        voice_rate_hertz: int = 24_000,
    ) -> None:
        self._settings = settings
        self._backends = backends
        self._watch = watch
        self._options = options
        self._metrics = metrics
        self._voice_rate_hertz = voice_rate_hertz
        self._sockets: set[web.WebSocketResponse] = set()
        self._runner: web.AppRunner | None = None
        self._port = 0

    @property
    def url(self) -> str:
        """Where the page is, once started."""
        host = self._settings.host
        shown = "127.0.0.1" if host in {"0.0.0.0", "::"} else host  # noqa: S104 - to compare
        return f"http://{f'[{shown}]' if ':' in shown else shown}:{self._port}"

    async def start(self) -> None:
        """Takes the port and serves the page."""
        app = web.Application(middlewares=[host_check(self._settings.allowed_hosts)])
        app.on_response_prepare.append(_add_headers)
        app.on_shutdown.append(self._say_goodbye)
        app.router.add_get("/", _serve_page)
        app.router.add_get("/session", self._serve_session)
        app.router.add_static("/static", _STATIC)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=_CLOSE_TIMEOUT_S)
        await self._runner.setup()
        await self._bind(self._runner)
        _logger.info("console", url=self.url)

    async def aclose(self) -> None:
        """Ends all sessions and gives the port back."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _bind(self, runner: web.AppRunner) -> None:
        host, port = self._settings.host, self._settings.port
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                msg = (
                    f"port {port} on {host} is taken: stop the program that uses it, or set "
                    "VOICEMESH_BOT_CONSOLE__PORT to another port for the console."
                )
            else:
                msg = (
                    f"the console cannot listen on {host}:{port} ({error.strerror}): set "
                    "VOICEMESH_BOT_CONSOLE__HOST and VOICEMESH_BOT_CONSOLE__PORT."
                )
            raise StartupError(msg) from error
        self._port = int(runner.addresses[0][1])

    async def _serve_session(self, request: web.Request) -> web.WebSocketResponse:
        check_origin(request)
        socket = web.WebSocketResponse(
            heartbeat=_HEARTBEAT_S,
            timeout=_CLOSE_TIMEOUT_S,
            max_msg_size=MOST_MESSAGE_BYTES,
            compress=False,
        )
        await socket.prepare(request)
        if len(self._sockets) >= self._settings.max_sessions:
            await self._turn_away(socket)
            return socket
        self._sockets.add(socket)
        sessions = self._metrics.sessions.labels(front="console")
        sessions.inc()
        try:
            await self._connection(socket).run()
        finally:
            sessions.dec()
            self._sockets.discard(socket)
        return socket

    def _connection(self, socket: web.WebSocketResponse) -> Connection:
        audience = WebSocketAudience(socket)
        metered = MeteredAudience(audience, self._metrics, front="console")
        session = Session(self._backends, metered, self._options)
        return Connection(
            socket, audience, session, self._watch, sample_rate_hertz=self._voice_rate_hertz
        )

    async def _turn_away(self, socket: web.WebSocketResponse) -> None:
        most = self._settings.max_sessions
        msg = f"The console has {most} open tabs already; close one and try again."
        await socket.send_str(as_error(BadRequestError("FULL", msg)))
        await socket.close(code=WSCloseCode.TRY_AGAIN_LATER)

    async def _say_goodbye(self, _: web.Application) -> None:
        # All at once: a page that has frozen costs the whole timeout.
        async with asyncio.TaskGroup() as closing:
            for socket in tuple(self._sockets):
                goodbye = socket.close(code=WSCloseCode.GOING_AWAY, message=b"the bot is stopping")
                closing.create_task(goodbye, name="console goodbye")


async def _serve_page(_: web.Request) -> web.FileResponse:
    return web.FileResponse(_STATIC / "index.html")


async def _add_headers(_: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(HEADERS)
