"""Where the time of a turn goes, from the bot's event log; and the picture of it."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np

mpl.use("Agg")
from matplotlib import pyplot as plt

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from matplotlib.axes import Axes

    from benchmarks.voice.turns import Turn

__all__ = ("delays", "draw", "milestones")

_HEARD = "heard"
_COLOURS = {"voicemesh": "tab:blue", "pipecat": "tab:orange", "pipecat, tuned": "tab:green"}
_AFTERWARDS_S = 15.0


def delays(values_s: Sequence[float]) -> dict[str, float]:
    """Median and 95th percentile, in seconds; empty if there is nothing."""
    if not values_s:
        return {}
    return {
        "median": round(median(values_s), 4),
        "p95": round(float(np.percentile(values_s, 95)), 4),
    }


def milestones(turn: Turn, events: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """When each thing happened, in seconds after the last packet with voice was sent.

    Those of an answer are of the one that was heard; it may have been begun early. What did not
    happen is not there.
    """
    later = [e for e in events if turn.began_s < e["t_s"] < turn.end_s + _AFTERWARDS_S]
    final = next((e for e in later if e["kind"] == "final" and e["t_s"] > turn.end_s), None)
    if final is None or turn.heard_s is None:
        return {}
    found: dict[str, float] = {}
    guesses = [e for e in later if e["kind"] == "soft_final" and _same(e, final)]
    if guesses:
        found["words guessed"] = max(e["t_s"] for e in guesses)
    shown = next((e for e in later if e["kind"] == "reply_shown" and e["t_s"] >= final["t_s"]), {})
    kinds = {
        "model asked": "reply_begun",
        "first token": "model_text",
        "first clause": "voice_text",
        "turn over": "final",
        "first sound made": "voice_audio",
        "first frame sent": "played",
    }
    for name, kind in kinds.items():
        if kind == "final":
            found[name] = final["t_s"]
            continue
        own = [e["t_s"] for e in later if e["kind"] == kind and e["reply"] == shown.get("reply")]
        if own:
            found[name] = min(own)
    found[_HEARD] = turn.heard_s
    return {name: at_s - turn.end_s for name, at_s in found.items()}


def _same(event: Mapping[str, Any], final: Mapping[str, Any]) -> bool:
    return all(event.get(name) == final.get(name) for name in ("session", "speaker", "turn"))


def draw(measurements: Mapping[str, Any], file: Path) -> None:
    """Draws when each thing happened, and voice to voice of all systems."""
    figure, (left, right) = plt.subplots(
        1, 2, figsize=(12, 4.4), layout="constrained", width_ratios=(3, 2)
    )
    _draw_stages(left, measurements["turns"])
    _draw_systems(right, {"voicemesh": measurements["turns"], **measurements.get("peer", {})})
    figure.savefig(file, dpi=110)
    plt.close(figure)


def _draw_stages(axes: Axes, found: Mapping[str, Any]) -> None:
    names = list(found["stages_s"])
    values = [[1e3 * each[name] for each in found["marks_s"] if name in each] for name in names]
    axes.boxplot(
        values,
        orientation="horizontal",
        tick_labels=names,
        whis=(5, 95),
        showfliers=False,
        patch_artist=True,
        boxprops={"facecolor": "#cfe2f3", "edgecolor": "tab:blue"},
        medianprops={"color": "tab:blue"},
    )
    for row, each in enumerate(values, start=1):
        axes.annotate(f"{median(each):.0f}", (median(each), row + 0.45), ha="center", fontsize=8)
    axes.invert_yaxis()
    axes.axvline(0, color="grey", linewidth=0.8)
    axes.set(title="Where the time goes: half, and 90 %, of the turns")
    axes.set(xlabel="milliseconds after the last packet with voice")


def _draw_systems(axes: Axes, systems: Mapping[str, Mapping[str, Any]]) -> None:
    for name, found in systems.items():
        values = sorted(each for each in found["delays_s"] if each is not None)
        shares = np.arange(1, len(values) + 1) / len(values)
        axes.step(values, shares, color=_COLOURS.get(name), where="post", label=name)
    axes.set(title="Voice to voice", xlabel="seconds", ylabel="share of turns answered")
    axes.set(xlim=(0, 2.5), ylim=(0, 1))
    axes.legend(loc="lower right", fontsize="small")
    axes.grid(alpha=0.3)
