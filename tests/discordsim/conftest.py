"""A small town on a simulated Discord, and the ways to it: people, plain HTTP, a websocket."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from discordsim import BotAccount, BotProcess, Channel, Guild, Person, Simulator

BOTS = Path(__file__).parent / "bots"


def pytest_configure(config: pytest.Config) -> None:
    """Load the plugin where discordsim is on the path and not installed."""
    if not config.pluginmanager.has_plugin("discordsim.pytest_plugin"):
        config.pluginmanager.import_plugin("discordsim.pytest_plugin")


@dataclass
class Town:
    """A guild with a text and a voice channel, and two people."""

    sim: Simulator
    guild: Guild
    text: Channel
    voice: Channel
    ann: Person
    ben: Person

    @property
    def bot(self) -> BotAccount:
        """The bot under test."""
        return self.sim.bot


@pytest.fixture
def town(discord_sim: Simulator) -> Town:
    guild = discord_sim.add_guild("Workshop")
    return Town(
        discord_sim,
        guild,
        discord_sim.add_channel(guild, "general"),
        discord_sim.add_voice_channel(guild, "Bench"),
        discord_sim.add_person("Ann", guild),
        discord_sim.add_person("Ben", guild),
    )


@dataclass
class Api:
    """The REST API as a bot without a library would use it."""

    session: aiohttp.ClientSession
    root: str
    token: str

    async def __call__(
        self, method: str, path: str, body: Any = None, **arguments: Any
    ) -> tuple[int, Any]:
        """Return the status and the JSON, or None."""
        status, found, _ = await self.whole(method, path, body, **arguments)
        return status, found

    async def whole(
        self, method: str, path: str, body: Any = None, **arguments: Any
    ) -> tuple[int, Any, dict[str, str]]:
        """Return the headers too."""
        headers = {"Authorization": f"Bot {self.token}"}
        if body is not None:
            arguments["data"] = json.dumps(body)
            headers["Content-Type"] = "application/json"
        async with self.session.request(
            method, self.root + path, headers=headers, **arguments
        ) as response:
            text = await response.text()
            return response.status, json.loads(text) if text else None, dict(response.headers)


@pytest.fixture
async def api(town: Town) -> AsyncIterator[Api]:
    async with aiohttp.ClientSession() as session:
        yield Api(session, town.sim.api_uri, town.bot.token)


@dataclass
class Socket:
    """The gateway as a bot without a library would use it."""

    ws: aiohttp.ClientWebSocketResponse
    sequence: int | None = None
    events: list[tuple[str, Any]] = field(default_factory=list)

    async def send(self, op: int, data: Any) -> None:
        await self.ws.send_json({"op": op, "d": data})

    async def message(self) -> dict[str, Any]:
        """The next message."""
        async with asyncio.timeout(5):
            received = await self.ws.receive()
        assert received.type is aiohttp.WSMsgType.TEXT, received
        message: dict[str, Any] = json.loads(received.data)
        if message["s"] is not None:
            self.sequence = message["s"]
        return message

    async def event(self, name: str) -> Any:
        """The next event of this name; others before it are kept."""
        while True:
            message = await self.message()
            if message["op"] == 0:
                self.events.append((message["t"], message["d"]))
                if message["t"] == name:
                    return message["d"]

    async def closed(self) -> int | None:
        """The code with which the other side closes."""
        async with asyncio.timeout(5):
            while not self.ws.closed:
                await self.ws.receive()
        return self.ws.close_code

    async def identify(self, token: str, intents: int, **more: Any) -> dict[str, Any]:
        """Log in and return what READY says."""
        await self.send(2, {"token": token, "intents": intents, "properties": {}, **more})
        found: dict[str, Any] = await self.event("READY")
        return found


@pytest.fixture
async def connect(town: Town) -> AsyncIterator[Callable[..., AbstractAsyncContextManager[Socket]]]:
    """Opens connections to the gateway, which has said hello."""
    async with aiohttp.ClientSession() as session:

        @asynccontextmanager
        async def opened() -> AsyncIterator[Socket]:
            async with session.ws_connect(town.sim.gateway_uri) as ws:
                socket = Socket(ws)
                assert (await socket.message())["op"] == 10
                yield socket

        yield opened


@pytest.fixture
def start_bot(town: Town) -> Callable[..., BotProcess]:
    """Starts one of the programs in `bots`."""

    def start(name: str, **options: Any) -> BotProcess:
        program = str(BOTS / f"{name}.py")
        return town.sim.start_bot(sys.executable, "-m", "discordsim.redirect", program, **options)

    return start
