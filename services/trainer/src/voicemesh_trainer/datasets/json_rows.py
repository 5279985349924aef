"""JSON: an object a line, an array of objects, or objects one after the other.

An array is cut into its elements by counting brackets outside of strings, so that it is never in
memory as a whole, and an element with a fault inside costs only itself.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from voicemesh_trainer.datasets.lines import bounded_lines
from voicemesh_trainer.datasets.rows import Row, too_long

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TextIO

__all__ = ("json_rows", "jsonl_rows")

_BLOCK = 1 << 16
_HOPELESS = 8
"""An element with so many times the marks that it may have characters is not read to its end."""
_MARK = re.compile(r'["{}\[\],]|[^\s"{}\[\],]')
_STRING_END = re.compile(r'["\\\n]')  # a new line ends a string whose quotation mark is missing


def jsonl_rows(file: TextIO, most: int) -> Iterator[Row]:
    """An object a line; lines have at most `most` characters."""
    for number, line in bounded_lines(file, most):
        if line is None:
            yield too_long(number, most)
        elif line.strip():
            yield _parsed(number, line.strip())


def json_rows(file: TextIO, most: int) -> Iterator[Row]:
    """The elements of an array, or the objects of a file without one.

    Args:
        file: where to read.
        most: most characters of an element.
    """
    yield from _Elements(file, most)


def _parsed(line: int, text: str) -> Row:
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        return Row(line + error.lineno - 1, None, f"it is not JSON: {error.msg}")
    except RecursionError:
        return Row(line, None, "it is not an example: lists in lists in lists")
    except ValueError:  # an integer of thousands of digits
        return Row(line, None, "it has a number that is too long")
    if not isinstance(value, dict):
        return Row(line, None, "it is not an object with names and values")
    return Row(line, value)


class _Elements:
    """The rows that the elements of a file are."""

    def __init__(self, file: TextIO, most: int) -> None:
        self._file = file
        self._most = most
        self._line = 1
        self._buffer = ""
        self._place = 0  # of what is read next
        self._parts: list[str] | None = None  # of the element being read
        self._length = 0
        self._lost = False

    def __iter__(self) -> Iterator[Row]:
        mark = self._next_mark()
        listed = mark == "["
        if listed:
            mark = self._next_mark()
        while mark and not (listed and mark == "]"):
            if not (listed and mark == ","):
                line = self._line
                text = self._element(mark, listed=listed)
                yield too_long(line, self._most) if text is None else _parsed(line, text)
            if self._lost:
                yield Row(self._line, None, "the rest of the file was not read")
                return
            mark = self._next_mark()
        if listed and not mark:
            yield Row(self._line, None, "the file ends inside of its array")
        elif listed and self._next_mark():
            yield Row(self._line, None, "something follows the array; it was not read")

    def _element(self, mark: str, *, listed: bool) -> str | None:
        """From the mark just read to the end of the element that it begins."""
        self._parts, self._length = [mark], 1
        depth = marks = 0
        while True:
            marks += 1
            if marks > _HOPELESS * self._most:
                self._lost = True
                break
            if mark == '"':
                self._string()
            elif mark in ("{", "["):
                depth += 1
            elif mark in ("}", "]"):
                depth -= 1
            if not mark or (depth <= 0 and self._ends(listed=listed)):
                break
            mark = self._next_mark()
        parts, self._parts = self._parts, None
        return "".join(parts) if self._length <= self._most else None

    def _ends(self, *, listed: bool) -> bool:
        """Whether the next mark does not belong to the element; spaces before it are passed."""
        found = self._find(_MARK)
        if found is None:
            return True
        return found.group() in ",]" if listed else found.group() in "{["

    def _next_mark(self) -> str:
        found = self._find(_MARK)
        if found is None:
            return ""
        self._take(found.end())
        return found.group()

    def _string(self) -> None:
        while (found := self._find(_STRING_END)) is not None:
            self._take(found.end())
            if found.group() != "\\":
                return
            if self._place < len(self._buffer) or self._fill():  # what the backslash is for
                self._take(self._place + 1)

    def _find(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        while (found := pattern.search(self._buffer, self._place)) is None:
            self._take(len(self._buffer))
            if not self._fill():
                return None
        return found

    def _fill(self) -> bool:
        self._buffer, self._place = self._file.read(_BLOCK), 0
        return bool(self._buffer)

    def _take(self, end: int) -> None:
        text = self._buffer[self._place : end]
        self._place = end
        self._line += text.count("\n")
        if self._parts is not None:
            self._length += len(text)
            if self._length <= self._most:
                self._parts.append(text)
