"""An unmodified discord.py logs in over real HTTP and websocket, answers, and leaves.

The server below is as much of Discord's REST API and gateway as a bot needs for text.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from discord.gateway import DiscordWebSocket
from discord.http import Route

from voicemesh_bot.discord_front import login
from voicemesh_bot.discord_front.answers import WrittenAnswers
from voicemesh_bot.discord_front.client import DiscordClient
from voicemesh_bot.discord_front.front import DiscordFront
from voicemesh_bot.discord_front.histories import Histories
from voicemesh_bot.discord_front.login import DiscordAddresses, stay_connected, use_addresses
from voicemesh_bot.domain import HistoryTurn, ModelEvent, ModelText
from voicemesh_bot.settings import DiscordSettings

pytestmark = [pytest.mark.contract, pytest.mark.timeout(30)]

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
        if path.endswith("/messages"):
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
async def local_discord() -> AsyncIterator[Discord]:
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


class Echo:
    """A model that says what it was asked."""

    async def generate(
        self, history: Sequence[HistoryTurn], *, tenant: str
    ) -> AsyncGenerator[ModelEvent, None]:
        yield ModelText(f"You said: {history[-1].text}")


def make_client() -> DiscordClient:
    return DiscordClient(
        WrittenAnswers(Echo(), Histories(turns_per_channel=8, channels=8), time.monotonic)
    )


async def test_the_bot_logs_in_answers_and_leaves() -> None:
    async with local_discord() as discord:
        task = asyncio.create_task(stay_connected(make_client, TOKEN))
        await asyncio.wait_for(discord.ready.wait(), 10)

        await discord.write("good evening")
        answer = await asyncio.wait_for(discord.posted.get(), 10)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

        assert answer["content"] == "You said: good evening"
        assert answer["allowed_mentions"]["parse"] == []
        assert discord.commands == ["ask"]
        assert discord.gateway is not None
        assert discord.gateway.closed


async def test_what_people_write_is_not_logged_at_any_level(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    async with local_discord() as discord:
        task = asyncio.create_task(stay_connected(make_client, TOKEN))
        await asyncio.wait_for(discord.ready.wait(), 10)
        await discord.write("good evening")
        await asyncio.wait_for(discord.posted.get(), 10)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    assert "good evening" not in caplog.text
    assert TOKEN not in caplog.text


async def test_a_login_that_ends_by_a_fault_says_so(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def explode(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("voicemesh_bot.discord_front.front.stay_connected", explode)
    front = DiscordFront(Echo(), TOKEN, DiscordSettings())
    await front.start()
    while "the login failed" not in caplog.text:
        await asyncio.sleep(0)
    await front.aclose()


async def test_no_privileged_intent_is_asked_for() -> None:
    privileged = 1 << 1 | 1 << 8 | 1 << 15
    async with local_discord() as discord:
        task = asyncio.create_task(stay_connected(make_client, TOKEN))
        await asyncio.wait_for(discord.ready.wait(), 10)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

        assert discord.intents
        assert discord.intents & privileged == 0


async def test_a_refused_token_is_not_tried_again() -> None:
    async with local_discord() as discord:
        await asyncio.wait_for(stay_connected(make_client, "a.wrong.token"), 10)

        assert not discord.ready.is_set()


async def test_discord_out_of_reach_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(login, "FIRST_WAIT_S", 0.01)
    made: list[Callable[[], DiscordClient]] = []

    def counted() -> DiscordClient:
        made.append(make_client)
        if len(made) < 3:
            msg = "no route to host"
            raise aiohttp.ClientConnectionError(msg)
        return make_client()

    async with local_discord() as discord:
        task = asyncio.create_task(stay_connected(counted, TOKEN))
        await asyncio.wait_for(discord.ready.wait(), 10)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

        assert len(made) == 3
