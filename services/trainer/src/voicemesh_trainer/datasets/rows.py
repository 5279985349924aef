"""What a file is read into, row by row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ("Row", "too_long")


@dataclass(frozen=True)
class Row:
    """One row, or what is wrong with it."""

    line: int
    """Where it begins, from 1."""
    record: Mapping[str, object] | None
    """Values by name; None if it cannot be used."""
    problem: str = ""
    """Why it cannot be used; empty if it can."""


def too_long(line: int, most: int) -> Row:
    """A row that is longer than a bound."""
    return Row(line, None, f"it has more than the {most} characters that a row may have")
