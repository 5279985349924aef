"""A world without any sockets, and a clock that only tests move."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from discordsim import Channel, ChannelKind, Guild, User
from discordsim.events import Event
from discordsim.world import World


class Clock:
    """Seconds since 1970, moved by hand."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Place:
    """A guild with a channel, two people and a bot."""

    world: World
    clock: Clock
    guild: Guild
    text: Channel
    voice: Channel
    ann: User
    ben: User
    bot: User
    events: list[Event]

    def happened(self, kind: type[Any]) -> list[Any]:
        """The events of one kind since the place was made."""
        return [event for event in self.events if isinstance(event, kind)]


@pytest.fixture
def place() -> Place:
    clock = Clock()
    world = World(clock=clock)
    directory = world.directory
    ann, ben = directory.add_user("Ann"), directory.add_user("Ben")
    bot = directory.user(directory.add_bot("Bot", "token", 0).id)
    owner = directory.add_user("owner")
    guild = directory.add_guild("Workshop", owner.id)
    for user in (owner, ann, ben, bot):
        directory.add_member(guild.id, user.id)
    text = directory.add_channel(ChannelKind.TEXT, "general", guild.id)
    voice = directory.add_channel(ChannelKind.VOICE, "Bench", guild.id)
    events: list[Event] = []
    world.events.subscribe(events.append)
    return Place(world, clock, guild, text, voice, ann, ben, bot, events)
