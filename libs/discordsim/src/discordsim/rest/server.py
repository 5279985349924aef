"""The routes behind one middleware: switches for trouble, login, errors, transcript."""

from __future__ import annotations

import asyncio
import hashlib
from typing import TYPE_CHECKING

from aiohttp import web

from discordsim.errors import RefusedError
from discordsim.rest import (
    callbacks,
    channels,
    commands,
    guilds,
    login,
    members,
    messages,
    reactions,
    threads,
    webhooks,
)
from discordsim.rest.call import Call, Route, answer
from discordsim.rest.faults import RestFaults, Trouble
from discordsim.rest.files import file_answer
from discordsim.world.content import REQUEST_LIMIT_BYTES

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from discordsim.domain import BotAccount
    from discordsim.world import World

__all__ = ("RestServer",)

_ROOT = "/api/v10"
_ROUTES = (
    *guilds.ROUTES,
    *members.ROUTES,
    *channels.ROUTES,
    *threads.ROUTES,
    *messages.ROUTES,
    *reactions.ROUTES,
    *commands.ROUTES,
    *callbacks.ROUTES,
    *webhooks.ROUTES,
)
_VIA = {"Via": "1.1 discordsim"}  # discord.py takes a 429 without it for a ban


class RestServer:
    """Answers Discord's REST API."""

    def __init__(
        self,
        world: World,
        *,
        record: Callable[[str], None],
        gateway_uri: Callable[[], str],
    ) -> None:
        """Answer for `world`.

        Args:
            world: what bots read and change.
            record: writes a line of the transcript.
            gateway_uri: tells where bots find the gateway.
        """
        self._world = world
        self._record = record
        self._gateway_uri = gateway_uri
        self.faults = RestFaults()
        """Switches for what goes wrong."""
        self.address = ""
        """`http://host:port` once the server listens."""

    @property
    def api_uri(self) -> str:
        """Root of the API."""
        return self.address + _ROOT

    def add_to(self, app: web.Application) -> None:
        """Add all routes to an application that lets requests of 25 MiB through."""
        for route in (*login.routes(self._gateway_uri), *_ROUTES):
            app.router.add_route(route.method, _ROOT + route.path, self._handler(route))
        path = "/attachments/{channel_id}/{attachment_id}/{filename}"
        app.router.add_get(path, self._file)
        app.router.add_route("*", "/{path:.*}", self._unknown)

    def _handler(self, route: Route) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def handle(request: web.Request) -> web.Response:
            began = asyncio.get_running_loop().time()
            bot = self._bot(request)
            try:
                response = await self._answer(route, request, bot)
            except RefusedError as refused:
                self._record(f"REST refuses {_who(self._world, bot)} {route.name}: {refused}")
                return answer(refused.body(), refused.status)
            took_ms = (asyncio.get_running_loop().time() - began) * 1000
            self._record(
                f"REST {_who(self._world, bot)} {route.name} -> {response.status}, {took_ms:.0f} ms"
            )
            return response

        return handle

    async def _answer(
        self, route: Route, request: web.Request, bot: BotAccount | None
    ) -> web.Response:
        if (delay_s := self.faults.delay_of(route.name)) > 0:
            await asyncio.sleep(delay_s)
        if (trouble := self.faults.next_trouble(route.name)) is not None:
            return _troubled(trouble, request)
        if route.needs_login and bot is None:
            raise RefusedError(401, 0, "401: Unauthorized")
        headers: dict[str, str] = {}
        if self.faults.enforces_limits:
            loop = asyncio.get_running_loop()
            bucket = _bucket(route, request)
            remaining, reset_s = self.faults.counted(bucket, loop.time)
            headers = {
                "X-RateLimit-Limit": "5",
                "X-RateLimit-Remaining": str(max(0, remaining)),
                "X-RateLimit-Reset-After": f"{reset_s:.3f}",
                "X-RateLimit-Bucket": hashlib.sha256(route.name.encode()).hexdigest()[:32],
            }
            if remaining < 0:
                return _limited(reset_s, is_global=False, headers=headers)
        call = Call(request, self._world, bot)
        try:
            response = await route.handler(call)
        except (TypeError, ValueError, AttributeError, LookupError) as error:
            if isinstance(error, web.HTTPException):
                raise
            raise RefusedError(400, 50035, f"Invalid Form Body ({error})") from error
        response.headers.update(headers)
        return response

    def _bot(self, request: web.Request) -> BotAccount | None:
        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        return self._world.directory.bot_with_token(token) if kind == "Bot" else None

    async def _file(self, request: web.Request) -> web.Response:
        name = "GET /attachments"
        if (delay_s := self.faults.delay_of(name)) > 0:
            await asyncio.sleep(delay_s)
        if (trouble := self.faults.next_trouble(name)) is not None:
            return _troubled(trouble, request)
        return file_answer(self._world, request)

    async def _unknown(self, request: web.Request) -> web.Response:
        self._record(f"REST has no {request.method} {request.path}: discordsim does not know it")
        return answer({"message": "404: Not Found", "code": 0}, 404)


def application() -> web.Application:
    """Return an application that lets through what Discord would."""
    return web.Application(client_max_size=REQUEST_LIMIT_BYTES + (1 << 20))


def _who(world: World, bot: BotAccount | None) -> str:
    return "(no login)" if bot is None else world.directory.display_name(bot.id)


def _bucket(route: Route, request: web.Request) -> str:
    """Routes are limited for each channel, guild and token by itself."""
    major = [
        value
        for name, value in sorted(request.match_info.items())
        if name in {"channel_id", "guild_id", "token", "interaction_id"}
    ]
    return " ".join([route.name, *major])


def _troubled(trouble: Trouble, request: web.Request) -> web.Response:
    if trouble.limited is not None:
        return _limited(
            trouble.limited.retry_after_s, is_global=trouble.limited.is_global, headers={}
        )
    if trouble.status:
        return answer({"message": f"{trouble.status}: Internal Error", "code": 0}, trouble.status)
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)


def _limited(retry_after_s: float, *, is_global: bool, headers: dict[str, str]) -> web.Response:
    response = answer(
        {
            "message": "You are being rate limited.",
            "retry_after": round(retry_after_s, 3),
            "global": is_global,
        },
        429,
    )
    scope = {"X-RateLimit-Global": "true"} if is_global else {}
    response.headers.update(
        headers
        | scope
        | _VIA
        | {
            "Retry-After": str(max(1, round(retry_after_s))),
            "X-RateLimit-Scope": "global" if is_global else "user",
        }
    )
    return response
