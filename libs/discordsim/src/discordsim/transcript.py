"""What happened, line by line, for whoever reads a failed test."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ("Line", "Transcript")

_CAPACITY = 20_000
_LONGEST_LINE = 2000


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that happened."""

    offset_s: float
    """Seconds since the transcript began."""
    text: str


class Transcript:
    """Keeps the latest lines. May be written to from any thread."""

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.monotonic,
        capacity: int = _CAPACITY,
        echo: Callable[[Line], None] | None = None,
    ) -> None:
        """Begin now.

        Args:
            clock: seconds from any fixed moment.
            capacity: most lines that are kept; older ones are forgotten.
            echo: called with each line as it is written, to show it at once.
        """
        self._clock = clock
        self._began = clock()
        self._lines: deque[Line] = deque(maxlen=capacity)
        self._echo = echo

    @property
    def lines(self) -> tuple[Line, ...]:
        """The lines, oldest first."""
        return tuple(self._lines)

    def write(self, text: str) -> None:
        """Add a line; line breaks in it are shown as such and its end is cut if it is very long."""
        flat = text.replace("\n", "⏎")
        if len(flat) > _LONGEST_LINE:
            flat = f"{flat[:_LONGEST_LINE]}… ({len(text)} characters)"
        line = Line(self._clock() - self._began, flat)
        self._lines.append(line)
        if self._echo is not None:
            self._echo(line)

    def render(self, *, last: int | None = None) -> str:
        """Return the lines as a text, all or the last ones, with their times in seconds."""
        lines = self.lines
        shown = lines if last is None else lines[-last:]
        head = [f"… {len(lines) - len(shown)} lines before …"] if len(shown) < len(lines) else []
        return "\n".join([*head, *(f"{line.offset_s:9.3f}  {line.text}" for line in shown)])
