"""As much of Discord's REST API and gateway as a bot needs for text, on the loopback interface."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from discord.gateway import DiscordWebSocket
from discord.http import Route

from voicemesh_bot.discord_front.login import DiscordAddresses, use_addresses

BOT, ANN, CHANNEL = 100, 200, 300
TOKEN = "a.good.token"


def user(identity: int, *, bot: bool = False) -> dict[str, Any]:
    name = f"user{identity}"
    return {"id": str(identity), "username": name, "discriminator": "0", "avatar": None, "bot": bot}


class Discord:
    """A Discord with one person who can write to the bot."""

    def __init__(self) -> None:
        self.posted: asyncio.Queue[dict[str, Any]] = asyncio.Queue(maxsize=10)
        self.ready = asyncio.Event()
        self.commands: list[str] = []
        self.intents = 0
        self.refused_intents = 0
        self.gateway: web.WebSocketResponse | None = None
        self.address = ""

    async def rest(self, request: web.Request) -> web.Response:
        path = request.match_info["path"]
        if request.headers.get("Authorization") != f"Bot {TOKEN}":
            return self._json({"message": "401: Unauthorized", "code": 0}, status=401)
        if path == "users/@me":
            return self._json(user(BOT, bot=True))
        if path == "oauth2/applications/@me":
            return self._json(
                {
                    "id": str(BOT),
                    "name": "bot",
                    "description": "",
                    "icon": None,
                    "bot_public": True,
                    "bot_require_code_grant": False,
                    "verify_key": "",
                    "team": None,
                    "flags": 0,
                    "owner": user(1),
                }
            )
        if path.endswith("/commands"):
            self.commands = [command["name"] for command in await request.json()]
            return self._json([])
        if path.endswith("/messages") or request.method == "PATCH":
            content = await request.json()
            await self.posted.put(content)
            return self._json(self._message(content["content"], author=user(BOT, bot=True)))
        return web.Response(status=204)

    async def websocket(self, request: web.Request) -> web.WebSocketResponse:
        self.gateway = web.WebSocketResponse()
        await self.gateway.prepare(request)
        await self.gateway.send_json({"op": 10, "d": {"heartbeat_interval": 41250}})
        async for message in self.gateway:
            received = json.loads(message.data)
            if received["op"] == 2:
                self.intents = received["d"]["intents"]
                if self.intents & self.refused_intents:
                    await self.gateway.close(code=4014)
                    break
                await self._dispatch(
                    "READY",
                    {
                        "v": 10,
                        "user": user(BOT, bot=True),
                        "guilds": [],
                        "session_id": "s",
                        "resume_gateway_url": f"ws://{self.address}/gateway",
                        "application": {"id": str(BOT), "flags": 0},
                    },
                )
                self.ready.set()
            elif received["op"] == 1:
                await self.gateway.send_json({"op": 11, "d": None})
        return self.gateway

    async def write(self, content: str) -> None:
        """Ann sends a direct message."""
        channel = {"id": str(CHANNEL), "type": 1, "recipients": [user(ANN)]}
        await self._dispatch("CHANNEL_CREATE", channel)
        await self._dispatch("MESSAGE_CREATE", self._message(content, author=user(ANN)))

    async def _dispatch(self, event: str, data: dict[str, Any]) -> None:
        assert self.gateway is not None
        await self.gateway.send_json({"op": 0, "t": event, "s": 1, "d": data})

    def _message(self, content: str, *, author: dict[str, Any]) -> dict[str, Any]:
        return {
            "id": str(time.monotonic_ns()),
            "channel_id": str(CHANNEL),
            "author": author,
            "content": content,
            "timestamp": "2026-01-01T00:00:00+00:00",
            "edited_timestamp": None,
            "tts": False,
            "mention_everyone": False,
            "mentions": [],
            "mention_roles": [],
            "attachments": [],
            "embeds": [],
            "pinned": False,
            "type": 0,
            "channel_type": 1,
        }

    def _json(self, content: Any, *, status: int = 200) -> web.Response:
        # Discord's own content type has no charset, and discord.py compares it literally.
        body = json.dumps(content).encode()
        return web.Response(body=body, status=status, headers={"Content-Type": "application/json"})


@asynccontextmanager
async def _local_discord() -> AsyncIterator[Discord]:
    """Discord on a free loopback port, with discord.py pointed at it."""
    discord = Discord()
    app = web.Application()
    app.router.add_get("/gateway/", discord.websocket)
    app.router.add_get("/gateway", discord.websocket)
    app.router.add_route("*", "/api/{path:.*}", discord.rest)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    discord.address = f"{host}:{port}"
    before = Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY
    use_addresses(
        DiscordAddresses(
            api=f"http://{discord.address}/api", gateway=f"ws://{discord.address}/gateway"
        )
    )
    try:
        yield discord
    finally:
        Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY = before
        await runner.cleanup()


@pytest.fixture
def local_discord() -> Callable[[], AbstractAsyncContextManager[Discord]]:
    """Opens a Discord on a free loopback port, with discord.py pointed at it."""
    return _local_discord
