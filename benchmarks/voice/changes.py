"""Two hundred changes of a call, in random order, while people speak: what is lost or left behind.

People come, leave and move; the bot is moved, leaves and comes back; the region changes; keys
change, are damaged or go away; the server closes with every code that it has. Nobody waits for
anybody: the people go on speaking all the time. An utterance that begins after a change is over, by
the server's own books, must be heard whole; after a close code by which the bot must not come back,
there must be a sentence that says why, and a new call must bring it back.
"""

from __future__ import annotations

import asyncio
import random
import zlib
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.report import Check, print_table
from benchmarks.voice.listener import workshop
from discordsim import DiscordSimError, Speech

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from benchmarks.report import Report
    from benchmarks.voice.listener import Workshop
    from discordsim import Person

__all__ = ("measure_changes",)

_CHANGES = 200
_WARM = 20
_PEOPLE = 4
_SEED = 6
_SETTLED_S = 30.0
_HEARD_S = 3.0
_LAST_BEAT_S = 6.0
"""Time after which threads that send heartbeats have noticed that nobody wants them."""
_MOST_MIB = 8.0
"""Growth of memory that is no leak: caches fill, and the allocator keeps what it has."""
_CODES = (4006, 4009, 4014, 4015, 4021, 4022, 1001)
_FINE = {"heard", "silence", "not_audio"}
_FINAL_CODES = {4021, 4022}
"""After these the bot must not come back by itself."""


@dataclass
class _Said:
    """An utterance."""

    person: Person
    packets: Sequence[int]
    """What each of its packets is."""
    began_s: float


@dataclass
class _Outcome:
    """What the changes came to."""

    done: Counter[str] = field(default_factory=Counter)
    slowest_s: dict[str, float] = field(default_factory=dict)
    stuck: list[str] = field(default_factory=list)
    unexplained: list[str] = field(default_factory=list)
    utterances: int = 0
    missed: list[str] = field(default_factory=list)
    lost: dict[str, Counter[str]] = field(default_factory=dict)


