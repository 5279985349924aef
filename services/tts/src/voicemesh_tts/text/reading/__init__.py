"""How a language reads what is not written in its words: numbers, dates, sums, signs, addresses.

Each module gives rules for one kind; this one puts them in the order in which they must run, the
longer forms before those they contain.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from voicemesh_tts.text.reading.abbreviations import abbreviation_rules
from voicemesh_tts.text.reading.addresses import address_rules
from voicemesh_tts.text.reading.dates import date_rules
from voicemesh_tts.text.reading.languages import language_of
from voicemesh_tts.text.reading.money import money_rules
from voicemesh_tts.text.reading.numbers import number_rules, range_rules, sign_rules
from voicemesh_tts.text.reading.units import unit_rules

if TYPE_CHECKING:
    from collections.abc import Sequence

    from voicemesh_tts.text.traced import Rule, Traced

__all__ = ("prepare", "read_out")


def read_out(text: Traced, language_code: str) -> Traced:
    """The text in words, as far as the language's are known; the rest is left to the engine."""
    return text.rewritten(_rules(language_code))


def prepare(language_code: str) -> None:
    """Reads the files of a language, so that the first text of it need not wait. Blocks."""
    _rules(language_code)


@lru_cache(maxsize=64)
def _rules(language_code: str) -> Sequence[Rule]:
    language = language_of(language_code)
    if language is None:
        return ()
    return (
        *address_rules(language),
        *abbreviation_rules(language.code),
        *date_rules(language),
        *range_rules(language),
        *money_rules(language),
        *unit_rules(language),
        *sign_rules(language),
        *number_rules(language),
    )
