"""How long one utterance takes, and how many a machine can serve."""

from __future__ import annotations

import statistics
import time
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.callers import Burst, burst, usual
from benchmarks.report import Check, print_table
from benchmarks.stt.corpus import Corpus, of_length

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchmarks.report import Report
    from benchmarks.stt.peers import System

__all__ = ("measure_latency", "measure_throughput")

_LENGTHS_S = (2.0, 4.0, 6.0, 10.0)
_REPEATS = 9
_CALLERS = (8, 32)
_ROUNDS = 2
_CALLS = 32
_OURS = "voicemesh"


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
        # At least two calls for each caller.
        count = max(_CALLS, 2 * callers)
        work = [utterances[index % len(utterances)] for index in range(count)]
        bursts: dict[str, list[Burst]] = {name: [] for name in systems}
        for _ in range(_ROUNDS):
            for name, system in systems.items():
                bursts[name].append(await burst(system.transcribe, work, callers))
        medians = {name: usual(found) for name, found in bursts.items()}
        figures[str(callers)] = {name: vars(found) for name, found in medians.items()}
        for name, found in medians.items():
            rows.append(
                (
                    callers,
                    name,
                    f"{found.per_s:.1f}",
                    f"{found.p50_s:.2f} s",
                    f"{found.p95_s:.2f} s",
                )
            )
        _check(report, callers, medians)
    report.measurements["throughput"] = figures
    print_table(("callers", "system", "utterances a second", "p50", "p95"), rows)


def _check(report: Report, callers: int, medians: Mapping[str, Burst]) -> None:
    ours = medians[_OURS]
    for name in ("faster-whisper", "wyoming-faster-whisper"):
        peer = medians[name]
        what = f"{callers} callers, %s against {name}"
        report.checks += (
            Check.at_least(what % "throughput", ours.per_s / peer.per_s, 5),
            Check.at_most(what % "p95", ours.p95_s / peer.p95_s, 0.35),
        )
