"""How a language writes and says numbers: the rules of CLDR, by `unicode-rbnf` and `babel`.

Words for numbers come from the rule-based number formats of CLDR, which ICU uses too; separators,
names of months, units and currencies from its locales. Where CLDR has no words, there are none
here: the digits stay, and the engine reads them.
"""

# ruff: noqa: RUF001 - words and signs of other alphabets
from __future__ import annotations

import re
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

from babel import Locale, UnknownLocaleError
from babel.numbers import get_decimal_symbol, get_group_symbol
from unicode_rbnf import RbnfEngine
from unicode_rbnf.engine import RbnfError

from voicemesh_tts.text.reading.signs import SIGNS, Signs

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ("AFTER", "BEFORE", "Language", "Number", "language_of")

_BLANKLESS = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3"
AFTER = rf"(?![^\W{_BLANKLESS}])"
"""Pattern of a place where a number or sign may end: not before a letter or digit. Letters of
scripts that set no blanks (or, as Korean, none before particles) may follow at once."""

BEFORE = rf"(?<![^\W{_BLANKLESS}])(?<![.,])"
"""Pattern of a place where a number or sign may begin."""

_LONGEST = 15
"""Digits of the longest number that is read as one."""

_ALIASES = {"nb": "no", "tl": "fil", "cmn": "zh", "iw": "he"}
_LEFT_TO_THE_ENGINE = frozenset({"ja"})
"""Languages whose engines read digits better than the words for them: espeak-ng reads no kanji."""

# Other languages follow.
_INDIAN = frozenset(("bn", "en", "gu", "hi", "kn", "ml", "mr", "ne", "pa", "ta", "te"))
# English again.
"""Languages in which thousands, lakhs and crores may be set apart."""

_WITHOUT_BLANKS = frozenset({"zh", "yue", "th", "lo", "km", "my"})

_CARDINALS = ("numbering", "cardinal", "cardinal-sinokorean", "cardinal-masculine")
_ORDINALS = ("ordinal", "ordinal-masculine", "ordinal-sinokorean")
_BLANKS = "\u00a0\u202f\u2009"


class Number:
    """A number as it was written.

    Attributes:
        whole: the digits before the decimal mark.
        fraction: the digits after it; empty if there is none.
        grouped: whether thousands were set apart.
    """

    def __init__(self, whole: str, fraction: str = "", *, grouped: bool = False) -> None:
        # Digits of every script have the same values; words are made from the common ones.
        self.whole = "".join(str(int(digit)) for digit in whole)
        self.fraction = "".join(str(int(digit)) for digit in fraction)
        self.grouped = grouped

    @property
    def is_amount(self) -> bool:
        """Whether it is short enough to be read as one number."""
        return max(len(self.whole), len(self.fraction)) <= _LONGEST

    @property
    def value(self) -> float:
        """Its value, as far as a float holds it."""
        return float(f"{self.whole}.{self.fraction or 0}")


