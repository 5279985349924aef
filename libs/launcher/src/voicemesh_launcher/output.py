"""What a child writes: kept in a file, the end of it in memory, complaints passed on."""

from __future__ import annotations

import re
from collections import deque
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import TracebackType

__all__ = ("Output",)

_TAIL_LINES = 20
_LONGEST_LINE = 10_000

# The level as the chassis writes it, for people and for machines.
_COMPLAINT = re.compile(r'\[(?:warning|error|critical) *\]|"level": ?"(?:warning|error|critical)"')


class Output:
    """The output of one program, over restarts."""

    def __init__(self, path: Path, complain: Callable[[str], None]) -> None:
        """Opens the file.

        Args:
            path: file to append to.
            complain: is given each line that is a warning or worse.
        """
        self.path = path
        self._file = path.open("ab")
        self._complain = complain
        self._tail: deque[str] = deque(maxlen=_TAIL_LINES)
        self._rest = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._file.close()

    def feed(self, written: bytes) -> None:
        """Takes what the child wrote, cut anywhere."""
        self._file.write(written)
        self._file.flush()
        *lines, self._rest = (self._rest + written).split(b"\n")
        for line in lines:
            self._take(line)
        if len(self._rest) > _LONGEST_LINE:
            self.end_line()

    def end_line(self) -> None:
        """Takes what is left as a line: the child has ended."""
        if self._rest:
            self._take(self._rest)
            self._rest = b""

    def forget(self) -> None:
        """Begins the tail anew, for a child that is started again."""
        self._tail.clear()

    @property
    def tail(self) -> tuple[str, ...]:
        """The last lines."""
        return tuple(self._tail)

    def _take(self, line: bytes) -> None:
        text = line.decode("utf-8", "replace").rstrip()
        if not text:
            return
        self._tail.append(text)
        if _COMPLAINT.search(text):
            self._complain(text)
