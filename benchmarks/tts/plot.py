"""The results as a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import matplotlib as mpl

mpl.use("Agg")
from matplotlib import pyplot as plt

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from matplotlib.axes import Axes

__all__ = ("draw",)

_COLOURS = {
    "voicemesh": "tab:blue",
    "voicemesh, streamed": "tab:cyan",
    "piper": "tab:orange",
    "wyoming-piper": "tab:green",
}


def draw(measurements: Mapping[str, Any], file: Path) -> None:
    """Draws first sounds by text, throughput by callers, and first sounds by callers."""
    figure, (left, middle, right) = plt.subplots(1, 3, figsize=(13, 4), layout="constrained")
    first = measurements["first_sound_s"]
    milliseconds = {
        kind.removeprefix("one sentence of ").replace(" in ", "\nin "): {
            name: 1e3 * s for name, s in found.items()
        }
        for kind, found in first.items()
    }
    _bars(left, milliseconds)
    left.set(title="First sound, milliseconds", xlabel="one sentence, or four")
    left.tick_params("x", labelsize="small")
    throughput = measurements["throughput"]
    _bars(
        middle,
        {
            callers: {name: found["per_s"] for name, found in systems.items()}
            for callers, systems in throughput.items()
        },
    )
    middle.set(title="Texts of 60 words a second", xlabel="callers at once")
    crowd = measurements["callers"]
    counts = [int(count) for count in crowd]
    for name in next(iter(crowd.values())):
        for part, style in (("p50", "o-"), ("p95", "o--")):
            values = [step[name]["first_s"][part] for step in crowd.values()]
            right.plot(counts, values, style, color=_COLOURS[name], label=f"{name}, {part}")
    right.set(title="First sound, seconds", xlabel="callers at once, without a pause")
    right.set(xscale="log", yscale="log")
    right.set_xticks(counts, counts)
    right.minorticks_off()
    right.legend(fontsize="small")
    figure.savefig(file, dpi=110)
    plt.close(figure)


def _bars(axes: Axes, groups: Mapping[str, Mapping[str, float]]) -> None:
    """Bars of each system, side by side in each group."""
    systems = list(dict.fromkeys(name for group in groups.values() for name in group))
    width = 0.8 / len(systems)
    for place, name in enumerate(systems):
        places = [index + place * width for index in range(len(groups))]
        heights = [group[name] for group in groups.values()]
        axes.bar(places, heights, width, color=_COLOURS[name], label=name)
    axes.set_ylim(0, 1.35 * axes.get_ylim()[1])  # room for the legend
    axes.set_xticks([index + 0.4 - width / 2 for index in range(len(groups))], list(groups))
    axes.legend(fontsize="small")