class Language:
    """One language; see `language_of`.

    Attributes:
        code: ISO 639 code, such as "en".
        locale: what CLDR knows of the language in its country.
        signs: its words for signs.
    """

    def __init__(self, code: str, locale: Locale, engine: RbnfEngine) -> None:
        self.code = code
        self.locale = locale
        self.signs: Signs = SIGNS.get(code, Signs())
        self._engine = engine

    def cardinal(self, number: int, gender: str = "") -> str:
        """The number in words, agreeing with a noun of a gender if one is named."""
        names = [f"cardinal-{gender}"] if gender else []
        return self._words(number, [*names, *_CARDINALS]) or " ".join(str(number))

    def ordinal(self, number: int, form: str = "") -> str | None:
        """The ordinal in words, such as "third"; None if there are no words for it.

        Args:
            number: from 1.
            form: one of the language's own, such as "n" or "feminine"; empty for the usual one.
        """
        return self._words(number, [f"ordinal-{form}"] if form else _ORDINALS)

    def year(self, number: int) -> str:
        """The year in words."""
        return self._words(number, ("numbering-year",)) or self.cardinal(number)

    def digits(self, text: str) -> str:
        """The digits one by one."""
        return self._blank.join(self.cardinal(int(digit)) for digit in text if digit.isdigit())

    def say(self, number: Number, gender: str = "") -> str:
        """The number in words; digit by digit if it is a code rather than an amount."""
        whole = number.whole
        code = len(whole) > 1 and whole[0] == "0"
        long = len(whole) > 9 and not number.grouped and not whole.endswith("000")
        if (code and not number.fraction) or long or len(whole) > _LONGEST:
            said = self.digits(whole)
        else:
            said = self.cardinal(int(whole), "" if number.fraction else gender)
        if not number.fraction:
            return said
        return self._blank.join((said, self.point, self.digits(number.fraction)))

    def parse(self, text: str) -> Number:
        """A number that `number_pattern` matched."""
        found = self._grouped.fullmatch(text)
        if found:
            return Number(re.sub(r"\D", "", found[1]), found[2] or "", grouped=True)
        whole, _, fraction = re.sub("[,٫]", ".", text).partition(".")
        return Number(whole, fraction)

    @cached_property
    def number_pattern(self) -> str:
        """A regular expression, without groups, of a number without its sign."""
        return rf"(?:(?:{self._thousands})(?!\d)|\d+)(?:[.,٫]\d+)?(?![.,٫]?\d)"

    @cached_property
    def point(self) -> str:
        """The word for the decimal mark, with which CLDR says 0.5."""
        for name in self._engine.rulesets:
            if not name.startswith("spellout-") or "ordinal" in name:
                continue
            zero, five, said = (self._format(text, name) for text in ("0", "5", "0.5"))
            if zero and five and said.startswith(zero) and said.endswith(five):
                return said[len(zero) : -len(five)].strip()
        return ","

    @cached_property
    def minus(self) -> str:
        """The word for the sign of negative numbers; the sign itself if there is none."""
        said = self._words(-5, _CARDINALS) or ""
        return said.removesuffix(self.cardinal(5)).strip() or "-"

    def has(self, ruleset: str) -> bool:
        """Whether CLDR has such a set of rules for the language."""
        return f"spellout-{ruleset}" in self._engine.rulesets

    @cached_property
    def _blank(self) -> str:
        """What stands between the words of the language."""
        return "" if self.code in _WITHOUT_BLANKS else " "

    @cached_property
    def _thousands(self) -> str:
        own = re.escape(get_group_symbol(self.locale))
        blanks = f"{_BLANKS} " if own in _BLANKS else _BLANKS
        groups = [rf"\d{{1,3}}(?:[{own}{blanks}'’٬]\d{{3}})+"]
        if self.code in _INDIAN:
            groups.append(r"\d{1,2}(?:,\d{2})+,\d{3}")
        # Two marks or more separate thousands whatever the country.
        return "|".join([*groups, r"\d{1,3}(?:,\d{3}){2,}", r"\d{1,3}(?:\.\d{3}){2,}"])

    @cached_property
    def _grouped(self) -> re.Pattern[str]:
        return re.compile(rf"({self._thousands})(?:{self._mark}(\d+))?")

    @cached_property
    def _mark(self) -> str:
        return f"[{re.escape(get_decimal_symbol(self.locale))}.,٫]"

    def _words(self, number: int, names: Sequence[str]) -> str | None:
        """The number by the first set of rules that has words for it."""
        for name in names:
            said = self._format(str(number), f"spellout-{name}")
            if said and not any(map(str.isdigit, said)):
                return said
        return None

    def _format(self, number: str, ruleset: str) -> str:
        try:
            said = self._engine.format_number(number, ruleset_names=[ruleset]).text
        except (RbnfError, ValueError, OverflowError, RecursionError):
            return ""
        return " ".join(said.replace("\u200b", "").split())


@lru_cache(maxsize=64)
def language_of(code: str) -> Language | None:
    """What is known of a language; None if its numbers have no words here.

    Reads files of its libraries the first time, a few milliseconds.

    Args:
        code: BCP-47, such as "en-US".
    """
    primary, *rest = re.split("[-_]", code)
    primary = _ALIASES.get(primary.lower(), primary.lower())
    if primary in _LEFT_TO_THE_ENGINE or primary not in RbnfEngine.get_supported_languages():
        return None
    country = next((part.upper() for part in rest if len(part) == 2), "")
    try:
        locale = Locale.parse(f"{primary}_{country}" if country else primary)
    except (UnknownLocaleError, ValueError):
        try:
            locale = Locale.parse(primary)
        except (UnknownLocaleError, ValueError):
            return None
    language = Language(primary, locale, RbnfEngine.for_language(primary))
    return None if language.cardinal(42) == "4 2" else language
