"""Tables of text: values parted by commas, semicolons, tabs or bars, with a header.

The standard library reads the rows; here is found what parts the columns, and what is done where
a quotation mark is never closed: the row that it begins is refused, and reading goes on with the
line after it, not with the end of the file.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter, deque
from itertools import zip_longest
from typing import TYPE_CHECKING

from voicemesh_trainer.datasets.columns import column_named, columns_named
from voicemesh_trainer.datasets.errors import UnreadableFileError
from voicemesh_trainer.datasets.lines import bounded_lines
from voicemesh_trainer.datasets.records import has_answers
from voicemesh_trainer.datasets.rows import Row, too_long

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import TextIO

__all__ = ("DELIMITERS", "csv_rows", "found_delimiter", "neutralised", "restored")

DELIMITERS = (",", ";", "\t", "|")
"""What may part columns; of equally likely ones, the first is taken."""

_VOTING_ROWS = 20
_MOST_COLUMNS = 1_000
_MOST_RETRIES = 100
"""Quotation marks without an end in one file after which reading on from their line is given up;
each costs reading a row of the largest size."""
_FORMULA = re.compile(r"'*[=+\-@\t\r]")
_NEUTRALISED = re.compile(r"'+[=+\-@\t\r]")


def neutralised(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula (OWASP, "CSV Injection").

    `restored` undoes it, also for cells that began with apostrophes before.
    """
    return f"'{cell}" if _FORMULA.match(cell) else cell


def restored(cell: str) -> str:
    """A cell as it was before `neutralised`; others stay what they are."""
    return cell[1:] if _NEUTRALISED.match(cell) else cell


def found_delimiter(sample: str) -> str:
    """What parts the columns of a file that begins with `sample`.

    The header decides, if names in it are known; else how many rows have as many columns as it.
    """
    return max(DELIMITERS, key=lambda delimiter: _likelihood(sample, delimiter))


def csv_rows(file: TextIO, delimiter: str, most: int, name: str) -> Iterator[Row]:
    """The rows of a table after its header.

    Args:
        file: opened with `newline=""`.
        delimiter: what parts its columns.
        most: most characters of a row.
        name: what to call the file in a refusal.

    Raises:
        UnreadableFileError: if it has no header that is known.
    """
    records = _Records(file, delimiter, most)
    header: list[str] | None = None
    for line, values, problem in records:
        if header is None:
            if problem:
                msg = f"the header of {name} cannot be read: {problem}"
                raise UnreadableFileError(msg)
            header = _checked_header(values, name)
        elif problem:
            yield Row(line, None, problem)
        else:
            yield _row(line, header, values)


def _row(line: int, header: Sequence[str], values: Sequence[str]) -> Row:
    if len(values) > len(header):
        if any(values[len(header) :]):
            msg = f"it has {len(values)} columns, but the header has {len(header)}"
            return Row(line, None, msg)
        values = values[: len(header)]
    # Cells that a short row leaves out are empty.
    cells = zip_longest(header, values, fillvalue="")
    return Row(line, {name: restored(value) for name, value in cells})


def _checked_header(names: Sequence[str], name: str) -> list[str]:
    header = [each.strip() for each in names]
    try:
        columns = columns_named(header)
    except ValueError as error:
        msg = f"in the header of {name}, {error}"
        raise UnreadableFileError(msg) from None
    if not has_answers(columns):
        found = ", ".join(repr(each[:40]) for each in header[:10])
        msg = (
            f"{name} has no column for the answers, such as 'completion' or 'answer'; the columns "
            f"of its header are {found}"
        )
        raise UnreadableFileError(msg)
    if len(header) > _MOST_COLUMNS:
        msg = f"{name} has {len(header)} columns; at most {_MOST_COLUMNS} are taken"
        raise UnreadableFileError(msg)
    # Columns of one name that is not known would hide each other; nothing reads them.
    return header


def _likelihood(sample: str, delimiter: str) -> tuple[int, int, int]:
    rows: list[list[str]] = []
    try:
        for row in csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter):
            if row:
                rows.append(row)
            if len(rows) > _VOTING_ROWS:
                break
    except csv.Error:
        pass
    if not rows:
        return (0, 0, 0)
    known = sum(column_named(each) is not None for each in rows[0])
    width = len(rows[0])
    if width == 1:
        # A header of one known name is a table of one column, whatever stands in its cells.
        return (known, 0, 0)
    alike = Counter(map(len, rows))[width]
    return (known, alike * 100 // len(rows), width)


class _Records:
    """Records with the line that they begin on: values, or what is wrong with them."""

    def __init__(self, file: TextIO, delimiter: str, most: int) -> None:
        self._lines = bounded_lines(file, most)
        self._again: deque[tuple[int, str | None]] = deque()
        self._taken: list[tuple[int, str | None]] = []
        self._delimiter = delimiter
        self._most = most
        self._length = 0
        self._retries = 0

    def __iter__(self) -> Iterator[tuple[int, list[str], str]]:
        reader = self._reader()
        while True:
            self._taken.clear()
            self._length = 0
            try:
                values = next(reader, None)
            except _TooLongError:
                yield self._refused(
                    f"{too_long(0, self._most).problem}, or a quotation mark in it is never closed"
                    if len(self._taken) > 1
                    else too_long(0, self._most).problem
                )
                reader = self._reader()
            except csv.Error as error:
                yield self._refused(_reason(error))
                reader = self._reader()
            else:
                if values is None:
                    return
                if any(value.strip() for value in values):
                    yield self._taken[0][0], values, ""

    def _reader(self) -> Iterator[list[str]]:
        return csv.reader(self._feed(), delimiter=self._delimiter, strict=True)

    def _feed(self) -> Iterator[str]:
        while True:
            numbered = self._again.popleft() if self._again else next(self._lines, None)
            if numbered is None:
                return
            self._taken.append(numbered)
            self._length += len(numbered[1] or "")
            if numbered[1] is None or self._length > self._most:
                raise _TooLongError
            yield numbered[1]

    def _refused(self, why: str) -> tuple[int, list[str], str]:
        """Gives the lines after the first of a bad record another chance."""
        first, rest = self._taken[0][0], self._taken[1:]
        if rest and self._retries < _MOST_RETRIES:
            self._retries += 1
            self._again.extendleft(reversed(rest))
        return first, [], why


class _TooLongError(Exception):
    """A record is longer than it may be."""


def _reason(error: csv.Error) -> str:
    text = str(error)
    if "end of data" in text:
        return "a quotation mark in it is never closed"
    if "expected after" in text:
        return "something follows a closing quotation mark; a mark inside of quotes is doubled"
    if "field limit" in text:
        return "one of its values is too long"
    return f"it cannot be parted into columns: {text}"
