"""The bot goes where its guilds want it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from voicemesh_bot.discord_front.rooms import steering as module
from voicemesh_bot.discord_front.rooms.steering import Steering
from voicemesh_bot.guilds import GuildVoice
from voicemesh_chassis.database import DatabaseUnavailableError

pytestmark = pytest.mark.unit

BENCH, ANN = 5, 11


class Guild:
    """A guild with one voice channel, and Ann in it."""

    id = 1
    me = SimpleNamespace(id=99)
    stage_channels = ()

    def __init__(self) -> None:
        self.bench = SimpleNamespace(id=BENCH, voice_states={ANN: None})
        self.voice_channels = (self.bench,)

    def get_member(self, user_id: int) -> None:
        del user_id

    def get_channel(self, channel_id: int) -> Any:
        assert channel_id == BENCH
        return self.bench


class Memory:
    """A database that counts questions, whose first answer can be held back."""

    def __init__(self) -> None:
        self.settings = GuildVoice(1)
        self.questions = 0
        self.is_away = False
        self.hold = asyncio.Event()
        self.hold.set()

    async def guild(self, guild_id: int) -> GuildVoice:
        assert guild_id == 1
        self.questions += 1
        if self.is_away:
            raise DatabaseUnavailableError("away")
        settings = self.settings
        await self.hold.wait()
        return settings


class Bot:
    """Notes where it is sent."""

    def __init__(self) -> None:
        self.here: int | None = None
        self.moved = asyncio.Event()

    def channel_id(self, guild_id: int) -> int | None:
        assert guild_id == 1
        return self.here

    async def join(self, channel: Any) -> None:
        self.here = channel.id
        self.moved.set()

    async def leave(self, guild_id: int) -> bool:
        assert guild_id == 1
        self.here = None
        self.moved.set()
        return True


@pytest.fixture
def memory() -> Memory:
    return Memory()


@pytest.fixture
def bot(monkeypatch: pytest.MonkeyPatch) -> Bot:
    monkeypatch.setattr("discord.VoiceChannel", SimpleNamespace)
    monkeypatch.setattr("discord.StageChannel", SimpleNamespace)
    return Bot()


async def test_settings_from_before_a_change_do_not_stay(memory: Memory, bot: Bot) -> None:
    guild: Any = Guild()
    steering = Steering(memory, bot)  # type: ignore[arg-type]
    memory.hold.clear()
    steering.note(guild)
    while not memory.questions:
        await asyncio.sleep(0)

    memory.settings = replace(memory.settings, auto_join_channel_id=BENCH)
    steering.note_settings(1)
    memory.hold.set()
    async with asyncio.timeout(5):
        await bot.moved.wait()

    assert bot.here == BENCH
    await steering.aclose()


async def test_many_changes_at_once_are_one_look(memory: Memory, bot: Bot) -> None:
    guild: Any = Guild()
    steering = Steering(memory, bot)  # type: ignore[arg-type]
    for _ in range(200):
        steering.note(guild)
    assert len(steering._looks) == 1
    await steering.aclose()
    assert not steering._looks


async def test_without_a_database_it_looks_again_later(
    memory: Memory, bot: Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_RETRY_S", 0.0)
    guild: Any = Guild()
    steering = Steering(memory, bot)  # type: ignore[arg-type]
    memory.is_away = True
    memory.settings = replace(memory.settings, auto_join_channel_id=BENCH)
    steering.note(guild)
    async with asyncio.timeout(5):
        while memory.questions < 3:
            await asyncio.sleep(0)
        memory.is_away = False
        await bot.moved.wait()
    assert bot.here == BENCH
    await steering.aclose()
