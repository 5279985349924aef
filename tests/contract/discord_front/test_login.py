"""An unmodified discord.py logs in over real HTTP and websocket, answers, and leaves."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Sequence
from typing import Any

import aiohttp
import pytest

from voicemesh_bot.discord_front import login
from voicemesh_bot.discord_front.client import DiscordClient
from voicemesh_bot.discord_front.front import DiscordFront
from voicemesh_bot.discord_front.login import stay_connected
from voicemesh_bot.domain import HistoryTurn, ModelEvent, ModelText
from voicemesh_bot.settings import DiscordSettings

pytestmark = [pytest.mark.contract, pytest.mark.timeout(30)]

TOKEN = "a.good.token"


class Echo:
    """A model that says what it was asked."""

    async def generate(
        self, history: Sequence[HistoryTurn], *, tenant: str
    ) -> AsyncGenerator[ModelEvent, None]:
        yield ModelText(f"You said: {history[-1].text}")


@pytest.fixture
def make_client(discord_client: Callable[..., DiscordClient]) -> Callable[[bool], DiscordClient]:
    return lambda message_content: discord_client(Echo(), message_content=message_content)


async def test_the_bot_logs_in_answers_and_leaves(
    local_discord: Any, make_client: Callable[[bool], DiscordClient]
) -> None:
    async with local_discord() as discord:
        task = asyncio.create_task(stay_connected(make_client, TOKEN))
        await asyncio.wait_for(discord.ready.wait(), 10)

        await discord.write("good evening")
        answer = await asyncio.wait_for(discord.posted.get(), 10)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

        assert answer["content"] == "You said: good evening"
        assert answer["allowed_mentions"]["parse"] == []
        assert {"ask", "join", "leave", "consent"} <= set(discord.commands)
        assert discord.gateway is not None
        assert discord.gateway.closed


async def test_what_people_write_is_not_logged_at_any_level(
    local_discord: Any,
    caplog: pytest.LogCaptureFixture,
    make_client: Callable[[bool], DiscordClient],
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
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    make_client: Callable[[bool], DiscordClient],
) -> None:
    async def explode(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("voicemesh_bot.discord_front.front.stay_connected", explode)
    client = make_client(False)
    front = DiscordFront(TOKEN, DiscordSettings(), client.rooms.parts, client.voices)
    await front.start()
    while "the login failed" not in caplog.text:
        await asyncio.sleep(0)
    await front.aclose()


async def test_what_the_application_may_not_see_is_done_without(
    local_discord: Any, make_client: Callable[[bool], DiscordClient]
) -> None:
    message_content, privileged = 1 << 15, 1 << 1 | 1 << 8 | 1 << 15
    async with local_discord() as discord:
        discord.refused_intents = privileged
        task = asyncio.create_task(stay_connected(make_client, TOKEN))
        await asyncio.wait_for(discord.ready.wait(), 10)
        assert discord.intents & privileged == 0

        discord.ready.clear()
        discord.refused_intents = privileged & ~message_content
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        task = asyncio.create_task(stay_connected(make_client, TOKEN))
        await asyncio.wait_for(discord.ready.wait(), 10)
        assert discord.intents & privileged == message_content
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_refused_token_is_not_tried_again(
    local_discord: Any, make_client: Callable[[bool], DiscordClient]
) -> None:
    async with local_discord() as discord:
        await asyncio.wait_for(stay_connected(make_client, "a.wrong.token"), 10)

        assert not discord.ready.is_set()


async def test_discord_out_of_reach_is_tried_again(
    local_discord: Any,
    monkeypatch: pytest.MonkeyPatch,
    make_client: Callable[[bool], DiscordClient],
) -> None:
    monkeypatch.setattr(login, "FIRST_WAIT_S", 0.01)
    made: list[bool] = []

    def counted(message_content: bool) -> DiscordClient:
        made.append(message_content)
        if len(made) < 3:
            msg = "no route to host"
            raise aiohttp.ClientConnectionError(msg)
        return make_client(message_content)

    async with local_discord() as discord:
        task = asyncio.create_task(stay_connected(counted, TOKEN))
        await asyncio.wait_for(discord.ready.wait(), 10)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

        assert len(made) == 3
