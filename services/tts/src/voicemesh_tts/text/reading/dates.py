"""Dates and times of day.

Dates of digits alone are first written with the month's name, as CLDR's long form of the language
has it; dates with a name are then read with an ordinal where the language says one.
"""

# ruff: noqa: RUF001 - words and signs of other alphabets
from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING

from babel.dates import format_date, get_date_format, get_month_names

from voicemesh_tts.text.reading.clock import clock_rules
from voicemesh_tts.text.traced import Part, Replacement, Rule, Said

if TYPE_CHECKING:
    from voicemesh_tts.text.reading.languages import Language

__all__ = ("date_rules", "written_date")

_DAYS = {
    "en": "",
    "de": "",
    "da": "",
    "no": "",
    "sv": "neuter",
    "fi": "",
    "ru": "neuter",
    "uk": "neuter",
    "pl": "masculine-genitive",
}
"""Form of the ordinal that a day of the month has, where it is an ordinal."""

_FIRSTS = {"fr": "masculine", "it": "masculine", "pt": "masculine"}
"""The same, where only the first day is one."""

# Other languages follow.
_GERMAN_N = re.compile(
    r"\b(?:am|vom|zum|beim|im|den|dem|des|bis|ab|seit|zur"
    r"|(?:in|an|auf|von|mit|aus|nach|bei|seit|vor)\sder)\s(?:\w+,\s(?:den|dem)\s)?$",
    re.IGNORECASE,
)
_GERMAN_NOUNS = (
    "Jahrhunderts?|Klasse|Platz|Stock|Stockwerk|Etage|Mal|Weltkrieg|Semester|Liga|Kapitel|Tag|"
    "Geburtstag|Jahrestag|Version|Auflage|Runde|Stelle|Grad|Person|Welle|Quartal|Lebensjahr"
)
# English again.
_PAST_CENTURY = 70
_DECADE = r"(?<![\w.,])(?P<number>(?:1[1-9]|20)\d0)['’]?s\b|(?<!\w)['’](?P<short>[2-9]0)s\b"


def date_rules(language: Language) -> list[Rule]:
    """Rules that say dates and times of day."""
    rules: list[Rule] = [
        (
            re.compile(r"(?<![\w.-])(\d{4})-(\d{2})-(\d{2})(?:T(?=\d\d:\d\d))?(?!\d|-\d)"),
            lambda match: _long(language, match[1], match[2], match[3]),
        ),
        (
            re.compile(r"(?<![\w./-])(\d{4})/(\d{1,2})/(\d{1,2})(?![\d/])"),
            lambda match: _long(language, match[1], match[2], match[3]),
        ),
        (
            re.compile(r"(?<![\w./-])(\d{1,2})([./-])(\d{1,2})\2(\d{4}|\d{2})(?![\d/-]|\.\d)"),
            lambda match: _of_two_orders(language, match),
        ),
    ]
    if language.code == "en":
        rules.append((re.compile(_DECADE), lambda match: _decade(match, language)))
    return [*rules, *_with_names(language), *clock_rules(language)]


def written_date(written: str, order: str, language: Language) -> str | None:
    """A date in the language's long form, with digits left to be read; None if it is none.

    Args:
        written: digits of the year, month and day with marks between them.
        order: which is which, of the letters y, m and d, such as "mdy"; some may be missing.
        language: whose form.
    """
    numbers = re.findall(r"\d+", written)
    if len(numbers) != len(order):
        return None
    found = dict(zip(order, numbers, strict=True))
    if set(found) == {"y", "m", "d"}:
        return _long(language, found["y"], found["m"], found["d"])
    try:
        month = _name(language, int(found["m"])) if "m" in found else ""
    except KeyError:
        return None
    if "d" in found and "m" in found:
        whole = _long(language, "2000", found["m"], found["d"])
        return re.sub(r"\W*(?:\bde )?\b2000\b\W*(?:г\.?)?", "", whole) if whole else None
    return " ".join(part for part in (month, found.get("d"), found.get("y")) if part)


def _decade(match: re.Match[str], language: Language) -> Replacement:
    if match["short"]:
        said = language.cardinal(int(match["short"]))
    else:
        said = language.year(int(match["number"]))
    return f"{said[:-1]}ies" if said.endswith("y") else f"{said}s"


def _of_two_orders(language: Language, match: re.Match[str]) -> str | None:
    first, second, year = match[1], match[3], match[4]
    pattern = str(get_date_format("short", locale=language.locale).pattern)
    if len(year) == 2 and match[2] not in pattern:
        return None  # a version, perhaps
    month_first = match[2] == "/" and pattern.find("M") < pattern.find("d")
    if (month_first and int(first) <= 12) or int(second) > 12:
        first, second = second, first
    return _long(language, year, second, first)


