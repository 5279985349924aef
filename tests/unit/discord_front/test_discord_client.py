"""People on Discord mention the bot, write to it or use `/ask`, and get an answer in text."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import aiohttp
import discord
import pytest
import simcord

from voicemesh_bot.discord_front.answers import Question
from voicemesh_bot.discord_front.canvas import Canvas
from voicemesh_bot.discord_front.client import DiscordClient, invite_link
from voicemesh_bot.domain import HistoryTurn, ModelEvent, ModelText, Role
from voicemesh_chassis.errors import ServiceError, UnavailableError

if TYPE_CHECKING:
    from simcord.env import Env

pytestmark = pytest.mark.unit

Answer = Callable[[Sequence[HistoryTurn], str], AsyncGenerator[str, None]]


class Model:
    """A model that answers by script and remembers what it was asked."""

    def __init__(self, *pieces: str, error: ServiceError | None = None) -> None:
        self.pieces = pieces
        self.error = error
        self.asked: list[tuple[str, tuple[HistoryTurn, ...]]] = []
        self.gate: asyncio.Event | None = None
        self.closed = 0

    async def generate(
        self, history: Sequence[HistoryTurn], *, tenant: str
    ) -> AsyncGenerator[ModelEvent, None]:
        self.asked.append((tenant, tuple(history)))
        try:
            for piece in self.pieces:
                yield ModelText(piece)
            if self.gate is not None:
                await self.gate.wait()
            if self.error is not None:
                raise self.error
        finally:
            self.closed += 1


@pytest.fixture
def client_for(discord_client: Callable[..., DiscordClient]) -> Callable[..., DiscordClient]:
    def make(model: Model, clock: Callable[[], float] = time.monotonic) -> DiscordClient:
        return discord_client(model, clock=clock, edit_interval_s=1.0)

    return make


def bot_id(env: Env) -> int:
    """Who the bot is on this Discord."""
    assert env.bot.user is not None
    return env.bot.user.id


async def shown(channel: simcord.ChannelHandle, env: Env) -> list[str]:
    """What the bot has written in a channel, oldest first."""
    await env.settle()
    return [m.content for m in channel.history() if m.author.id == bot_id(env)]


async def test_a_mention_is_answered_with_a_reply(client_for: Callable[..., DiscordClient]) -> None:
    model = Model("It is ", "noon.")
    async with simcord.run(client_for(model)) as env:
        guild = env.create_guild()
        channel = guild.create_text_channel("general")
        ann = guild.add_member(env.create_user("ann"))

        await ann.send(channel, f"<@{bot_id(env)}> what is the time?")

        assert await shown(channel, env) == ["It is noon."]
        tenant, history = model.asked[0]
        assert tenant == f"discord-{guild.id}"
        assert history[-1].role is Role.USER
        assert history[-1].text == "what is the time?"


async def test_the_model_reads_the_names_of_people_who_are_mentioned(
    client_for: Callable[..., DiscordClient],
) -> None:
    model = Model("I will.")
    async with simcord.run(client_for(model)) as env:
        guild = env.create_guild()
        channel = guild.create_text_channel("general")
        ann = guild.add_member(env.create_user("ann"))
        bob = guild.add_member(env.create_user("bob"))

        await ann.send(channel, f"<@{bot_id(env)}> greet <@{bob.id}> in <#{channel.id}>")
        await env.settle()

        assert model.asked[0][1][-1].text == "greet @bob in #general"


async def test_the_bot_is_seen_to_type_while_it_answers(
    client_for: Callable[..., DiscordClient],
) -> None:
    model = Model("Noon.")
    async with simcord.run(client_for(model)) as env:
        guild = env.create_guild()
        channel = guild.create_text_channel("general")
        ann = guild.add_member(env.create_user("ann"))

        model.gate = asyncio.Event()
        question = ann.send(channel, f"<@{bot_id(env)}> what is the time?")
        asking = asyncio.create_task(question)
        while not any(entry.path.endswith("/typing") for entry in env.http_requests):
            await asyncio.sleep(0)
        model.gate.set()
        await asking

        assert await shown(channel, env) == ["Noon."]


async def test_a_message_for_somebody_else_is_left_alone(
    client_for: Callable[..., DiscordClient],
) -> None:
    model = Model("Hello.")
    async with simcord.run(client_for(model)) as env:
        guild = env.create_guild()
        channel = guild.create_text_channel("general")
        ann = guild.add_member(env.create_user("ann"))

        await ann.send(channel, "good morning everybody")

        assert await shown(channel, env) == []
        assert model.asked == []


async def test_a_direct_message_needs_no_mention(client_for: Callable[..., DiscordClient]) -> None:
    model = Model("Hello Ann.")
    async with simcord.run(client_for(model)) as env:
        ann = env.create_guild().add_member(env.create_user("ann"))

        await ann.send_dm("hello")
        await env.settle()

        assert model.asked[0][0] == f"discord-dm-{ann.id}"


async def test_slash_ask_is_answered(client_for: Callable[..., DiscordClient]) -> None:
    model = Model("It is noon.")
    async with simcord.run(client_for(model)) as env:
        guild = env.create_guild()
        channel = guild.create_text_channel("general")
        ann = guild.add_member(env.create_user("ann"))

        result = await ann.slash(channel, "ask", question="what is the time?")

        callbacks = [entry.json for entry in env.http_requests if entry.path.endswith("/callback")]
        assert callbacks == [
            {"type": discord.InteractionResponseType.deferred_channel_message.value}
        ]
        assert result.response is not None
        assert result.response.content == "It is noon."


async def test_the_next_answer_knows_what_was_said_before(
    client_for: Callable[..., DiscordClient],
) -> None:
    model = Model("Noon.")
    async with simcord.run(client_for(model)) as env:
        guild = env.create_guild()
        channel = guild.create_text_channel("general")
        ann = guild.add_member(env.create_user("ann"))
        bot = f"<@{bot_id(env)}>"

        await ann.send(channel, f"{bot} what is the time?")
        await env.settle()
        await ann.send(channel, f"{bot} are you sure?")
        await env.settle()

        texts = [turn.text for turn in model.asked[1][1]]
        assert texts == ["what is the time?", "Noon.", "are you sure?"]


async def test_a_long_answer_becomes_several_messages(
    client_for: Callable[..., DiscordClient],
) -> None:
    model = Model("One more sentence to read. " * 150)
    async with simcord.run(client_for(model)) as env:
        guild = env.create_guild()
        channel = guild.create_text_channel("general")
        ann = guild.add_member(env.create_user("ann"))

        await ann.send(channel, f"<@{bot_id(env)}> tell me a story")

        messages = await shown(channel, env)
        assert [len(message) <= 2000 for message in messages] == [True, True, True]
        assert " ".join(messages).count("One more sentence to read.") == 150


async def test_an_answer_grows_by_edits_that_are_not_too_frequent(
    client_for: Callable[..., DiscordClient],
) -> None:
    times = iter([0.0, 0.3, 0.6, 1.1, 1.1, 1.5, 2.3, 2.3])
    model = Model("a", "b", "c", "d", "e")
    async with simcord.run(client_for(model, lambda: next(times))) as env:
        guild = env.create_guild()
        channel = guild.create_text_channel("general")
        ann = guild.add_member(env.create_user("ann"))

        await ann.send(channel, f"<@{bot_id(env)}> go")

        assert await shown(channel, env) == ["abcde"]
        edits = [entry for entry in env.http_requests if entry.method == "PATCH"]
        assert len(edits) == 1


async def test_a_model_out_of_reach_is_said_in_one_sentence(
    client_for: Callable[..., DiscordClient],
) -> None:
    model = Model(error=UnavailableError("connection refused to 127.0.0.1:50053"))
    async with simcord.run(client_for(model)) as env:
        guild = env.create_guild()
        channel = guild.create_text_channel("general")
        ann = guild.add_member(env.create_user("ann"))

        await ann.send(channel, f"<@{bot_id(env)}> hello?")

        (sentence,) = await shown(channel, env)
        assert "cannot reach my language model" in sentence
        assert "50053" not in sentence


async def test_a_model_that_fails_half_way_leaves_what_it_said(
    client_for: Callable[..., DiscordClient],
) -> None:
    model = Model("The capital ", error=UnavailableError("gone"))
    async with simcord.run(client_for(model)) as env:
        guild = env.create_guild()
        channel = guild.create_text_channel("general")
        ann = guild.add_member(env.create_user("ann"))

        await ann.send(channel, f"<@{bot_id(env)}> hello?")

        said, sentence = await shown(channel, env)
        assert said == "The capital"
        assert "cannot reach" in sentence


async def test_a_mention_without_a_question_gets_a_hint(
    client_for: Callable[..., DiscordClient],
) -> None:
    model = Model("Hello.")
    async with simcord.run(client_for(model)) as env:
        guild = env.create_guild()
        channel = guild.create_text_channel("general")
        ann = guild.add_member(env.create_user("ann"))

        await ann.send(channel, f"<@{bot_id(env)}>")

        assert "/ask" in (await shown(channel, env))[0]
        assert model.asked == []


async def test_a_network_that_fails_while_answering_is_a_line_in_the_log(
    caplog: pytest.LogCaptureFixture, client_for: Callable[..., DiscordClient]
) -> None:
    async def send(_: str, __: bool) -> discord.Message:
        raise aiohttp.ClientConnectionError

    question = Question(tenant="t", channel_id=1, speaker="ann", text="hello?")
    await client_for(Model("Hello.")).respond(question, Canvas(send))

    assert "discord cannot be reached" in caplog.text


async def test_an_answer_that_is_deleted_while_it_grows_is_given_up(
    client_for: Callable[..., DiscordClient],
) -> None:
    sent: list[str] = []

    class Deleted:
        async def edit(self, **_: object) -> None:
            response = SimpleNamespace(status=404, reason="Not Found")
            raise discord.NotFound(
                cast("Any", response), {"code": 10008, "message": "Unknown Message"}
            )

    async def send(content: str, _: bool) -> discord.Message:
        sent.append(content)
        return cast("discord.Message", Deleted())

    model = Model("One ", "two ", "three.")
    times = iter(range(0, 100, 10))
    client = client_for(model, lambda: next(times))
    question = Question(tenant="t", channel_id=1, speaker="ann", text="count")
    await client.respond(question, Canvas(send))

    assert sent == ["One"]
    assert model.closed == 1


async def test_slash_answers_cannot_ping_everyone_either(
    client_for: Callable[..., DiscordClient],
) -> None:
    model = Model("Wake up @everyone. " * 120, " @everyone")
    async with simcord.run(client_for(model)) as env:
        guild = env.create_guild()
        ann = guild.add_member(env.create_user("ann"))

        await ann.slash(guild.create_text_channel("general"), "ask", question="wake them")

        bodies = [body for entry in env.http_requests if "content" in (body := entry.json or {})]
        assert bodies
        assert all(body["allowed_mentions"]["parse"] == [] for body in bodies)


async def test_who_asks_while_the_bot_leaves_starts_nothing(
    client_for: Callable[..., DiscordClient],
) -> None:
    async def send(_: str, __: bool) -> discord.Message:
        raise AssertionError

    model = Model()
    model.gate = asyncio.Event()
    client = client_for(model)
    question = Question(tenant="t", channel_id=1, speaker="ann", text="hello?")
    first = asyncio.create_task(client.respond(question, Canvas(send)))
    while not model.asked:
        await asyncio.sleep(0)
    leaving = asyncio.create_task(client.close())
    await asyncio.sleep(0)
    await client.respond(question, Canvas(send))
    await asyncio.wait({first, leaving})

    assert len(model.asked) == 1
    assert model.closed == 1


async def test_the_model_cannot_ping_everyone(client_for: Callable[..., DiscordClient]) -> None:
    model = Model("Wake up @everyone")
    async with simcord.run(client_for(model)) as env:
        guild = env.create_guild()
        channel = guild.create_text_channel("general")
        ann = guild.add_member(env.create_user("ann"))

        await ann.send(channel, f"<@{bot_id(env)}> wake them")
        await env.settle()

        answer = next(m for m in channel.history() if m.author.id == bot_id(env))
        assert not answer.mention_everyone


def test_the_invite_asks_for_what_is_needed_and_no_more() -> None:
    link = invite_link(7)

    assert "client_id=7" in link
    assert "applications.commands" in link
    permissions = discord.Permissions(int(link.split("permissions=")[1].split("&")[0]))
    assert permissions.send_messages
    assert not permissions.administrator
