"""What a bad network costs in words: the same speech over a clean one and over a bad one.

Real speech goes through all that hears it in production: the simulator's Opus and DAVE, the bot's
voice connection and its client of stt in a process of their own, and stt as its users run it. Lost
packets are made up for by libopus in stt, by the copy in the packet after them or by a guess.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from benchmarks.report import Check, print_table
from benchmarks.services import serving
from benchmarks.stt.corpus import RATE_HERTZ, Corpus
from benchmarks.voice.listener import workshop
from benchmarks.words import word_error_rate
from discordsim import NetworkFaults, Speech, VoiceFaults

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.report import Report
    from benchmarks.voice.listener import Workshop
    from discordsim import Person

__all__ = ("measure_network",)

_BAD = NetworkFaults(loss=0.1, jitter_s=0.06, reorder=0.05, reorder_s=0.05)
_MOST_POINTS = 3.0
_PEOPLE = 3
_ROUNDS = 2
"""How often everybody says everything over the bad network, each time with other faults."""
_PAUSE_S = 1.5
_LAST_WORDS_S = 20.0


@dataclass(frozen=True)
class _Sentence:
    text: str
    speech: Speech


async def measure_network(report: Report) -> None:
    """Word error rates in percent, and what became of the packets."""
    sentences = await asyncio.to_thread(_sentences)
    async with serving("stt") as service:
        stt = service.connection.target
        clean, counted = await _listen(stt, sentences, VoiceFaults(), rounds=1)
        bad, lossy = await _listen(stt, sentences, VoiceFaults(to_bots=_BAD, seed=6), _ROUNDS)
    found = {
        "clean": {"word_error_rate_percent": round(clean, 2), "packets": counted},
        "bad": {"word_error_rate_percent": round(bad, 2), "packets": lossy},
    }
    report.measurements["network"] = found
    report.checks.append(
        Check.at_most(
            "word error rate at 10 % loss and 60 ms jitter, points over a clean network",
            bad - clean,
            _MOST_POINTS,
        )
    )
    rows = [
        (
            name,
            f"{rate:.2f} %",
            packets.get("heard", 0),
            packets.get("lost", 0),
            packets.get("reordered", 0),
            packets.get("late", 0),
        )
        for name, rate, packets in (("clean", clean, counted), ("bad", bad, lossy))
    ]
    print_table(("network", "word error rate", "heard", "lost", "put in order", "late"), rows)


async def _listen(
    stt: str, sentences: Sequence[_Sentence], faults: VoiceFaults, rounds: int
) -> tuple[float, dict[str, int]]:
    """The word error rate of all people in all rounds, and the packets by outcome."""
    spoken: list[str] = []
    heard: list[str] = []
    async with workshop(stt=stt) as room:
        people = await room.people(_PEOPLE)
        await room.ears.ask("join", channel=room.bench.id)
        await room.settle()
        room.sim.voice.faults = faults
        for _ in range(rounds):
            orders = [_turned(sentences, number * 2) for number in range(len(people))]
            finals = await _round(room, people, orders)
            for person, order in zip(people, orders, strict=True):
                spoken.append(" ".join(each.text for each in order))
                heard.append(" ".join(finals.get(str(person.id), [])))
        counters = (await room.ears.ask("report"))["counters"]
    return word_error_rate(spoken, heard), counters


async def _round(
    room: Workshop, people: Sequence[Person], orders: Sequence[Sequence[_Sentence]]
) -> dict[str, list[str]]:
    """Everybody says everything; what was understood, by user id."""
    await asyncio.gather(*map(_say, people, orders))
    finals: dict[str, list[str]] = {}
    async with asyncio.timeout(_LAST_WORDS_S):
        quiet_looks = 0
        while quiet_looks < 3:
            found: dict[str, Any] = await room.ears.ask("heard")
            if found["troubles"]:
                msg = f"stt failed: {found['troubles'][0]}"
                raise RuntimeError(msg)
            for user_id, texts in found["finals"].items():
                finals.setdefault(user_id, []).extend(texts)
            quiet_looks = 0 if found["finals"] else quiet_looks + 1
            await asyncio.sleep(1.0)
    return finals


async def _say(person: Person, order: Sequence[_Sentence]) -> None:
    for sentence in order:
        await person.speak(sentence.speech)
        await asyncio.sleep(_PAUSE_S)


def _turned(sentences: Sequence[_Sentence], by: int) -> Sequence[_Sentence]:
    """The same, beginning elsewhere: not all shall say the same at once."""
    at = by % len(sentences)
    return [*sentences[at:], *sentences[:at]]


def _sentences() -> list[_Sentence]:
    return [
        _Sentence(each.text, Speech.from_samples(each.audio, RATE_HERTZ))
        for each in Corpus.load().speech
    ]
