"""Reads a text line by line without ever holding more of a line than a bound allows."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TextIO

__all__ = ("bounded_lines", "flaw_of")


def bounded_lines(file: TextIO, most: int) -> Iterator[tuple[int, str | None]]:
    """Lines with their numbers from 1 and the ends they have; None for one that is too long.

    Args:
        file: opened with `newline=""`: a line ends with LF, CR LF or CR.
        most: most characters of a line, without its end.
    """
    number, after_return = 0, False
    while piece := file.readline(most + 2):
        if after_return and piece == "\n":  # the other half of an end that was cut in two
            after_return = False
            continue
        number += 1
        line: str | None = piece
        if len(piece) > most and len(piece.rstrip("\r\n")) > most:
            line = None
            while piece and not piece.endswith(("\n", "\r")):
                piece = file.readline(most + 2)
        after_return = piece.endswith("\r")
        yield number, line


def flaw_of(text: str) -> str:
    """What makes a text unfit to be kept; empty if nothing does."""
    if text.isascii():
        return "it has a character of code zero" if "\0" in text else ""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        if "\udc80" <= text[error.start] <= "\udcff":
            return "it has bytes that do not fit the file's text encoding"
        return "it has half of a character (a lone surrogate)"
    return "it has a character of code zero" if "\0" in text else ""
