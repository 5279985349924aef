"""Checks of values that people give, each with a sentence that says what is wanted."""

from __future__ import annotations

import math
import re
import unicodedata
from typing import TYPE_CHECKING

from voicemesh_chassis.errors import InvalidArgumentError

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = (
    "LONGEST_NAME",
    "MOST_NAMES",
    "check_id",
    "check_language_code",
    "check_seconds",
    "check_text",
    "check_voice",
    "clean_name",
    "clean_names",
)

MOST_NAMES = 10
"""Names that a bot may answer to in one guild."""

LONGEST_NAME = 32
"""Characters of such a name; as long as Discord's own."""

_MOST_ID = 2**63 - 1
_LONGEST_LANGUAGE = 35
_LONGEST_VOICE = 200
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*")
"""The shape of a BCP-47 code; RFC 5646 section 2.1 without private and grandfathered tags."""


def check_id(value: int, field: str) -> None:
    """Refuses what is no id of Discord's, which are positive and of at most 63 bits.

    Raises:
        InvalidArgumentError: naming `field`.
    """
    if not 0 < value <= _MOST_ID:
        msg = f"{field} is not an id of Discord's"
        raise InvalidArgumentError(msg, field=field)


def check_seconds(value: float, field: str, *, least: float, most: float) -> None:
    """Refuses a length of time that is out of bounds.

    Raises:
        InvalidArgumentError: naming `field`.
    """
    if not (math.isfinite(value) and least <= value <= most):
        msg = f"{field} is between {least:g} and {most:g} seconds, not {value:g}"
        raise InvalidArgumentError(msg, field=field)


def check_language_code(value: str, field: str) -> None:
    """Refuses what has not the shape of a BCP-47 code, such as `en` or `pt-BR`; empty is none.

    Raises:
        InvalidArgumentError: naming `field`.
    """
    if value and not (len(value) <= _LONGEST_LANGUAGE and _LANGUAGE.fullmatch(value)):
        msg = f"{field} is a language code such as en, de or pt-BR"
        raise InvalidArgumentError(msg, field=field)


def check_voice(value: str, field: str) -> None:
    """Refuses what cannot name a voice of tts, such as `piper:en_US-joe-medium`; empty is none.

    Raises:
        InvalidArgumentError: naming `field`.
    """
    if len(value) > _LONGEST_VOICE or any(
        each.isspace() or not each.isprintable() for each in value
    ):
        msg = f"{field} is the id of a voice: at most {_LONGEST_VOICE} characters without spaces"
        raise InvalidArgumentError(msg, field=field)


def check_text(value: str, field: str, *, most: int) -> None:
    """Refuses a text that is blank, too long, or holds a NUL, which PostgreSQL cannot keep.

    Raises:
        InvalidArgumentError: naming `field`.
    """
    if not value.strip() or len(value) > most or "\0" in value:
        msg = f"{field} has between 1 and {most} characters"
        raise InvalidArgumentError(msg, field=field)


def clean_names(names: Iterable[str], field: str) -> tuple[str, ...]:
    """The names that a bot answers to, each once, however they are spelt in capitals.

    Raises:
        InvalidArgumentError: naming `field`, if there are too many or one cannot be said.
    """
    distinct: dict[str, str] = {}
    for name in names:
        clean = clean_name(name, field)
        distinct.setdefault(clean.casefold(), clean)
    if len(distinct) > MOST_NAMES:
        msg = f"{field} holds at most {MOST_NAMES} names"
        raise InvalidArgumentError(msg, field=field)
    return tuple(distinct.values())


def clean_name(name: str, field: str) -> str:
    """One name, composed (NFC) and with single spaces.

    It has at least two letters, because one is heard everywhere, and nothing that speech
    recognition would not write: letters, digits, spaces, hyphens and apostrophes.

    Raises:
        InvalidArgumentError: naming `field`.
    """
    clean = " ".join(unicodedata.normalize("NFC", name).replace("\u2019", "'").split())
    letters = sum(unicodedata.category(each)[0] == "L" for each in clean)
    sayable = all(unicodedata.category(each)[0] in "LMN" or each in " -'" for each in clean)
    # In scripts such as Chinese a name may be a single letter, which is a word.
    wanted = 1 if any(unicodedata.category(each) == "Lo" for each in clean) else 2
    if not (sayable and letters >= wanted and len(clean) <= LONGEST_NAME):
        msg = (
            f"{field}: a name has two letters or more, at most {LONGEST_NAME} characters, and "
            "nothing but letters, digits, spaces, hyphens and apostrophes"
        )
        raise InvalidArgumentError(msg, field=field)
    return clean
