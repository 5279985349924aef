"""What the columns and keys of other people's files mean. Pure."""

from __future__ import annotations

import re
from enum import Enum
from functools import lru_cache
from typing import TYPE_CHECKING

from voicemesh_trainer.domain.lessons import Polarity

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ("Column", "column_named", "columns_named", "polarity_named")


class Column(Enum):
    """What a column holds."""

    PROMPT = "prompt"
    """What is asked."""
    INSTRUCTION = "instruction"
    """What is asked, to which `INPUT` may add a matter (as in Stanford Alpaca)."""
    INPUT = "input"
    """What is asked, or what an instruction is about."""
    COMPLETION = "completion"
    """What is answered."""
    TEXT = "text"
    """Plain text, or the answer if no other is there; else of no meaning."""
    CHOSEN = "chosen"
    """The good one of two answers."""
    REJECTED = "rejected"
    """The bad one of two answers."""
    POLARITY = "polarity"
    """Whether the answer is to be followed."""
    SYSTEM = "system_prompt"
    """What the assistant was told about itself."""
    CONTEXT = "context"
    """What was said before."""


_NAMES = {
    Column.PROMPT: "prompt question query user user_message human ask q frage",
    Column.INSTRUCTION: "instruction instructions",
    Column.INPUT: "input",
    Column.COMPLETION: (
        "completion answer output response reply expected expected_answer expected_output "
        "expected_response assistant assistant_message target bot a antwort"
    ),
    Column.TEXT: "text content",
    Column.CHOSEN: "chosen preferred",
    Column.REJECTED: "rejected non_preferred",
    Column.POLARITY: "polarity label sentiment positive",
    Column.SYSTEM: "system system_prompt system_message persona",
    Column.CONTEXT: "context history",
}
_COLUMNS = {name: column for column, names in _NAMES.items() for name in names.split()}

_POLARITIES = {
    Polarity.POSITIVE: "positive pos + +1 1 true yes y good right correct chosen follow",
    Polarity.NEGATIVE: "negative neg - -1 0 false no n bad wrong incorrect rejected avoid",
}
_NAMED_POLARITIES = {word: each for each, words in _POLARITIES.items() for word in words.split()}


_LONGEST_NAME = 64


def column_named(name: str) -> Column | None:
    """What a column of that name holds; None if the name is not known."""
    return _column_named(name) if len(name) <= _LONGEST_NAME else None


@lru_cache(maxsize=1024)
def _column_named(name: str) -> Column | None:
    plain = re.sub(r"[\s_-]+", "_", name.strip().casefold()).strip("_")
    plain = re.sub(r"(?<=[a-z])\W+$", "", plain)  # "Question:" and "answer*"
    return _COLUMNS.get(plain)


def columns_named(names: Iterable[str]) -> dict[Column, str]:
    """Which name stands for each column that is known.

    Raises:
        ValueError: if two names stand for the same; its message is for people.
    """
    found: dict[Column, str] = {}
    for name in names:
        column = column_named(name)
        if column is None:
            continue
        if column in found:
            msg = f"{found[column]!r} and {name!r} both stand for the {column.value}; keep one"
            raise ValueError(msg)
        found[column] = name
    if Column.INPUT in found and Column.INSTRUCTION not in found and Column.PROMPT in found:
        msg = f"{found[Column.PROMPT]!r} and {found[Column.INPUT]!r} both stand for the prompt"
        raise ValueError(msg + "; keep one")
    if Column.INSTRUCTION in found and Column.PROMPT in found:
        names_found = f"{found[Column.PROMPT]!r} and {found[Column.INSTRUCTION]!r}"
        msg = f"{names_found} both stand for the prompt; keep one"
        raise ValueError(msg)
    return found


def polarity_named(value: object) -> Polarity | None:
    """What a value of the polarity's column says; None if that is not known."""
    if isinstance(value, bool | int | float):
        value = f"{value:g}"
    return _NAMED_POLARITIES.get(value.strip().casefold()) if isinstance(value, str) else None
