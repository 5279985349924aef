"""What people decided is taken over at once, whatever else is being read at that moment."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from voicemesh_bot.discord_front.rooms.parts import RoomStores
from voicemesh_bot.discord_front.rooms.wishes import Wishes
from voicemesh_bot.guilds import Consent, GuildVoice, PersonVoice
from voicemesh_chassis.database import DatabaseUnavailableError

pytestmark = pytest.mark.unit

GUILD, ANN, BEN = 1, 11, 12


class Memory:
    """A database whose answers to questions about consent can be held back, or away."""

    def __init__(self) -> None:
        self.agreed = {ANN, BEN}
        self.settings = GuildVoice(GUILD)
        self.is_away = False
        self.held: asyncio.Event | None = None
        self.asked = asyncio.Event()

    async def guild(self, guild_id: int) -> GuildVoice:
        self._fail_if_away()
        assert guild_id == GUILD
        return self.settings

    async def consent(self, guild_id: int, user_id: int) -> Consent | None:
        self._fail_if_away()
        answer = Consent(guild_id, user_id, user_id in self.agreed, True, 0.0)
        if (held := self.held) is not None:
            self.held = None
            self.asked.set()
            await held.wait()
        return answer

    async def person(self, guild_id: int, user_id: int) -> PersonVoice:
        self._fail_if_away()
        return PersonVoice(guild_id, user_id)

    def _fail_if_away(self) -> None:
        if self.is_away:
            raise DatabaseUnavailableError("away")


@pytest.fixture
def memory() -> Memory:
    return Memory()


@pytest.fixture
def wishes(memory: Memory) -> Wishes:
    stores: Any = memory
    return Wishes(memory.settings, RoomStores(stores, stores, stores, stores), 100.0)


async def test_nobody_agrees_who_is_not_known(wishes: Wishes) -> None:
    assert not wishes.agrees(ANN)
    assert await wishes.learn((ANN,))
    assert wishes.agrees(ANN)
    assert not wishes.agrees(BEN)


@pytest.mark.parametrize("way", ["learn", "reload"])
async def test_an_answer_from_before_a_refusal_does_not_count(
    wishes: Wishes, memory: Memory, way: str
) -> None:
    held = memory.held = asyncio.Event()
    before = asyncio.create_task(getattr(wishes, way)((ANN, BEN)))
    await memory.asked.wait()

    memory.agreed.discard(ANN)
    await wishes.reload((ANN, BEN))
    assert not wishes.agrees(ANN)
    held.set()
    await before

    assert not wishes.agrees(ANN)
    assert wishes.agrees(BEN)


async def test_who_is_read_while_all_is_read_anew_is_not_forgotten(
    wishes: Wishes, memory: Memory
) -> None:
    await wishes.learn((ANN,))
    held = memory.held = asyncio.Event()
    arriving = asyncio.create_task(wishes.learn((ANN, BEN)))
    await memory.asked.wait()
    await wishes.reload((ANN,))
    held.set()

    assert await arriving
    assert wishes.agrees(ANN)
    assert wishes.agrees(BEN)


async def test_while_the_database_is_away_nobody_agrees_and_then_all_is_known(
    wishes: Wishes, memory: Memory
) -> None:
    await wishes.learn((ANN,))
    memory.is_away = True
    with pytest.raises(DatabaseUnavailableError):
        await wishes.reload((ANN,))
    assert not wishes.agrees(ANN)
    assert not await wishes.learn((ANN,))

    memory.is_away = False
    memory.settings = replace(memory.settings, listen=False)
    assert await wishes.learn((ANN,))
    assert wishes.agrees(ANN)
    assert not wishes.guild.listen
