"""What the service holds after a while."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from benchmarks.callers import burst
from benchmarks.report import Check, print_table
from benchmarks.tts.systems import hear
from benchmarks.tts.texts import Writer, at_once

if TYPE_CHECKING:
    from benchmarks.report import Report
    from benchmarks.services import Served
    from benchmarks.tts.systems import System

__all__ = ("measure_memory",)

_WARM = 150
_TEXTS = 400
_WORDS = 30
_AT_ONCE = 8
_MOST_PERCENT = 5.0


async def measure_memory(report: Report, service: Served, system: System) -> None:
    """Memory once the cache of clauses is full, and after many texts more."""
    writer = Writer(8)
    await _speak(system, writer, _WARM)
    before = service.memory_mib()
    await _speak(system, writer, _TEXTS)
    await asyncio.sleep(1)
    after = service.memory_mib()
    report.measurements["memory_mib"] = {"before": round(before, 1), "after": round(after, 1)}
    grown = 100 * (after / before - 1)
    report.checks.append(
        Check.at_most(f"memory growth in {_TEXTS} texts, percent", grown, _MOST_PERCENT)
    )
    print_table(("memory before", "after"), [(f"{before:.0f} MiB", f"{after:.0f} MiB")])


async def _speak(system: System, writer: Writer, count: int) -> None:
    async def call(text: str) -> None:
        await hear(system, at_once(text))

    await burst(call, [writer.sentence(_WORDS) for _ in range(count)], _AT_ONCE)
