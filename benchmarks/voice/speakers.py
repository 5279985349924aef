"""Many people who speak at once: what is lost, and what each costs the bot.

The simulator is this process, what is measured another one: discord.py as it is, the bot's voice
connection, and nothing else; then the same with everything sent on to stt. stt itself is a third
process, and is not counted.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from benchmarks.report import Check, print_table
from benchmarks.services import serving
from benchmarks.stt.corpus import RATE_HERTZ, Corpus, joined
from benchmarks.voice.listener import workshop
from discordsim import Speech

if TYPE_CHECKING:
    from benchmarks.report import Report
    from discordsim.people.microphone import Utterance

__all__ = ("measure_speakers",)

_PEOPLE = (1, 5, 10, 25)
_MOST_PERCENT = 1.0
_SPOKEN_S = 10.0
_WARM_S = 1.0
_IDLE_S = 4.0
_SPREAD_S = 0.02


async def measure_speakers(report: Report) -> None:
    """Percent of a core for each speaker, and packets that were not heard."""
    speech = await asyncio.to_thread(_speech)
    figures: dict[str, Any] = {}
    rows = []
    async with serving("stt") as service:
        for people in _PEOPLE:
            received = await _crowd(people, speech, stt="")
            sent_on = await _crowd(people, speech, stt=service.connection.target)
            figures[str(people)] = {"received": received, "sent_to_stt": sent_on}
            missing = received["missing"] + sent_on["missing"]
            rows.append(
                (
                    people,
                    f"{received['percent']:.2f} %",
                    f"{sent_on['percent']:.2f} %",
                    f"{received['idle_percent']:.2f} %",
                    missing,
                )
            )
            report.checks += [
                Check.at_most(f"packets of {people} at once that were not heard", missing, 0),
                Check.at_most(
                    f"CPU of the bot for each of {people} at once, received, percent of a core",
                    received["percent"],
                    _MOST_PERCENT,
                ),
                Check.at_most(
                    f"CPU of the bot for each of {people} at once, sent to stt, percent of a core",
                    sent_on["percent"],
                    _MOST_PERCENT,
                ),
            ]
    report.measurements["speakers"] = figures
    head = ("people", "each, received", "each, sent to stt", "nobody speaks", "not heard")
    print_table(head, rows)


async def _crowd(count: int, speech: Speech, *, stt: str) -> dict[str, Any]:
    """So many people who say the same, each a little later than the one before."""
    async with workshop(stt=stt) as room:
        people = await room.people(count)
        await room.ears.ask("join", channel=room.bench.id)
        await room.settle()
        idle = await _cpu(room, asyncio.sleep(_IDLE_S))

        async def speak(number: int) -> Utterance:
            # Microphones do not keep step: packets come one by one, and not all at once.
            await asyncio.sleep(_WARM_S + number * _SPREAD_S / count)
            return await people[number].speak(speech)

        talk = asyncio.gather(*map(speak, range(count)))
        await asyncio.sleep(_WARM_S + _SPREAD_S)
        cpu = await _cpu(room, asyncio.sleep(_SPOKEN_S - 1.0))
        said = await talk
        await asyncio.sleep(0.5)
        counters = (await room.ears.ask("report"))["counters"]
    sent = sum(len(each.sent_times) for each in said)
    return {
        "percent": round(100 * cpu / count, 3),
        "idle_percent": round(100 * idle, 3),
        "sent": sent,
        "missing": sent - counters.get("heard", 0),
        "packets": counters,
    }


async def _cpu(room: Any, meanwhile: Any) -> float:
    """The share of a core that the listening process uses meanwhile."""
    before = await room.ears.ask("report")
    await meanwhile
    after = await room.ears.ask("report")
    share: float = (after["cpu_s"] - before["cpu_s"]) / (after["time_s"] - before["time_s"])
    return share


def _speech() -> Speech:
    """Real speech, as long as is spoken."""
    audio = joined(Corpus.load().speech).audio[: round(_SPOKEN_S * RATE_HERTZ)]
    return Speech.from_samples(audio, RATE_HERTZ)
