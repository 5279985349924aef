"""Tells a person how pulls go: progress bars on a terminal, plain lines everywhere else."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.progress import (
    BarColumn,
    DownloadColumn,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.progress import Progress as Bars

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from rich.console import Console

    from voicemesh_models.catalogue import Model
    from voicemesh_models.ports import Progress

__all__ = ("BarProgress", "LineProgress", "console_progress", "megabytes")

_LINE_EVERY_PERCENT = 10


def megabytes(size_bytes: int) -> str:
    """Return a size as people read it: `75.5 MB`."""
    return f"{size_bytes / 1e6:.1f} MB"


@contextmanager
def console_progress(console: Console) -> Iterator[Progress]:
    """Yield what suits `console`: bars on a terminal, lines in a log or a pipe."""
    if not console.is_terminal:
        yield LineProgress(console)
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Bars(*columns, console=console) as bars:
        yield BarProgress(bars)


def _tell_notice(console: Console, model: Model) -> None:
    _say(console, f"{model.name}: {model.origin}; licence: {model.licence}")
    for line in model.notice.splitlines():
        _say(console, f"    {line}")


def _say(console: Console, line: str) -> None:
    console.print(line, markup=False, highlight=False, soft_wrap=True)


class BarProgress:
    """A Progress with one bar for each model, and the licence notice above it.

    Args:
        bars: The running rich display; its console gets the notices.
    """

    def __init__(self, bars: Bars) -> None:
        self._bars = bars
        self._tasks: dict[str, TaskID] = {}

    def stage(self, model: Model, text: str) -> None:
        """Show the step beside the name."""
        self._bars.update(self._task(model), description=f"{model.name}: {text}")

    def started(self, model: Model, total_bytes: int, done_bytes: int) -> None:
        """Show the notice and start the bar where the last pull broke off."""
        _tell_notice(self._bars.console, model)
        self._bars.update(
            self._task(model),
            description=f"{model.name}: fetching",
            total=total_bytes or None,
            completed=done_bytes,
        )

    def advanced(self, model: Model, count_bytes: int) -> None:
        """Move the bar."""
        self._bars.advance(self._task(model), count_bytes)

    def finished(self, model: Model, directory: Path) -> None:
        """Fill the bar and say where the model is."""
        del directory
        self._bars.update(
            self._task(model),
            description=f"{model.name}: ready",
            total=model.size_bytes,
            completed=model.size_bytes,
        )

    def _task(self, model: Model) -> TaskID:
        if model.name not in self._tasks:
            self._tasks[model.name] = self._bars.add_task(model.name, total=None)
        return self._tasks[model.name]


class LineProgress:
    """A Progress in lines that read well in a log: each step, and every tenth of the bytes.

    Args:
        console: Where the lines go.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._total_bytes = 0
        self._done_bytes = 0
        self._next_percent = 0

    def stage(self, model: Model, text: str) -> None:
        """Print the step."""
        _say(self._console, f"{model.name}: {text}")

    def started(self, model: Model, total_bytes: int, done_bytes: int) -> None:
        """Print the notice and how much is to come."""
        _tell_notice(self._console, model)
        self._total_bytes, self._done_bytes = total_bytes, done_bytes
        self._next_percent = _LINE_EVERY_PERCENT
        held = f" ({megabytes(done_bytes)} are here already)" if done_bytes else ""
        _say(self._console, f"{model.name}: fetching {megabytes(total_bytes)}{held}")

    def advanced(self, model: Model, count_bytes: int) -> None:
        """Print a line at every tenth."""
        self._done_bytes += count_bytes
        if not self._total_bytes:
            return
        percent = 100 * self._done_bytes // self._total_bytes
        if percent >= self._next_percent:
            self._next_percent = percent - percent % _LINE_EVERY_PERCENT + _LINE_EVERY_PERCENT
            _say(self._console, f"{model.name}: {percent} %")

    def finished(self, model: Model, directory: Path) -> None:
        """Print where the model is."""
        _say(self._console, f"{model.name}: ready in {directory}")
