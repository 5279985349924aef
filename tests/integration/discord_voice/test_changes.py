"""Change after change of a call, in random order, while people speak all the time.

`benchmarks/voice/changes.py` makes two hundred, with the bot in a process of its own.
"""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import pytest

from discordsim import DiscordSimError, Speech
from voicemesh_bot.discord_front.voice_connection import VoicePhase

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]

SEED = 6


class Talker:
    """Somebody who says the same again and again, whatever happens around them."""

    def __init__(self, person: Any, speech: Speech) -> None:
        self.person = person
        self.speech = speech
        self.began: list[float] = []

    async def run(self) -> None:
        while True:
            with suppress(DiscordSimError):  # They are in no call, or in no group yet.
                said = await self.person.speak(self.speech, wait_s=1.0)
                if said.is_whole:
                    self.began.append(said.started_time)
            await asyncio.sleep(0.02)

    def spoke_since(self, time_s: float) -> bool:
        return bool(self.began) and self.began[-1] >= time_s


class Changes:
    """What can happen to a call, one method each."""

    def __init__(self, room: Any, people: Sequence[Any]) -> None:
        self.room, self.people = room, people
        self.chance = random.Random(SEED)

    @property
    def place(self) -> Any:
        """The channel that the bot is in."""
        state = self.room.sim.world.calls.state(self.room.guild.id, self.room.sim.bot.id)
        return (
            self.other(None)
            if state is None
            else self.room.sim.world.directory.channel(state.channel_id)
        )

    def other(self, channel_id: int | None) -> Any:
        return self.room.yard if channel_id == self.room.bench.id else self.room.bench

    async def somebody_comes_or_goes(self) -> None:
        person = self.chance.choice(self.people)
        if person.voice_state is None:
            await person.join(self.place)
        else:
            await person.leave()

    async def somebody_moves(self) -> None:
        person = self.chance.choice(self.people)
        state = person.voice_state
        await person.join(self.other(None if state is None else state.channel_id))

    async def the_bot_goes_over(self) -> None:
        await self.room.join(self.other(self.place.id))

    async def the_bot_is_moved(self) -> None:
        await self.room.sim.move(self.room.sim.bot, self.other(self.place.id))

    async def the_bot_leaves_and_comes_back(self) -> None:
        place = self.place
        await self.room.voice.leave()
        await self.room.join(place)

    async def the_region_changes(self) -> None:
        await self.room.sim.voice.change_region(self.room.guild.id)

    async def a_commit_is_damaged(self) -> None:
        server = self.room.sim.voice.server_of(self.room.guild.id)
        server.corrupt_next_commit(self.room.guild.id, self.place.id, self.room.sim.bot.id)
        await self.somebody_moves()

    async def the_server_closes(self) -> None:
        code = self.chance.choice([4006, 4009, 4015, 1001])
        await self.room.sim.voice.drop(self.room.guild.id, self.room.sim.bot.id, code)
        await self.room.until(lambda: not self.room.voice.is_connected)

    async def the_bot_must_not_come_back(self) -> None:
        place, ends = self.place, self.room.count(VoicePhase.ENDED)
        code = self.chance.choice([4021, 4022])
        await self.room.sim.voice.drop(self.room.guild.id, self.room.sim.bot.id, code)
        await self.room.until(lambda: self.room.count(VoicePhase.ENDED) == ends + 1)
        assert self.room.statuses[-1].sentence.endswith(".")
        await self.room.join(place)

    def in_order(self) -> list[Any]:
        kinds = [
            self.somebody_comes_or_goes,
            self.somebody_moves,
            self.the_bot_goes_over,
            self.the_bot_is_moved,
            self.the_bot_leaves_and_comes_back,
            self.the_region_changes,
            self.a_commit_is_damaged,
            self.the_server_closes,
            self.the_bot_must_not_come_back,
        ]
        twice = kinds * 2
        self.chance.shuffle(twice)
        return twice


async def test_who_speaks_after_a_change_is_heard_whole_and_nothing_is_left_behind(
    room: Any, tone: Any
) -> None:
    people = [await room.person(name) for name in ("Ann", "Ben", "Cleo")]
    await room.join()
    changes = Changes(room, people)
    talkers = [Talker(person, tone) for person in people]
    talking = [asyncio.create_task(talker.run()) for talker in talkers]

    for change in changes.in_order():
        room.sim.transcript.write(f"now {change.__name__}")
        await change()
        await room.until(room.voice_is_settled, 20)
        room.packets.clear()
        now_s = asyncio.get_running_loop().time()
        there = [each for each in talkers if room.is_beside_bot(each.person)]
        await room.until(lambda t=now_s, all_=there: all(each.spoke_since(t) for each in all_))
        await room.until(lambda all_=there: all(_is_heard(room, each) for each in all_))

    for task in talking:
        task.cancel()
    await asyncio.gather(*talking, return_exceptions=True)
    await room.voice.leave()
    await room.until(lambda: not _threads("voice-"))
    names = [task.get_name().lower() for task in asyncio.all_tasks()]
    assert [name for name in names if name.startswith(("voice", "discord voice"))] == []
    assert room.client.voice_clients == []


def _is_heard(room: Any, talker: Talker) -> bool:
    """Whether an utterance has come through without a gap."""
    heard, wanted = room.heard(talker.person), list(talker.speech.packets)
    return any(heard[at : at + len(wanted)] == wanted for at in range(len(heard)))


def _threads(prefix: str) -> list[str]:
    return [each.name for each in threading.enumerate() if each.name.startswith(prefix)]
