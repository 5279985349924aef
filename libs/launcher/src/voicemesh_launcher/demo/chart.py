"""The timeline of a turn as a picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from voicemesh_launcher.demo.timeline import Timeline

__all__ = ("draw_chart",)

_INK = "#22303c"
_FAINT = "#8795a1"
_LANES = ("person", "stt", "trainer", "tts", "reply")
_COLOURS = {
    "person": "#b8c4ce",
    "stt": "#3d7ea6",
    "trainer": "#6a4c93",
    "tts": "#1a936f",
    "reply": "#f3a712",
}
_SHOWN_SPEECH_S = 1.2
_BAR_HEIGHT = 0.52


def draw_chart(timeline: Timeline, path: Path) -> None:
    """Writes the timeline as a PNG file of 1600 by 720 pixels."""
    # Imported here: it takes longer than all the rest of the command line.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 4.5), dpi=160, facecolor="white")
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0.085, 0.14, 0.885, 0.66))
    end_s = max(timeline.last_audio_s, timeline.voice_to_voice_s) + 0.9
    for lane, bars in _lanes(timeline, end_s).items():
        _draw_lane(axes, lane, bars)
    _draw_frame(axes, timeline, end_s)
    figure.text(
        0.085, 0.9, "From the end of a question to the voice of the answer", size=14,
        weight="bold", color=_INK,
    )  # fmt: skip
    figure.savefig(path)


@dataclass(frozen=True)
class _Bar:
    begin_s: float
    end_s: float
    label: str
    is_awaited: bool = True


def _lanes(timeline: Timeline, end_s: float) -> dict[str, tuple[_Bar, ...]]:
    """What is drawn in each lane; work that the person does not wait for is drawn pale."""
    t = timeline
    return {
        "person": (_Bar(-_SHOWN_SPEECH_S, 0.0, f"speaks for {t.speech_s:.1f} s"),),
        "stt": (
            _Bar(0.0, t.soft_final_s, "words"),
            _Bar(t.soft_final_s, t.final_s, "is the turn over?", is_awaited=False),
        ),
        "trainer": (
            _Bar(t.asked_s, t.first_token_s, "first token"),
            _Bar(t.first_token_s, t.last_token_s, "answer", is_awaited=False),
        ),
        "tts": (
            _Bar(t.first_token_s, t.first_audio_s, "first sound"),
            _Bar(t.first_audio_s, t.last_audio_s, "voice", is_awaited=False),
        ),
        "reply": (_Bar(t.voice_to_voice_s, end_s, f"plays for {t.reply_s:.1f} s"),),
    }


def _draw_lane(axes: Any, lane: str, bars: tuple[_Bar, ...]) -> None:
    row = _LANES.index(lane)
    for bar in bars:
        axes.barh(
            row,
            bar.end_s - bar.begin_s,
            left=bar.begin_s,
            height=_BAR_HEIGHT,
            color=_COLOURS[lane],
            alpha=1.0 if bar.is_awaited else 0.35,
            linewidth=0,
        )
    # One line above for all bars: short bars would not hold their words.
    labels = [bar.label if len(bars) == 1 else _timed(bar) for bar in bars]
    above = row - _BAR_HEIGHT / 2 - 0.1
    label = " \N{MIDDLE DOT} ".join(labels)
    # On white, so that no line of the frame runs through the words.
    ground = {"facecolor": "white", "linewidth": 0, "pad": 0.6}
    axes.text(bars[0].begin_s + 0.006, above, label, size=8, color=_INK, bbox=ground)


def _timed(bar: _Bar) -> str:
    return f"{bar.label} {(bar.end_s - bar.begin_s) * 1000:.0f} ms"


def _draw_frame(axes: Any, timeline: Timeline, end_s: float) -> None:
    heard_s = timeline.voice_to_voice_s
    axes.axvline(0, color=_INK, linewidth=1.2)
    axes.axvline(heard_s, color=_COLOURS["reply"], linewidth=1.2, linestyle=(0, (4, 3)))
    for where_s, text in ((0.0, "end of speech"), (heard_s, f"first sound {heard_s:.2f} s")):
        axes.annotate(
            text, (where_s, -0.85), size=9, color=_INK, weight="bold", annotation_clip=False,
            ha="left" if where_s else "right", xytext=(4 if where_s else -4, 0),
            textcoords="offset points",
        )  # fmt: skip
    axes.set_yticks(range(len(_LANES)), _LANES, size=10, color=_INK)
    axes.set_ylim(len(_LANES) - 0.4, -0.75)
    axes.set_xlim(-_SHOWN_SPEECH_S, end_s)
    axes.set_xlabel("seconds after the end of speech", size=9, color=_FAINT)
    axes.tick_params(axis="x", colors=_FAINT, labelsize=8)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x", color="#e6ebef", linewidth=0.8)
    axes.set_axisbelow(True)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color("#d5dde3")