class _Talker:
    """Somebody who says one thing after another, whatever happens around them."""

    def __init__(self, person: Person, speeches: Sequence[tuple[Speech, Sequence[int]]]) -> None:
        self.person = person
        self.said: list[_Said] = []
        self._speeches = speeches
        self._chance = random.Random(person.id)  # noqa: S311 - repeatable, no secret

    async def run(self) -> None:
        """Speaks until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            speech, packets = self._chance.choice(self._speeches)
            began_s = loop.time()
            with suppress(DiscordSimError):  # They are in no call, or in no group yet.
                utterance = await self.person.speak(speech, wait_s=1.0)
                if utterance.is_whole:
                    self.said.append(_Said(self.person, packets, utterance.started_time))
            await asyncio.sleep(max(0.02, began_s + 0.1 - loop.time()))

    async def next_after(self, time_s: float) -> _Said:
        """What they say next from a time on."""
        while not self.said or self.said[-1].began_s < time_s:
            await asyncio.sleep(0.02)
        return next(each for each in self.said if each.began_s >= time_s)


class _Changes:
    """Makes changes, and looks what became of them."""

    def __init__(self, room: Workshop, talkers: Sequence[_Talker]) -> None:
        self.room = room
        self.outcome = _Outcome()
        self._talkers = talkers
        self._chance = random.Random(_SEED)  # noqa: S311 - repeatable, no secret
        self._heard: dict[str, list[int]] = {}
        self._counted: Counter[str] = Counter()
        self._kinds: dict[str, Callable[[], Awaitable[object]]] = {
            "somebody leaves or comes": self._come_or_go,
            "somebody moves": self._move_somebody,
            "all come and go at once": self._crowd,
            "the bot goes over": self._go_over,
            "the bot is moved": self._move_bot,
            "the bot leaves and comes back": self._come_back,
            "the bot is put out": self._put_out,
            "the region changes": self._change_region,
            "a commit is damaged": self._damage,
            "encryption ends or returns": self._change_version,
            **{f"closed with {code}": self._closing(code) for code in _CODES},
        }

    async def begin(self) -> None:
        """Brings the bot to the bench."""
        await self.room.ears.ask("join", channel=self.room.bench.id)
        await self.room.settle()

    async def run(self, count: int) -> None:
        """Makes so many, each kind about as often as any other."""
        kinds = [kind for _ in range(count // len(self._kinds) + 1) for kind in self._kinds][:count]
        self._chance.shuffle(kinds)
        for kind in kinds:
            await self._make(kind)

    async def rest(self) -> None:
        """Puts everybody where they were in the beginning."""
        for talker in self._talkers:
            await talker.person.join(self.room.bench)
        await self.room.ears.ask("join", channel=self.room.bench.id)
        await self._settle("the end")

    async def _make(self, kind: str) -> None:
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        await self._kinds[kind]()
        if not await self._settle(kind):
            return
        spent_s = loop.time() - began_s
        self.outcome.done[kind] += 1
        self.outcome.slowest_s[kind] = max(self.outcome.slowest_s.get(kind, 0.0), spent_s)
        await self._listen(kind, loop.time())

    async def _settle(self, kind: str) -> bool:
        try:
            await self.room.settle(_SETTLED_S)
        except TimeoutError:
            self.outcome.stuck.append(kind)
            await self.room.ears.ask("leave")
            await self.begin()
            return False
        return True

    async def _listen(self, kind: str, since_s: float) -> None:
        """Looks whether all are heard who speak from now on in the bot's channel."""
        state = self._bot_state()
        there = [
            talker
            for talker in self._talkers
            if (place := talker.person.voice_state) and place.channel_id == state.channel_id
        ]
        said = await asyncio.gather(*(talker.next_after(since_s) for talker in there))
        missing = list(said)
        for _ in range(round(_HEARD_S / 0.1)):
            await self._collect()
            missing = [each for each in missing if not self._is_heard(each)]
            if not missing:
                break
            await asyncio.sleep(0.1)
        self.outcome.utterances += len(said)
        self.outcome.missed += [f"{each.person.name} after: {kind}" for each in missing]
        counted = Counter((await self.room.ears.ask("report"))["counters"])
        lost = self.outcome.lost.setdefault(kind, Counter())
        lost.update({k: n for k, n in (counted - self._counted).items() if k not in _FINE})
        self._counted = counted
        for kept in self._heard.values():
            del kept[:-500]

    async def _collect(self) -> None:
        found = await self.room.ears.ask("heard")
        for user_id, packets in found["packets"].items():
            self._heard.setdefault(user_id, []).extend(packets)

    def _is_heard(self, said: _Said) -> bool:
        kept, wanted = self._heard.get(str(said.person.id), []), list(said.packets)
        return any(kept[at : at + len(wanted)] == wanted for at in range(len(kept)))

    def _bot_state(self) -> Any:
        return self.room.sim.world.calls.state(self.room.guild.id, self.room.sim.bot.id)

    def _other(self, channel_id: int | None) -> Any:
        return self.room.yard if channel_id == self.room.bench.id else self.room.bench

    # What changes

    async def _come_or_go(self) -> None:
        person = self._chance.choice(self._talkers).person
        if person.voice_state is None:
            await person.join(self._other(self._chance.choice([self.room.bench.id, None])))
        else:
            await person.leave()

    async def _move_somebody(self) -> None:
        person = self._chance.choice(self._talkers).person
        place = person.voice_state
        await person.join(self._other(None if place is None else place.channel_id))

    async def _crowd(self) -> None:
        people = [talker.person for talker in self._talkers]
        where = next(
            c for c in (self.room.bench, self.room.yard) if c.id == self._bot_state().channel_id
        )
        await asyncio.gather(*(person.leave() for person in people))
        await asyncio.gather(*(person.join(where) for person in people))

    async def _go_over(self) -> None:
        channel = self._other(self._bot_state().channel_id)
        await self._join(channel.id)

    async def _move_bot(self) -> None:
        await self.room.sim.move(self.room.sim.bot, self._other(self._bot_state().channel_id))

    async def _come_back(self) -> None:
        channel_id = self._bot_state().channel_id
        await self.room.ears.ask("leave")
        await self._join(channel_id)

    async def _put_out(self) -> None:
        channel_id = self._bot_state().channel_id
        before = await self._ends()
        await self.room.sim.disconnect(self.room.sim.bot, self.room.guild)
        await self._expect_sentence("the bot is put out", before)
        await self._join(channel_id)

    async def _change_region(self) -> None:
        await self.room.sim.voice.change_region(self.room.guild.id)

    async def _damage(self) -> None:
        server = self.room.sim.voice.server_of(self.room.guild.id)
        channel_id = self._bot_state().channel_id
        server.corrupt_next_commit(self.room.guild.id, channel_id, self.room.sim.bot.id)
        await self._move_somebody()

    async def _change_version(self) -> None:
        server = self.room.sim.voice.server_of(self.room.guild.id)
        channel_id = self._bot_state().channel_id
        await server.set_dave_version(self.room.guild.id, channel_id, 0)
        await asyncio.sleep(0.3)
        await server.set_dave_version(self.room.guild.id, channel_id, 1)

    def _closing(self, code: int) -> Callable[[], Awaitable[None]]:
        async def close() -> None:
            channel_id = self._bot_state().channel_id
            before = await self._ends()
            await self.room.sim.voice.drop(self.room.guild.id, self.room.sim.bot.id, code)
            if code in _FINAL_CODES:
                await self._expect_sentence(f"closed with {code}", before)
                await self._join(channel_id)
            else:
                await asyncio.sleep(0.2)  # Until then a session that can be resumed looks whole.

        return close

    async def _join(self, channel_id: int) -> None:
        answer = await self.room.ears.ask("join", channel=channel_id)
        if "error" in answer:
            self.outcome.unexplained.append(f"join: {answer['error']}")

    async def _ends(self) -> int:
        """How often the connection has ended for good."""
        return len(await self._sentences())

    async def _sentences(self) -> list[str]:
        report = await self.room.ears.ask("report")
        return [sentence for phase, sentence in report["statuses"] if phase == "ended"]

    async def _expect_sentence(self, kind: str, before: int) -> None:
        """Waits until the bot says that it is over, and why."""
        for _ in range(round(_SETTLED_S / 0.1)):
            sentences = await self._sentences()
            if len(sentences) > before:
                if not sentences[-1].endswith("."):
                    self.outcome.unexplained.append(kind)
                return
            await asyncio.sleep(0.1)
        self.outcome.unexplained.append(kind)


