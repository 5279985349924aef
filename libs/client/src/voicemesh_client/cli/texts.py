r"""Texts of people on their way in and out: UTF-8 is read, and no terminal takes orders from them.

What was taught, imported or answered may hold escape sequences, which would colour the terminal,
rename its window or hide what was printed before. So control characters are printed as they are
written in JSON, `\u001b`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import typer

from voicemesh_client.errors import InvalidArgumentError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ("harmless", "put", "text_of", "text_on_standard_input")

_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
"""All of Unicode's category Cc but the tab and the newline."""


def harmless(text: str) -> str:
    """The text with its control characters escaped, but for newlines and tabs."""
    return _CONTROLS.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def put(text: str = "", *, nl: bool = True, err: bool = False) -> None:
    """Prints a text, harmless, on standard output, or on standard error if `err`."""
    typer.echo(harmless(text), nl=nl, err=err)


def text_of(file: Path, field: str) -> str:
    """What is written in a file.

    Raises:
        OSError: if it cannot be read.
        InvalidArgumentError: if it is not UTF-8 text; names the field.
    """
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        msg = f"{file} is not UTF-8 text"
        raise InvalidArgumentError(msg, field=field) from error


def text_on_standard_input(field: str) -> str:
    """All that comes on standard input. Raises as `text_of`."""
    try:
        return typer.get_text_stream("stdin", encoding="utf-8", errors="strict").read()
    except UnicodeDecodeError as error:
        msg = "standard input is not UTF-8 text"
        raise InvalidArgumentError(msg, field=field) from error
