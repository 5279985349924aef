"""How long one utterance takes, and how many a machine can serve."""

from __future__ import annotations

import asyncio
import statistics
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.report import Check, print_table
from benchmarks.stt.corpus import Corpus, Utterance, of_length

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from benchmarks.report import Report
    from benchmarks.stt.peers import System

__all__ = ("measure_latency", "measure_throughput")

_LENGTHS_S = (2.0, 4.0, 6.0, 10.0)
_REPEATS = 9
_CALLERS = (8, 32)
_ROUNDS = 2
_CALLS = 32
_OURS = "voicemesh"


@dataclass(frozen=True)
class Burst:
    """What some callers at once got."""

    per_s: float
    """Utterances a second."""
    p50_s: float
    """Median time of one, in seconds."""
    p95_s: float
    """The time within which 95 of 100 were done, in seconds."""


async def measure_latency(report: Report, systems: Mapping[str, System], corpus: Corpus) -> None:
    """One caller, one utterance at a time, the systems in turns."""
    rows, figures = [], {}
    for wanted_s in _LENGTHS_S:
        utterance = of_length(corpus.sentences, wanted_s)
        taken: dict[str, list[float]] = {name: [] for name in systems}
        for _ in range(_REPEATS):
            for name, system in systems.items():
                begun = time.perf_counter()
                await system.transcribe(utterance)
                taken[name].append(time.perf_counter() - begun)
        medians = {name: statistics.median(times) for name, times in taken.items()}
        figures[f"{wanted_s:g} s"] = {name: round(value, 4) for name, value in medians.items()}
        rows.append(
            (f"{utterance.seconds:.1f} s", *(f"{m * 1e3:.0f} ms" for m in medians.values()))
        )
        ratio = medians[_OURS] / medians["faster-whisper"]
        report.checks.append(
            Check.at_most(
                f"one utterance of {wanted_s:g} s, time against faster-whisper", ratio, 0.5
            )
        )
    report.measurements["latency_s"] = figures
    print_table(("one utterance", *systems), rows)


async def measure_throughput(report: Report, systems: Mapping[str, System], corpus: Corpus) -> None:
    """Several callers at once, each with the next utterance as soon as it has its words."""
    utterances = [
        of_length(corpus.sentences[start:], seconds)
        for start, seconds in zip(range(0, 96, 6), np.linspace(2, 8, 16), strict=True)
    ]
    rows: list[tuple[object, ...]] = []
    figures: dict[str, Any] = {}
    for callers in _CALLERS:
        bursts: dict[str, list[Burst]] = {name: [] for name in systems}
        for _ in range(_ROUNDS):
            for name, system in systems.items():
                bursts[name].append(await _burst(system, utterances, callers))
        usual = {name: _median(found) for name, found in bursts.items()}
        figures[str(callers)] = {name: vars(burst) for name, burst in usual.items()}
        for name, burst in usual.items():
            rows.append(
                (
                    callers,
                    name,
                    f"{burst.per_s:.1f}",
                    f"{burst.p50_s:.2f} s",
                    f"{burst.p95_s:.2f} s",
                )
            )
        _check(report, callers, usual)
    report.measurements["throughput"] = figures
    print_table(("callers", "system", "utterances a second", "p50", "p95"), rows)


def _check(report: Report, callers: int, usual: Mapping[str, Burst]) -> None:
    ours = usual[_OURS]
    for name in ("faster-whisper", "wyoming-faster-whisper"):
        peer = usual[name]
        what = f"{callers} callers, %s against {name}"
        report.checks += (
            Check.at_least(what % "throughput", ours.per_s / peer.per_s, 5),
            Check.at_most(what % "p95", ours.p95_s / peer.p95_s, 0.35),
        )


async def _burst(system: System, utterances: Sequence[Utterance], callers: int) -> Burst:
    """So many callers, until each has had its share of at least two calls."""
    count = max(_CALLS, 2 * callers)
    work = iter([utterances[index % len(utterances)] for index in range(count)])
    taken: list[float] = []

    async def call() -> None:
        for utterance in work:
            begun = time.perf_counter()
            await system.transcribe(utterance)
            taken.append(time.perf_counter() - begun)

    begun = time.perf_counter()
    await asyncio.gather(*(call() for _ in range(callers)))
    spent = time.perf_counter() - begun
    return Burst(count / spent, float(np.percentile(taken, 50)), float(np.percentile(taken, 95)))


def _median(bursts: Sequence[Burst]) -> Burst:
    return Burst(
        *(
            round(statistics.median(getattr(burst, name) for burst in bursts), 4)
            for name in ("per_s", "p50_s", "p95_s")
        )
    )
