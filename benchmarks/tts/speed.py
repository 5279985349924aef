"""When the first sound is there, and how much a machine can speak."""

from __future__ import annotations

import asyncio
import statistics
from typing import TYPE_CHECKING, Any

from benchmarks.callers import Burst, burst, usual
from benchmarks.report import Check, print_table
from benchmarks.tts.systems import hear
from benchmarks.tts.texts import Writer, at_once, written

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from benchmarks.report import Report
    from benchmarks.tts.systems import System

__all__ = (
    "STREAMED",
    "measure_first_sound",
    "measure_repeated",
    "measure_throughput",
    "measure_written",
)

_REPEATS = 15
_WRITTEN_REPEATS = 5
_WORDS_PER_S = 15.0
"""As fast as a small language model of this machine writes."""
_ROUNDS = 3
_TEXTS = {1: 6, 8: 24}
"""How many texts each round has, by callers."""
_CALM_S = 0.05
_OURS, _INPROCESS, _WYOMING = "voicemesh", "piper", "wyoming-piper"
STREAMED = f"{_OURS}, streamed"
"""The service once more, asked to stream."""
_PACKET_S = 0.02
"""Of Opus on Discord: sound that is there sooner by less is not heard sooner."""
_MOONSHOT_S = 0.06


async def measure_first_sound(report: Report, systems: Mapping[str, System]) -> None:
    """One caller, one finished text at a time, the systems in turns; every text is new."""
    writer = Writer(1)
    kinds: dict[str, Callable[[], str]] = {
        f"one sentence of {words} words": lambda words=words: writer.sentence(words)  # type: ignore[misc]
        for words in (5, 20, 60)
    }
    kinds["60 words in 4 sentences"] = lambda: writer.paragraph(60)
    rows, figures = [], {}
    for kind, text in kinds.items():
        taken: dict[str, list[float]] = {name: [] for name in systems}
        for _ in range(_REPEATS):
            said = text()
            for name, system in systems.items():
                await asyncio.sleep(_CALM_S)
                taken[name].append((await hear(system, at_once(said))).first_s)
        medians = {name: statistics.median(times) for name, times in taken.items()}
        figures[kind] = {name: round(value, 4) for name, value in medians.items()}
        rows.append((kind, *(f"{value * 1e3:.0f} ms" for value in medians.values())))
        ratio = medians[_OURS] / medians[_INPROCESS]
        what = f"first sound, {kind}, time against Piper's first sentence"
        report.checks.append(Check.at_most(what, ratio, 1.0))
    report.measurements["first_sound_s"] = figures
    short, long = (figures[f"one sentence of {words} words"][_OURS] for words in (5, 60))
    report.checks += (
        Check.at_most("first sound, 60 words later than 5, seconds", long - short, _PACKET_S),
        Check.at_most("first sound, 60 words, seconds (moonshot)", long, _MOONSHOT_S),
    )
    print_table(("first sound of", *systems), rows)


async def measure_repeated(report: Report, system: System) -> None:
    """Sentences of 20 words that have been spoken before: what the cache of clauses brings."""
    writer = Writer(9)
    taken: list[float] = []
    for _ in range(_REPEATS):
        text = writer.sentence(20)
        await hear(system, at_once(text))
        await asyncio.sleep(_CALM_S)
        taken.append((await hear(system, at_once(text))).first_s)
    median = statistics.median(taken)
    report.measurements["first_sound_repeated_s"] = round(median, 4)
    print_table(("first sound of 20 words said before", _OURS), [("", f"{median * 1e3:.1f} ms")])


async def measure_written(report: Report, systems: Mapping[str, System]) -> None:
    """A text that is still being written: from its first word to the first sound."""
    writer = Writer(2)
    taken: dict[str, list[float]] = {name: [] for name in systems}
    for _ in range(_WRITTEN_REPEATS):
        text = writer.paragraph(60)
        for name, system in systems.items():
            heard = await hear(system, written(text, _WORDS_PER_S))
            taken[name].append(heard.first_s)
    medians = {name: round(statistics.median(times), 3) for name, times in taken.items()}
    report.measurements["first_sound_while_written_s"] = {
        "words_per_s": _WORDS_PER_S,
        "from_first_word_s": medians,
    }
    head = f"60 words in 4 sentences, written at {_WORDS_PER_S:g} words a second"
    print_table((head, *systems), [("first sound", *(f"{m:.2f} s" for m in medians.values()))])


async def measure_throughput(report: Report, systems: Mapping[str, System]) -> None:
    """Texts of 60 words in 4 sentences, spoken whole by so many callers at once."""
    writer = Writer(3)
    rows: list[tuple[object, ...]] = []
    figures: dict[str, Any] = {}
    for callers, count in _TEXTS.items():
        bursts: dict[str, list[Burst]] = {name: [] for name in systems}
        spoken_s: dict[str, float] = dict.fromkeys(systems, 0.0)
        for _ in range(_ROUNDS):
            texts, others = ([writer.paragraph(60) for _ in range(count)] for _ in range(2))
            for name, system in systems.items():
                await asyncio.sleep(_CALM_S)
                # The service has already spoken the first ones, and would know them by heart.
                said = others if name == STREAMED else texts
                found, seconds = await _round(system, said, callers)
                bursts[name].append(found)
                spoken_s[name] += seconds
        medians = {name: usual(found) for name, found in bursts.items()}
        figures[str(callers)] = {
            name: vars(found) | {"text_s": round(spoken_s[name] / _ROUNDS / count, 2)}
            for name, found in medians.items()
        }
        for name, found in medians.items():
            speed = found.per_s * spoken_s[name] / _ROUNDS / count
            rows.append(
                (callers, name, f"{found.per_s:.2f}", f"{speed:.0f} x", f"{found.p50_s:.2f} s")
            )
        _check_throughput(report, callers, medians)
    report.measurements["throughput"] = figures
    print_table(("callers", "system", "texts a second", "real time", "p50"), rows)


async def _round(system: System, texts: Sequence[str], callers: int) -> tuple[Burst, float]:
    spoken_s: list[float] = []

    async def call(text: str) -> None:
        await hear(system, at_once(text), spoken_s.append)

    return await burst(call, texts, callers), sum(spoken_s)


def _check_throughput(report: Report, callers: int, medians: Mapping[str, Burst]) -> None:
    peer, least = (_INPROCESS, 0.95) if callers == 1 else (_WYOMING, 1.5)
    what = f"whole texts a second, {callers} caller{'s'[: callers > 1]}, against {peer}"
    report.checks.append(Check.at_least(what, medians[_OURS].per_s / medians[peer].per_s, least))
