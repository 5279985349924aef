"""Many callers: when each hears its first sound, whether they get the same, and what it costs."""

from __future__ import annotations

import asyncio
import math
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from benchmarks.callers import percentiles
from benchmarks.report import Check, print_table
from benchmarks.tts.systems import hear
from benchmarks.tts.texts import Writer, at_once
from voicemesh_client.errors import OverloadedError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from benchmarks.report import Report
    from benchmarks.tts.systems import Heard, System

    Callers = Callable[[int], System]
    """What speaks for the caller of a number; the service gives each tenant its share."""

__all__ = ("measure_callers", "measure_lanes", "measure_live")

_CALLERS = (1, 2, 4, 8, 16, 32)
_STEP_S = 12.0
_WORDS = 20
_FAIR = 2.0
_OURS = "voicemesh"
_APART_S = 3.0
_RETRY_S = 0.25
_LIVE_CALLERS = 4
_BULK_CALLERS = 4
_BULK_WORDS = 15


@dataclass
class Told:
    """What the callers of one step got."""

    first_s: list[float] = field(default_factory=list)
    """From each text to its first sound; to the end of the step, if there was none."""
    stalled_s: float = 0.0
    """How long players had nothing to play."""
    sound_s: list[float] = field(default_factory=list)
    """Sound that came within the time of the step, by caller."""
    refused: int = 0
    """Texts that were refused, with the advice to come back."""

    @property
    def fairness(self) -> float:
        """What the best served caller got, over what the worst served one got."""
        least = min(self.sound_s)
        return max(self.sound_s) / least if least else float("inf")


async def measure_callers(
    report: Report, systems: Mapping[str, Callers], memory_mib: Mapping[str, Callable[[], float]]
) -> None:
    """1 to 32 callers who ask for the next text as soon as they have the last: a full machine."""
    writer = Writer(4)
    rows: list[tuple[object, ...]] = []
    figures: dict[str, Any] = {}
    for callers in _CALLERS:
        figures[str(callers)] = {}
        for name, system in systems.items():
            told = await _step(system, writer, callers, playing=False)
            memory = memory_mib[name]()
            found = {**_summary(told), "memory_mib": round(memory, 1)}
            figures[str(callers)][name] = found
            first = found["first_s"]
            rows.append(
                (
                    *(callers, name, f"{first['p50']:.2f} s", f"{first['p95']:.2f} s"),
                    *(f"{found['real_time']:.0f} x", f"{told.fairness:.2f}"),
                    *(found["refused"], f"{memory:.0f} MiB"),
                )
            )
            if name == _OURS and callers == _CALLERS[-1]:
                what = f"sound for the best served of {callers} callers, over the worst"
                report.checks.append(Check.at_most(what, told.fairness, _FAIR))
    report.measurements["callers"] = figures
    head = ("callers", "system", "first p50", "first p95", "real time", "fairness")
    print_table((*head, "refused", "memory"), rows)


async def measure_live(report: Report, systems: Mapping[str, Callers]) -> None:
    """1 to 32 callers who play each text before they ask for the next: conversations."""
    writer = Writer(5)
    rows: list[tuple[object, ...]] = []
    figures: dict[str, Any] = {}
    for callers in _CALLERS:
        figures[str(callers)] = {}
        for name, system in systems.items():
            found = _summary(await _step(system, writer, callers, playing=True))
            figures[str(callers)][name] = found
            first = found["first_s"]
            rows.append(
                (
                    *(callers, name, f"{first['p50']:.2f} s", f"{first['p95']:.2f} s"),
                    *(f"{found['stalled_s']:.2f} s", found["texts"], found["refused"]),
                )
            )
    report.measurements["live"] = figures
    head = ("speaking", "system", "first p50", "first p95", "stalled", "texts", "refused")
    print_table(head, rows)


async def measure_lanes(report: Report, streamed: Callers, whole: Callers) -> None:
    """Streams beside callers of Synthesize: neither keeps the other from being served."""
    writer = Writer(6)
    figures: dict[str, Any] = {}
    rows: list[tuple[object, ...]] = []
    for live, bulk in ((_LIVE_CALLERS, 0), (0, _BULK_CALLERS), (_LIVE_CALLERS, _BULK_CALLERS)):
        lively, bulky = await asyncio.gather(
            _step(streamed, writer, live, playing=False),
            _step(whole, writer, bulk, playing=False, words=_BULK_WORDS),
        )
        first = percentiles(lively.first_s)
        bulk_speed = sum(bulky.sound_s) / _STEP_S
        figures[f"{live} live, {bulk} bulk"] = {
            "first_s": first,
            "live_real_time": round(sum(lively.sound_s) / _STEP_S, 2),
            "bulk_real_time": round(bulk_speed, 2),
        }
        times = (f"{first['p50']:.2f} s", f"{first['p95']:.2f} s") if live else ("", "")
        rows.append((live, bulk, *times, f"{bulk_speed:.1f} x"))
    report.measurements["lanes"] = figures
    report.checks.append(Check.at_least("bulk beside live callers, real time", bulk_speed, 1.0))
    print_table(("live callers", "bulk callers", "first p50", "first p95", "bulk"), rows)


async def _step(
    system: Callers, writer: Writer, callers: int, *, playing: bool, words: int = _WORDS
) -> Told:
    """So many callers for some seconds; nothing counts that comes later."""
    told = Told(sound_s=[0.0] * callers)
    if not callers:
        return told
    tasks = [
        asyncio.create_task(
            _caller(system(index), writer, told, index, playing=playing, words=words)
        )
        for index in range(callers)
    ]
    done, _ = await asyncio.wait(tasks, timeout=_STEP_S, return_when=asyncio.FIRST_EXCEPTION)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()
    return told


async def _caller(
    system: System, writer: Writer, told: Told, index: int, *, playing: bool, words: int
) -> None:
    if playing:  # they do not all begin at the same moment
        await asyncio.sleep(index * _APART_S / len(told.sound_s))
    while True:
        begun = time.perf_counter()
        opened: list[float] = []

        def on_sound(seconds: float, begun: float = begun, opened: list[float] = opened) -> None:
            told.sound_s[index] += seconds
            if not opened:
                opened.append(time.perf_counter() - begun)

        try:
            heard = await hear(system, at_once(writer.sentence(words)), on_sound)
        except OverloadedError as error:
            told.refused += 1
            await asyncio.sleep(error.retry_after_s or _RETRY_S)
            continue
        except asyncio.CancelledError:
            told.first_s += opened or [time.perf_counter() - begun]
            raise
        told.first_s += opened
        told.stalled_s += heard.stalled_s
        if playing:
            await asyncio.sleep(_left_to_play(heard))


def _left_to_play(heard: Heard) -> float:
    """How much of it a player still has to play once everything is there, in seconds."""
    return max(0.0, heard.first_s + heard.stalled_s + heard.seconds - heard.whole_s)


def _summary(told: Told) -> dict[str, Any]:
    return {
        "first_s": percentiles(told.first_s),
        "real_time": round(sum(told.sound_s) / _STEP_S, 2),
        "stalled_s": round(told.stalled_s, 3),
        "fairness": round(told.fairness, 3) if math.isfinite(told.fairness) else None,
        "texts": len(told.first_s),
        "refused": told.refused,
    }
