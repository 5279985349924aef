"""Plain text: each paragraph is an example."""

from __future__ import annotations

from typing import TYPE_CHECKING

from voicemesh_trainer.datasets.lines import bounded_lines
from voicemesh_trainer.datasets.rows import Row, too_long

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TextIO

__all__ = ("text_rows",)


def text_rows(file: TextIO, most: int) -> Iterator[Row]:
    """The paragraphs of a text, which blank lines part; of at most `most` characters each."""
    begun, lines, length = 0, list[str](), 0
    for number, line in bounded_lines(file, most):
        if line is not None and not line.strip():
            if begun:
                yield _paragraph(begun, lines, length, most)
            begun, lines, length = 0, [], 0
            continue
        begun = begun or number
        length += most + 1 if line is None else len(line)
        if line is not None and length <= most:
            lines.append(line)
    if begun:
        yield _paragraph(begun, lines, length, most)


def _paragraph(begun: int, lines: list[str], length: int, most: int) -> Row:
    if length > most:
        return too_long(begun, most)
    return Row(begun, {"text": "".join(lines)})
