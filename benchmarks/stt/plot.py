"""The results as a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import matplotlib as mpl

mpl.use("Agg")
from matplotlib import pyplot as plt

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ("draw",)


def draw(measurements: dict[str, Any], file: Path) -> None:
    """Draws throughput against callers, and the cost and delay of live streams."""
    figure, (left, middle, right) = plt.subplots(1, 3, figsize=(13, 4), layout="constrained")
    throughput = measurements["throughput"]
    systems = list(next(iter(throughput.values())))
    width = 0.8 / len(systems)
    for place, system in enumerate(systems):
        values = [throughput[callers][system]["per_s"] for callers in throughput]
        left.bar(
            [index + place * width for index in range(len(values))], values, width, label=system
        )
    left.set(title="Utterances a second", xlabel="callers at once")
    left.set_xticks([index + 0.4 - width / 2 for index in range(len(throughput))], throughput)
    left.margins(y=0.5)  # room for the legend
    left.legend(fontsize="small")
    streams = measurements["streams"]
    counts = [int(count) for count in streams]
    middle.plot(counts, [step["cores"] for step in streams.values()], "o-")
    middle.set(title="Processor cores used", xlabel="live streams", xscale="log", ylim=(0, None))
    for part in ("p50", "p95"):
        right.plot(counts, [step["final"][part] for step in streams.values()], "o-", label=part)
    right.set(title="End of speech to final, seconds", xlabel="live streams", xscale="log")
    right.set_ylim(0, None)
    right.legend()
    for axes in (middle, right):
        axes.set_xticks(counts, counts)
        axes.minorticks_off()
    figure.savefig(file, dpi=110)
    plt.close(figure)
