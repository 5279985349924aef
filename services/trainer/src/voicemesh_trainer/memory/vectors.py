"""The questions of one tenant as vectors; finds the nearest by their angle."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ("QuestionVectors",)

_FIRST_ROWS = 256


class QuestionVectors:
    """Vectors by lesson. Blocks; not for several threads at once.

    100,000 vectors of 384 numbers take 77 MB, and 10 to 20 ms to be compared with one.
    """

    def __init__(self) -> None:
        self._rows: NDArray[np.float16] = np.zeros((0, 0), np.float16)
        self._names: list[str] = []  # of the lesson in each row; empty if it is gone
        self._groups: dict[str, set[str]] = {}  # lessons by dataset
        self._group_of: dict[str, str] = {}
        self._row_of: dict[str, int] = {}
        self._free: list[int] = []

    def __len__(self) -> int:
        """How many lessons have a vector."""
        return len(self._row_of)

    def add(self, lesson_id: str, group_id: str, vector: NDArray[np.float16]) -> None:
        """Takes a vector of length 1 in, in place of one that the lesson had.

        Raises:
            ValueError: if it has another number of dimensions than those before.
        """
        if self._rows.size and vector.shape[0] != self._rows.shape[1]:
            msg = f"a vector has {vector.shape[0]} numbers, and others {self._rows.shape[1]}"
            raise ValueError(msg)
        self.remove(lesson_id=lesson_id)
        row = self._free.pop() if self._free else self._new_row(vector.shape[0])
        self._rows[row] = vector
        self._names[row] = lesson_id
        self._row_of[lesson_id] = row
        if group_id:
            self._groups.setdefault(group_id, set()).add(lesson_id)
            self._group_of[lesson_id] = group_id

    def remove(self, *, lesson_id: str = "", group_id: str = "") -> None:
        """Takes out a lesson, or all of a dataset."""
        for name in (*self._groups.get(group_id, ()), lesson_id):
            row = self._row_of.pop(name, None)
            if row is None:
                continue
            self._rows[row] = 0
            self._names[row] = ""
            self._free.append(row)
            group = self._group_of.pop(name, "")
            if group:
                self._groups[group].discard(name)
        self._groups.pop(group_id, None)

    def nearest(self, vector: NDArray[np.float16], most: int) -> Sequence[tuple[str, float]]:
        """Lessons and the cosine of their angle to a vector of length 1, nearest first."""
        count = len(self._names)
        if not self._row_of or vector.shape[0] != self._rows.shape[1]:
            return []
        # NumPy multiplies halves slowly; a block of rows at a time is widened.
        wide = vector.astype(np.float32)
        cosines = np.empty(count, np.float32)
        for start in range(0, count, 8192):
            end = min(count, start + 8192)
            cosines[start:end] = self._rows[start:end].astype(np.float32) @ wide
        wanted = min(most, count)
        best = np.argpartition(cosines, count - wanted)[count - wanted :]
        best = best[np.argsort(cosines[best])[::-1]]
        return [(self._names[row], float(cosines[row])) for row in best if self._names[row]]

    def _new_row(self, dimensions: int) -> int:
        row = len(self._names)
        if row == self._rows.shape[0]:
            grown = np.zeros((max(_FIRST_ROWS, 2 * row), dimensions), np.float16)
            if row:
                grown[:row] = self._rows
            self._rows = grown
        self._names.append("")
        return row
