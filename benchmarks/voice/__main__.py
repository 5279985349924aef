"""Runs the benchmark: `make bench-voice`, or `python -m benchmarks.voice [--only PART ...]`."""

from __future__ import annotations

import argparse
import asyncio
from typing import TYPE_CHECKING

from benchmarks.peers import peer_version
from benchmarks.report import RESULTS, Report
from benchmarks.voice.changes import measure_changes
from benchmarks.voice.interruptions import measure_interruptions
from benchmarks.voice.kills import measure_kills
from benchmarks.voice.network import measure_network
from benchmarks.voice.peer import PEER, compare, measure_peer
from benchmarks.voice.speakers import measure_speakers
from benchmarks.voice.stages import draw
from benchmarks.voice.turns import measure_turns

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

_PARTS: Mapping[str, Callable[[Report], Awaitable[None]]] = {
    "turns": measure_turns,
    "peer": measure_peer,
    "interruptions": measure_interruptions,
    "kills": measure_kills,
    "speakers": measure_speakers,
    "network": measure_network,
    "changes": measure_changes,
}
_PACKAGES = (
    *("voicemesh-bot", "voicemesh-stt", "voicemesh-tts", "voicemesh-trainer"),
    *("discord.py", "davey", "faster-whisper", "piper-tts", "xllamacpp"),
)


async def _run(report: Report, parts: Sequence[str]) -> None:
    for part, measure in _PARTS.items():
        if part in parts:
            print(f"\n{part}")
            await measure(report)


def main() -> None:
    """Measures, prints, and writes the results; draws them once there are turns."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--only", nargs="+", choices=tuple(_PARTS), default=tuple(_PARTS), metavar="PART"
    )
    parts: Sequence[str] = parser.parse_args().only
    report = Report("voice", _PACKAGES, peers={PEER: peer_version("voice", PEER)})
    asyncio.run(_run(report, parts))
    written = report.write()
    compare(report)  # with what was measured before, too
    report.write()
    report.print_checks()
    print(f"\nwritten to {written}")
    if "turns" in report.measurements:
        draw(report.measurements, RESULTS / "voice.png")


if __name__ == "__main__":
    main()
