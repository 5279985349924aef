"""What happens over time and under more than can be done."""

from __future__ import annotations

import asyncio
import statistics
import time
from typing import TYPE_CHECKING

from benchmarks.report import Check, print_table
from voicemesh_client.errors import DeadlineExceededError, OverloadedError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.report import Report
    from benchmarks.stt.corpus import Corpus, Utterance
    from benchmarks.stt.ours import Ours

__all__ = ("measure_memory", "measure_overload")

_WARM = 300
_SAMPLED = 100
_SAMPLES = 5
"""What is in memory varies by some percent with what happens to be in work: each figure is the
median of so many, each after so many utterances more."""
_UTTERANCES = 2_000
_AT_ONCE = 8
_LOADS = (0.5, 1.0, 2.0, 4.0)
_LOAD_S = 12.0
_IN_TIME_S = 5.0


async def measure_memory(report: Report, ours: Ours, corpus: Corpus) -> None:
    """Memory after some utterances, and after 2,000 more."""
    await _transcribe(ours, corpus.sentences, _WARM)
    before = await _memory_mib(ours, corpus)
    await _transcribe(ours, corpus.sentences, _UTTERANCES - _SAMPLES * _SAMPLED)
    after = await _memory_mib(ours, corpus)
    grown = 100 * (after / before - 1)
    report.measurements["memory_mib"] = {"before": round(before, 1), "after": round(after, 1)}
    report.checks.append(
        Check.at_most(f"memory growth in {_UTTERANCES} utterances, percent", grown, 5)
    )
    print_table(("memory before", "after"), [(f"{before:.0f} MiB", f"{after:.0f} MiB")])


async def measure_overload(report: Report, ours: Ours, corpus: Corpus) -> None:
    """Calls that come whether or not the last ones are done; those answered in time count."""
    usual = [sentence for sentence in corpus.sentences if 2 <= sentence.seconds <= 6]
    capacity = await _capacity(ours, usual)
    rows, figures, goodput = [], {}, {}
    for load in _LOADS:
        counted = await _offer(ours, usual, load * capacity)
        goodput[load] = counted["in time"] / _LOAD_S
        figures[f"{load:g}"] = {**counted, "goodput_per_s": round(goodput[load], 2)}
        rows.append(
            (f"{load:g} x", f"{load * capacity:.1f}", f"{goodput[load]:.1f}", *counted.values())
        )
    report.measurements["overload"] = {"capacity_per_s": round(capacity, 2), "offered": figures}
    share = goodput[4.0] / max(goodput.values())
    report.checks.append(Check.at_least("goodput at 4 x overload, share of its peak", share, 0.8))
    print_table(
        ("load", "offered a second", "goodput a second", "in time", "late", "refused"), rows
    )


async def _memory_mib(ours: Ours, corpus: Corpus) -> float:
    samples = []
    for _ in range(_SAMPLES):
        await _transcribe(ours, corpus.sentences, _SAMPLED)
        samples.append(ours.service.memory_mib())
    return statistics.median(samples)


async def _transcribe(ours: Ours, utterances: Sequence[Utterance], count: int) -> None:
    work = iter([utterances[index % len(utterances)] for index in range(count)])

    async def call() -> None:
        for utterance in work:
            await ours.transcribe(utterance)

    await asyncio.gather(*(call() for _ in range(_AT_ONCE)))


async def _capacity(ours: Ours, utterances: Sequence[Utterance]) -> float:
    begun = time.perf_counter()
    await _transcribe(ours, utterances, 160)
    return 160 / (time.perf_counter() - begun)


async def _offer(ours: Ours, utterances: Sequence[Utterance], per_s: float) -> dict[str, int]:
    counted = {"in time": 0, "late": 0, "refused": 0}

    async def call(utterance: Utterance) -> None:
        begun = time.perf_counter()
        try:
            await ours.transcribe(utterance)
        except OverloadedError:
            counted["refused"] += 1
        except DeadlineExceededError:
            counted["late"] += 1
        else:
            spent = time.perf_counter() - begun
            counted["in time" if spent <= _IN_TIME_S else "late"] += 1

    begun = time.perf_counter()
    async with asyncio.TaskGroup() as calls:
        for index in range(round(per_s * _LOAD_S)):
            await asyncio.sleep(max(0.0, begun + index / per_s - time.perf_counter()))
            calls.create_task(call(utterances[index % len(utterances)]))
    return counted
