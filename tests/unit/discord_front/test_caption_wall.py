"""Captions as messages on Discord."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import discord
import pytest

from voicemesh_bot.discord_front.caption_wall import ChannelWall

pytestmark = pytest.mark.unit


class Answer:
    """Discord's answer to a request that it refused."""

    reason = "refused"

    def __init__(self, status: int) -> None:
        self.status = status


@dataclass
class Channel:
    """What of a channel is used, with its messages in order; refuses on demand."""

    messages: list[Message] = field(default_factory=list)
    refusal: Exception | None = None
    requests: int = 0

    def request(self) -> None:
        self.requests += 1
        if self.refusal is not None:
            raise self.refusal

    async def send(self, content: str, **options: Any) -> Message:
        self.request()
        assert options["silent"]
        assert options["allowed_mentions"].everyone is False
        self.messages.append(Message(self, content))
        return self.messages[-1]

    @property
    def reads(self) -> list[str]:
        return [message.content for message in self.messages]


@dataclass(eq=False)
class Message:
    """A message of that channel."""

    channel: Channel
    content: str

    async def edit(self, *, content: str) -> Message:
        self.channel.request()
        if self not in self.channel.messages:
            raise discord.NotFound(Answer(404), "Unknown Message")  # type: ignore[arg-type]
        self.content = content
        return self

    async def delete(self) -> None:
        self.channel.request()
        self.channel.messages.remove(self)


def wall_on(channel: Channel) -> ChannelWall:
    """A wall on that channel."""
    return ChannelWall(channel)  # type: ignore[arg-type]


async def test_a_page_is_sent_once_and_then_edited_in_place() -> None:
    channel = Channel()
    wall = wall_on(channel)

    await wall.show(1, "one")
    await wall.show(2, "two")
    await wall.show(1, "one and more")

    assert channel.reads == ["one and more", "two"]


async def test_a_page_of_which_nothing_is_left_is_deleted_and_may_be_sent_anew() -> None:
    channel = Channel()
    wall = wall_on(channel)

    await wall.show(1, "mhm")
    await wall.show(1, "")
    assert channel.reads == []
    await wall.show(1, "now then")
    await wall.show(2, "")

    assert channel.reads == ["now then"]


async def test_what_a_person_deleted_stays_deleted() -> None:
    channel = Channel()
    wall = wall_on(channel)
    await wall.show(1, "one")
    channel.messages.clear()

    for content in ("one two", "one two three", ""):
        await wall.show(1, content)
    await wall.show(2, "next")

    assert channel.reads == ["next"]


@pytest.mark.parametrize(
    "refusal",
    [
        discord.Forbidden(Answer(403), "Missing Permissions"),  # type: ignore[arg-type]
        discord.DiscordServerError(Answer(503), "overloaded"),  # type: ignore[arg-type]
        ConnectionResetError(),
        TimeoutError(),
    ],
)
async def test_a_discord_that_refuses_ends_no_captions(
    refusal: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    channel = Channel(refusal=refusal)
    wall = wall_on(channel)
    for number in range(3):
        await wall.show(1, f"words {number}")
    channel.refusal = None
    await wall.show(1, "words")

    assert channel.reads == ["words"]
    assert len(caplog.records) == 1  # said once


async def test_old_messages_are_not_held_for_ever() -> None:
    channel = Channel()
    wall = wall_on(channel)
    for page in range(1, 40):
        await wall.show(page, f"page {page}")

    await wall.show(39, "the last")
    await wall.show(20, "so old that it is sent anew")

    assert channel.reads[-2:] == ["the last", "so old that it is sent anew"]
