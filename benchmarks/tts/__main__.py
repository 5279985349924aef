"""Runs the benchmark: `make bench-tts`, or `python -m benchmarks.tts [--only PART ...]`."""

from __future__ import annotations

import argparse
import asyncio
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

from benchmarks.peers import peer_version
from benchmarks.report import RESULTS, Report
from benchmarks.services import memory_mib, serving
from benchmarks.tts.crowd import measure_callers, measure_lanes, measure_live
from benchmarks.tts.endurance import measure_memory
from benchmarks.tts.intelligibility import measure_intelligibility
from benchmarks.tts.joints import measure_joints
from benchmarks.tts.plot import draw
from benchmarks.tts.speed import (
    STREAMED,
    measure_first_sound,
    measure_repeated,
    measure_throughput,
    measure_written,
)
from benchmarks.tts.systems import InProcess, Streamed, System, Whole, hear, wyoming_piper
from benchmarks.tts.texts import at_once
from voicemesh_client.stt import SpeechToText
from voicemesh_client.tts import TextToSpeech

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from benchmarks.services import Served

PARTS = (
    *("first", "written", "throughput", "callers", "live", "lanes"),
    *("intelligibility", "joints", "memory"),
)
_QUALITY = {"intelligibility", "joints"}
_PACKAGES = ("voicemesh-tts", "piper-tts", "onnxruntime", "grpcio", "soxr", "numpy")
_PEER = "wyoming-piper"
_MOST_CALLERS = 8
_HELLO = "Hello, I am ready to speak."


def _streams(tts: TextToSpeech) -> Callable[[int], System]:
    """Callers who share a connection, as the guilds of a bot do."""
    return lambda number: Streamed(tts, f"guild-{number}")


async def _against_server(
    report: Report, parts: Sequence[str], service: Served, tts: TextToSpeech
) -> None:
    """The parts in which wyoming-piper runs too; it is gone afterwards."""
    async with wyoming_piper() as (wyoming, wyoming_pid):
        streamed, whole, piper = Streamed(tts), Whole(tts), InProcess(_MOST_CALLERS)
        all_three: dict[str, System] = {"voicemesh": streamed, "piper": piper, _PEER: wyoming}
        for system in (whole, *all_three.values()):
            for _ in range(2):
                await hear(system, at_once(_HELLO))
        if "first" in parts:
            await measure_first_sound(report, all_three)
            await measure_repeated(report, streamed)
        if "written" in parts:
            await measure_written(report, all_three)
        if "throughput" in parts:
            ways: dict[str, System] = {"voicemesh": whole, STREAMED: streamed}
            await measure_throughput(report, ways | {"piper": piper, _PEER: wyoming})
        if "callers" in parts:
            servers = {"voicemesh": _streams(tts), _PEER: lambda _number: wyoming}
            held = {"voicemesh": service.memory_mib, _PEER: lambda: memory_mib(wyoming_pid)}
            await measure_callers(report, servers, held)


async def _in_quality(report: Report, parts: Sequence[str]) -> None:
    """The parts that need Piper in-process only, with a service that says nothing by heart."""
    piper = InProcess(_MOST_CALLERS)
    async with AsyncExitStack() as running:
        speaker = await running.enter_async_context(serving("tts", cache_bytes="0"))
        tts = await running.enter_async_context(TextToSpeech(speaker.connection))
        if "joints" in parts:
            await measure_joints(report, tts, piper)
        if "intelligibility" in parts:
            listener = await running.enter_async_context(serving("stt"))
            stt = await running.enter_async_context(SpeechToText(listener.connection))
            systems: dict[str, System] = {
                "voicemesh, whole": Whole(tts),
                "voicemesh, streamed": Streamed(tts),
                "piper": piper,
            }
            await measure_intelligibility(report, systems, stt)


async def _in_speed(report: Report, parts: Sequence[str]) -> None:
    """The parts that measure the service as it is by default."""
    async with serving("tts") as service, TextToSpeech(service.connection) as tts:
        if {"first", "written", "throughput", "callers"} & set(parts):
            await _against_server(report, parts, service, tts)
        if "live" in parts:
            await measure_live(report, {"voicemesh": _streams(tts)})
        if "lanes" in parts:
            await measure_lanes(report, _streams(tts), lambda number: Whole(tts, f"bulk-{number}"))
        if "memory" in parts:
            await measure_memory(report, service, Streamed(tts))


async def _run(report: Report, parts: Sequence[str]) -> None:
    if set(parts) - _QUALITY:
        await _in_speed(report, parts)
    if set(parts) & _QUALITY:
        await _in_quality(report, parts)


def main() -> None:
    """Measures, prints, and writes the results; draws them once every part has some."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, metavar="PART")
    parts: Sequence[str] = parser.parse_args().only
    report = Report("tts", _PACKAGES, peers={_PEER: peer_version("tts", _PEER)})
    asyncio.run(_run(report, parts))
    report.print_checks()
    print(f"\nwritten to {report.write()}")
    if {"first_sound_s", "throughput", "callers"} <= report.measurements.keys():
        draw(report.measurements, RESULTS / "tts.png")


if __name__ == "__main__":
    main()
