"""The curve of a run's loss: its points, thinned as they grow in number, and its picture."""

from __future__ import annotations

import io
import math

__all__ = ("curve_png", "with_loss")

_MOST_POINTS = 400


def with_loss(
    losses: tuple[tuple[int, float], ...], step: int, loss: float
) -> tuple[tuple[int, float], ...]:
    """The curve with one further point; every second one is dropped when there are too many.

    Points at or after `step` were of an attempt that was lost, and are replaced.
    """
    if not math.isfinite(loss) or step <= 0:
        return losses
    if losses and losses[-1][0] >= step:
        losses = tuple(each for each in losses if each[0] < step)
    if len(losses) >= _MOST_POINTS:
        losses = losses[::2]
    return (*losses, (step, loss))


def curve_png(losses: tuple[tuple[int, float], ...], title: str) -> bytes:
    """Draws a curve; takes a second the first time, so not for the event loop.

    Args:
        losses: (step, loss), by step.
        title: what stands above it.
    """
    # Slow to import, and needed at the end of a job only.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 4.5), dpi=100, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    steps = [step for step, _ in losses]
    values = [loss for _, loss in losses]
    axes.plot(steps, values, color="#4c6ef5", linewidth=1.5, marker="." if len(steps) < 40 else "")
    axes.set_title(title, parse_math=False)
    axes.set_xlabel("step")
    axes.set_ylabel("loss")
    axes.set_ylim(bottom=0)
    axes.grid(alpha=0.3)
    picture = io.BytesIO()
    figure.savefig(picture, format="png")
    return picture.getvalue()
