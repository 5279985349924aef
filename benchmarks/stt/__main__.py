"""Runs the benchmark: `make bench-stt`, or `python -m benchmarks.stt [--only PART ...]`."""

from __future__ import annotations

import argparse
import asyncio
import os
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

from benchmarks.peers import peer_version
from benchmarks.report import RESULTS, Report
from benchmarks.stt import turns
from benchmarks.stt.accuracy import measure_accuracy
from benchmarks.stt.corpus import Corpus
from benchmarks.stt.endurance import measure_memory, measure_overload
from benchmarks.stt.live import measure_final, measure_streams
from benchmarks.stt.ours import Ours, ours_serving
from benchmarks.stt.peers import InProcess, System, wyoming_serving
from benchmarks.stt.plot import draw
from benchmarks.stt.speed import measure_latency, measure_throughput

if TYPE_CHECKING:
    from collections.abc import Sequence

PARTS = ("latency", "throughput", "accuracy", "final", "streams", "memory", "overload", "turns")
_PACKAGES = ("voicemesh-stt", "faster-whisper", "ctranslate2", "grpcio", "onnxruntime", "numpy")
_PEER = "wyoming-faster-whisper"
_MOST_CALLERS = 32
_SENTENCES = 24


async def _against_peers(report: Report, parts: Sequence[str], ours: Ours, corpus: Corpus) -> None:
    """The parts in which peers run too. They are loaded only now, and gone afterwards."""
    cores = len(os.sched_getaffinity(0))
    async with AsyncExitStack() as running:
        wyoming = await running.enter_async_context(wyoming_serving())
        peer = InProcess(_MOST_CALLERS)
        # Not what the library does by itself, but the best that could be made of it here.
        tuned = InProcess(_MOST_CALLERS, threads=1, workers=cores)
        systems: dict[str, System] = {"voicemesh": ours, "faster-whisper": peer, _PEER: wyoming}
        for system in (*systems.values(), tuned):
            await system.transcribe(corpus.speech[0])
        if "latency" in parts:
            await measure_latency(report, systems, corpus)
        if "throughput" in parts:
            with_tuned = systems | {f"faster-whisper, {cores} workers of 1 thread": tuned}
            await measure_throughput(report, with_tuned, corpus)
        if "accuracy" in parts:
            await measure_accuracy(report, {"voicemesh": ours, "faster-whisper": tuned}, corpus)


async def _run(report: Report, parts: Sequence[str]) -> None:
    corpus = Corpus.load()
    async with ours_serving() as ours:
        if {"latency", "throughput", "accuracy"} & set(parts):
            await _against_peers(report, parts, ours, corpus)
        if "final" in parts:
            await measure_final(report, ours, corpus)
        if "streams" in parts:
            await measure_streams(report, ours, corpus)
        if "overload" in parts:
            await measure_overload(report, ours, corpus)
    if "memory" in parts:
        # A service of its own: what other parts have left behind is not growth, nor its opposite.
        async with ours_serving() as ours:
            await measure_memory(report, ours, corpus)
    if "turns" in parts:
        found = turns.measure(limit=_SENTENCES)
        report.measurements["turns"] = found
        print(f"\n{turns.table(found)}")


def main() -> None:
    """Measures, prints, and writes the results; draws them once every part has some."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, metavar="PART")
    parts: Sequence[str] = parser.parse_args().only
    report = Report("stt", _PACKAGES, peers={_PEER: peer_version("stt", _PEER)})
    asyncio.run(_run(report, parts))
    report.print_checks()
    print(f"\nwritten to {report.write()}")
    if {"throughput", "streams"} <= report.measurements.keys():
        draw(report.measurements, RESULTS / "stt.png")


if __name__ == "__main__":
    main()
