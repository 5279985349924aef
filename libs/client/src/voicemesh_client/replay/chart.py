"""A turn as a picture; needs the extra `charts`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from voicemesh_client.replay.bars import Lane, TurnPicture

__all__ = ("draw",)

_INK = "#22303c"
_FAINT = "#8795a1"
_COLOURS = {
    "stt": "#3d7ea6",
    "trainer": "#6a4c93",
    "tts": "#1a936f",
    "player": "#f3a712",
}
_SPEAKER = "#7b8a97"
_BAR_HEIGHT = 0.44
_LETTER_INCHES = 0.055
"""Width of a letter of a label, about."""


def draw(picture: TurnPicture, path: Path) -> None:
    """Writes the picture as a PNG file, 1600 pixels wide.

    Raises:
        ImportError: if matplotlib is not installed.
        OSError: if the file cannot be written.
    """
    # Imported here: it takes longer than all the rest of the command line.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    height = 1.7 + 0.55 * len(picture.lanes)
    figure = Figure(figsize=(10, height), dpi=160, facecolor="white")
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0.095, 0.6 / height, 0.88, 1 - 1.35 / height))
    for row, lane in enumerate(picture.lanes):
        _draw_lane(axes, row, lane, picture)
    _draw_frame(axes, picture)
    figure.text(0.095, 1 - 0.35 / height, picture.title, size=12, weight="bold", color=_INK)
    # An open file: matplotlib would put an ending of its own to a name that has none.
    with path.open("wb") as file:
        figure.savefig(file, format="png")


def _draw_lane(axes: Any, row: int, lane: Lane, picture: TurnPicture) -> None:
    colour = _COLOURS.get(lane.name, _SPEAKER)
    for bar in lane.bars:
        start_s, end_s = max(bar.start_s, picture.start_s), min(bar.end_s, picture.end_s)
        if end_s < start_s:
            continue
        axes.barh(
            row,
            end_s - start_s,
            left=start_s,
            height=_BAR_HEIGHT,
            color=colour,
            alpha=0.32 if bar.pale else 1.0,
            linewidth=0,
        )
    for at_s, _ in lane.ticks:
        axes.plot([at_s, at_s], [row - 0.3, row + 0.3], color=_INK, linewidth=0.9)
    words = [(max(bar.start_s, picture.start_s), bar.label) for bar in lane.bars if bar.label]
    _write(axes, row, sorted((*words, *lane.ticks)), picture)


def _write(axes: Any, row: int, words: list[tuple[float, str]], picture: TurnPicture) -> None:
    """Writes words above their bars; what would run into the words before it moves to the right."""
    seconds_a_letter = _LETTER_INCHES * (picture.end_s - picture.start_s) / 8.8
    free_s = picture.start_s
    ground = {"facecolor": "white", "linewidth": 0, "pad": 0.4}
    for at_s, text in words:
        place_s = max(at_s, free_s)
        if not picture.start_s <= place_s < picture.end_s:
            continue
        # On white, so that no line of the frame runs through the words.
        axes.text(place_s, row - _BAR_HEIGHT / 2 - 0.05, text, size=7, color=_INK, bbox=ground)
        free_s = place_s + (len(text) + 2) * seconds_a_letter


def _draw_frame(axes: Any, picture: TurnPicture) -> None:
    lanes = len(picture.lanes)
    axes.axvline(0, color=_INK, linewidth=1.1, zorder=0)
    axes.text(0, -0.86, "end of speech ", size=8, weight="bold", color=_INK, ha="right")
    if picture.first_sound_s is not None:
        at_s = picture.first_sound_s
        axes.axvline(at_s, color=_COLOURS["player"], linewidth=1.1, linestyle=(0, (4, 3)), zorder=0)
        words = f" first sound after {at_s * 1e3:.0f} ms"
        axes.text(at_s, -0.86, words, size=8, weight="bold", color=_INK)
    axes.set_yticks(range(lanes), [lane.name for lane in picture.lanes], size=9, color=_INK)
    axes.set_ylim(lanes - 0.5, -0.75)
    axes.set_xlim(picture.start_s, picture.end_s)
    axes.set_xlabel("seconds after the last voiced sound", size=8, color=_FAINT)
    axes.tick_params(axis="x", colors=_FAINT, labelsize=8)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x", color="#e6ebef", linewidth=0.8)
    axes.set_axisbelow(True)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color("#d5dde3")