def _long(language: Language, year: str, month: str, day: str) -> str | None:
    number = int(year)
    if len(year) == 2:
        number += 1900 if number >= _PAST_CENTURY else 2000
    try:
        moment = date(number, int(month), int(day))
    except ValueError:
        return None
    written = format_date(moment, "long", locale=language.locale)
    return re.sub(r"\s*г\.$", "", written)


def _name(language: Language, month: int) -> str:
    return str(get_month_names("wide", "format", locale=language.locale)[month])


def _months(language: Language) -> dict[str, str]:
    """The name of the month for each way to write it, in lower case and without its full stop."""
    months: dict[str, str] = {}
    for context in ("format", "stand-alone"):
        for width in ("wide", "abbreviated"):
            names = get_month_names(width, context, locale=language.locale)
            for number, name in names.items():
                wide = str(names[number]) if width == "wide" else _name(language, number)
                months.setdefault(str(name).lower().rstrip("."), wide)
    return {name: wide for name, wide in months.items() if name.isalpha() and not wide[0].isdigit()}


def _with_names(language: Language) -> list[Rule]:
    months = _months(language)
    if not months:
        return []
    # "may" and "mar" are words; names of months are written with a capital in English.
    capital = language.code in {"en", "de"}
    names = sorted((re.escape(name) for name in months), key=len, reverse=True)
    alternatives = "|".join(name.title() if capital else name for name in names)
    month = rf"(?P<month>(?{'' if capital else 'i'}:{alternatives}))\b\.?"
    year = r"(?:(?P<comma>,?) (?P<year>\d{4})(?![\d.,:]*\d))?"
    rules: list[Rule] = [
        (
            re.compile(
                rf"(?<![\w.,:/-])(?P<day>\d{{1,2}})(?P<mark>\.|st|nd|rd|th|er|º|°)?"
                rf"(?: of| de)? {month}{year}"
            ),
            lambda match: _day_first(language, months, match),
        ),
    ]
    if language.code == "en":
        rules.append(
            (
                re.compile(rf"\b{month} (?P<day>\d{{1,2}})(?:st|nd|rd|th)?(?!\d|[:.,]\d){year}"),
                lambda match: _month_first(language, months, match),
            )
        )
        rules.append(
            (
                re.compile(rf"\b{month} (?P<year>\d{{4}})(?![\d.,:]*\d)"),
                lambda match: (
                    Said(months[match["month"].lower()], "month"),
                    " ",
                    Said(language.year(int(match["year"])), "year"),
                ),
            )
        )
    if language.code == "de":
        rules.append(
            (
                re.compile(rf"(?<![\w.,])(?P<day>\d{{1,2}})\.(?= (?:{_GERMAN_NOUNS})\b)"),
                lambda match: [Said(_day(language, match) or match.group(), 0)],
            )
        )
    return rules


def _day_first(
    language: Language, months: dict[str, str], match: re.Match[str]
) -> Replacement | None:
    if not 1 <= int(match["day"]) <= 31:
        return None
    if match["mark"] == "." and language.code in {"en", "fr", "es", "it", "pt", "nl"}:
        return None
    day = _day(language, match)
    month = months[match["month"].lower()]
    between = slice(match.end("mark") if match["mark"] else match.end("day"), match.start("month"))
    if language.code == "en":
        between, month = slice(between.stop - 1, between.stop), f"of {month}"
        if day and not re.search(r"\b[Tt]he\s$", match.string[: match.start()]):
            day = f"the {day}"
    parts: list[Part] = [
        Said(day, "day") if day else slice(*match.span("day")),
        between,
        Said(month, "month"),
    ]
    return [*parts, *_year(language, match)]


def _month_first(
    language: Language, months: dict[str, str], match: re.Match[str]
) -> Replacement | None:
    day = language.ordinal(int(match["day"]))
    if day is None or not 1 <= int(match["day"]) <= 31:
        return None
    month = Said(months[match["month"].lower()], "month")
    return [month, " ", Said(day, "day"), *_year(language, match)]


def _year(language: Language, match: re.Match[str]) -> list[Part]:
    if not match["year"]:
        return []
    return [f"{match['comma']} ", Said(language.year(int(match["year"])), "year")]


def _day(language: Language, match: re.Match[str]) -> str | None:
    """The day as an ordinal, if the language says one."""
    number = int(match["day"])
    form = _DAYS.get(language.code, _FIRSTS.get(language.code) if number == 1 else None)
    if form is None:
        return None
    if language.code == "de":
        before = match.string[: match.start()]
        form = "n" if _GERMAN_N.search(before) else "" if re.search(r"\w\s$", before) else "r"
    return language.ordinal(number, form)