async def measure_changes(report: Report, count: int = _CHANGES) -> None:
    """What 200 changes cost, and what they leave behind."""
    async with workshop(keeps=True) as room:
        people = await room.people(_PEOPLE)
        talkers = [_Talker(person, _speeches()) for person in people]
        changes = _Changes(room, talkers)
        await changes.begin()
        async with asyncio.TaskGroup() as talking:
            tasks = [talking.create_task(talker.run()) for talker in talkers]
            await changes.run(_WARM)
            before = await _at_rest(changes)
            await changes.run(count - _WARM)
            after = await _at_rest(changes)
            for task in tasks:
                task.cancel()
    _tell(report, changes.outcome, before, after, count)


async def _at_rest(changes: _Changes) -> dict[str, Any]:
    await changes.rest()
    await asyncio.sleep(_LAST_BEAT_S)
    ears = changes.room.ears
    await ears.ask("heard")
    held = await ears.ask("collect")
    return await ears.ask("report") | held


def _tell(
    report: Report, outcome: _Outcome, before: dict[str, Any], after: dict[str, Any], count: int
) -> None:
    grown = {name: len(after[name]) - len(before[name]) for name in ("tasks", "threads")} | {
        name: after[name] - before[name] for name in ("sockets", "connections")
    }
    memory_mib = after["memory_mib"] - before["memory_mib"]
    report.measurements["changes"] = {
        "made": dict(outcome.done),
        "slowest_s": {kind: round(s, 2) for kind, s in outcome.slowest_s.items()},
        "stuck": outcome.stuck,
        "without_a_sentence": outcome.unexplained,
        "utterances": outcome.utterances,
        "missed": outcome.missed,
        "packets_not_heard": {kind: dict(counts) for kind, counts in outcome.lost.items()},
        "grown": grown | {"memory_mib": round(memory_mib, 1)},
        "packets": after["counters"],
    }
    rows = [
        (kind, n, f"{outcome.slowest_s[kind]:.2f} s", _listed(outcome.lost.get(kind, Counter())))
        for kind, n in outcome.done.items()
    ]
    print_table(("change", "times", "slowest", "packets not heard"), rows)
    report.checks += [
        Check.at_most(
            f"changes of {count} after which the call stood still", len(outcome.stuck), 0
        ),
        Check.at_most("endings without a sentence", len(outcome.unexplained), 0),
        Check.at_least("utterances between changes", outcome.utterances, count),
        Check.at_most("utterances between changes not heard whole", len(outcome.missed), 0),
        Check.at_most(
            "tasks, threads, sockets and connections left behind", sum(map(abs, grown.values())), 0
        ),
        Check.at_most("memory growth by changes, MiB", memory_mib, _MOST_MIB),
    ]


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {n}" for name, n in counts.most_common()) or "-"


def _speeches() -> Sequence[tuple[Speech, Sequence[int]]]:
    """Tones that differ, so that it can be told which was heard."""
    time = np.arange(int(48_000 * 0.3)) / 48_000
    made = []
    for hertz in (220, 277, 330, 392, 440):
        samples = (0.3 * np.sin(2 * np.pi * hertz * time)).astype(np.float32)
        speech = Speech.from_samples(samples, 48_000)
        made.append((speech, [zlib.crc32(packet) for packet in speech.packets]))
    return made
