"""Measures: `5 km`, `20 °C`, `60 km/h`, `16GB`, `50%`."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from babel.numbers import format_decimal
from babel.units import UnknownUnitError, format_unit

from voicemesh_tts.text.reading.languages import AFTER, BEFORE
from voicemesh_tts.text.traced import Replacement, Rule, Said

if TYPE_CHECKING:
    from voicemesh_tts.text.reading.languages import Language

__all__ = ("unit_rules",)

_UNITS = {
    "%": "concentr-percent",
    "‰": "concentr-permille",
    "°C": "temperature-celsius",
    "℃": "temperature-celsius",
    "°F": "temperature-fahrenheit",
    "°": "angle-degree",
    "km": "length-kilometer",
    "m": "length-meter",
    "cm": "length-centimeter",
    "mm": "length-millimeter",
    "µm": "length-micrometer",
    "nm": "length-nanometer",
    "m²": "area-square-meter",
    "km²": "area-square-kilometer",
    "cm²": "area-square-centimeter",
    "ha": "area-hectare",
    "m³": "volume-cubic-meter",
    "cm³": "volume-cubic-centimeter",
    "l": "volume-liter",
    "L": "volume-liter",
    "ml": "volume-milliliter",
    "mL": "volume-milliliter",
    "cl": "volume-centiliter",
    "kg": "mass-kilogram",
    "g": "mass-gram",
    "mg": "mass-milligram",
    "km/h": "speed-kilometer-per-hour",
    "m/s": "speed-meter-per-second",
    "h": "duration-hour",
    "min": "duration-minute",
    "s": "duration-second",
    "ms": "duration-millisecond",
    "µs": "duration-microsecond",
    "ns": "duration-nanosecond",
    "Hz": "frequency-hertz",
    "kHz": "frequency-kilohertz",
    "MHz": "frequency-megahertz",
    "GHz": "frequency-gigahertz",
    "W": "power-watt",
    "kW": "power-kilowatt",
    "MW": "power-megawatt",
    "kWh": "energy-kilowatt-hour",
    "kcal": "energy-kilocalorie",
    "kJ": "energy-kilojoule",
    "V": "electric-volt",
    "mA": "electric-milliampere",
    "hPa": "pressure-hectopascal",
    "kB": "digital-kilobyte",
    "KB": "digital-kilobyte",
    "MB": "digital-megabyte",
    "GB": "digital-gigabyte",
    "TB": "digital-terabyte",
    "Mbit": "digital-megabit",
    "Gbit": "digital-gigabit",
}
_ENGLISH = {
    "mph": "speed-mile-per-hour",
    "ft": "length-foot",
    "mi": "length-mile",
    "yd": "length-yard",
    "lb": "mass-pound",
    "lbs": "mass-pound",
    "oz": "mass-ounce",
    "hrs": "duration-hour",
    "hr": "duration-hour",
    "mins": "duration-minute",
    "secs": "duration-second",
    "sec": "duration-second",
}
"""Signs that are words in other languages."""

_LONGEST_SIGN = 5

_FEMININE = {
    "de": "duration-hour duration-minute duration-second duration-millisecond",
    "fr": "duration-hour duration-minute duration-second duration-millisecond",
    "es": "duration-hour",
    "it": "energy-kilocalorie",
    "pt": "duration-hour energy-kilocalorie",
    "ru": "duration-minute duration-second duration-millisecond",
    "uk": "duration-hour duration-minute duration-second duration-millisecond",
    "pl": "duration-hour duration-minute duration-second duration-millisecond",
}
"""Names that a number before them agrees with; the others are masculine or neuter."""


def unit_rules(language: Language) -> list[Rule]:
    """Rules that say numbers with the sign of a unit after them."""
    units = _signs(language)
    signs = "|".join(re.escape(sign) for sign in sorted(units, key=len, reverse=True))
    pattern = re.compile(
        rf"{BEFORE}(?P<sign>(?:(?<=[\s(])|(?<![^\s]))[-+\u2212])?(?P<number>{language.number_pattern})"
        rf"[ \u00a0\u202f]?(?P<unit>{signs}){AFTER}(?![/²³'’])"
    )
    return [(pattern, lambda match: _said(match, language, units[match["unit"]]))]


def _signs(language: Language) -> dict[str, str]:
    """The units by their signs: the international ones, and the language's own from CLDR."""
    units = dict(_UNITS)
    for unit in set(_UNITS.values()):
        try:
            short = format_unit(5, unit, "short", locale=language.locale)
        except UnknownUnitError:
            continue
        sign = short.replace("5", "").strip("\u00a0\u202f\u200f ")
        if 1 <= len(sign) <= _LONGEST_SIGN and "-" not in sign and sign not in units:
            units[sign] = unit
    return units | (_ENGLISH if language.code == "en" else {})


def _said(match: re.Match[str], language: Language, unit: str) -> Replacement | None:
    number = language.parse(match["number"])
    if not number.is_amount:
        return None
    value: float = int(number.whole) if not number.fraction else number.value
    named = _named(value, unit, language)
    if named is None:
        return None
    before, after = named
    gender = "feminine" if unit in _FEMININE.get(language.code, "").split() else "masculine"
    said = language.say(number, gender)
    sign = ""
    if match["sign"]:
        sign = f"{language.signs.plus if match['sign'] == '+' else language.minus} "
    if before or not after[:1].isspace():
        return f"{sign}{before}{said}{after}"
    return [Said(f"{sign}{said}", "number"), " ", Said(after.strip(), "unit")]


def _named(value: float, unit: str, language: Language) -> tuple[str, str] | None:
    """What stands before and after a number to name its unit; None if nobody knows."""
    if unit == "concentr-percent" and language.signs.percent:
        before, _, after = language.signs.percent.partition("{}")
        return before, after
    digits = format_decimal(value, locale=language.locale)
    for length in ("long", "short"):
        try:
            written = format_unit(value, unit, length, locale=language.locale)
        except UnknownUnitError:
            return None
        before, found, after = written.partition(digits)
        # Where the locale has no name, babel gives the unit's own or its sign.
        name = (before + after).strip()
        if found and unit not in name and len(name) > 1 and _is_words(name):
            return before, after.replace("\u00a0", " ").replace("\u202f", " ")
    return None


def _is_words(name: str) -> bool:
    """Whether it can be said: no sign such as "%", nor letters that stand for words ("km")."""
    if not name.isascii() or len(name) > _LONGEST_SIGN or " " in name:
        return all(unicodedata.category(c)[0] in "LMZ" or c in "-'’" for c in name)
    return any(vowel in name for vowel in "aeiouy") and name.isalpha()
