"""Times of day, as each language says them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from voicemesh_tts.text.reading.languages import BEFORE

if TYPE_CHECKING:
    from voicemesh_tts.text.reading.languages import Language
    from voicemesh_tts.text.traced import Rule

__all__ = ("clock_rules", "time_of_day")

_TIME = (
    rf"{BEFORE}(?<![:/-])(?P<hour>[01]?\d|2[0-4]):(?P<minute>[0-5]\d)(?::(?P<second>[0-5]\d))?"
    r"(?![\d:])(?![.,]\d)"
)
_HALF = r"(?:\s?(?P<half>[AaPp])(?:m\b|M\b|\.\s?[mM]\.))"
_SUFFIXES = {"de": r"(?:\s?Uhr\b)?", "fr": r"(?:\s?h\b)?", "nl": r"(?:\s?uur\b)?"}
_FEMININE = frozenset({"fr", "es", "it", "pt"})
_UNTIL = re.compile(r"(?:(?<=:\d\d)|(?<=\d[ap]m))\s?[-–—]\s?(?=\d{1,2}(?::\d\d|[ap]m))")


def clock_rules(language: Language) -> list[Rule]:
    """Rules that say `12:30`, `9:05 pm`, `9am`, `12h30`, `12:30 Uhr`."""
    suffix = _HALF + "?" if language.code == "en" else _SUFFIXES.get(language.code, "")
    rules: list[Rule] = []
    if language.signs.until:
        rules.append((_UNTIL, f" {language.signs.until} "))
    rules.append((re.compile(_TIME + suffix), lambda match: _said(match, language)))
    if language.code == "en":
        alone = rf"(?<![\w:.,/-])(?P<hour>1[0-2]|[1-9])(?P<minute>)(?P<second>){_HALF}(?!\w)"
        rules.append((re.compile(alone), lambda match: _said(match, language)))
    if language.code == "fr":
        short = r"(?<![\w:.,])(?P<hour>[01]?\d|2[0-4])\s?h\s?(?P<minute>[0-5]\d)?(?P<second>)(?!\w)"
        rules.append((re.compile(short), lambda match: _said(match, language)))
    return rules


def time_of_day(hour: int, minute: int, second: int | None, language: Language) -> str:
    """A time in words; hours up to 24."""
    say = language.cardinal
    gender = "feminine" if language.code in _FEMININE else ""
    hours = say(hour, "masculine" if language.code == "de" else gender)
    minutes = say(minute, "feminine" if language.code == "fr" else "")
    padded = f"{say(0)} {minutes}" if 0 < minute < 10 else minutes
    match language.code:
        case "en":
            said = _english(hour, minute, language)
        case "de":
            said = f"{hours} Uhr {minutes}" if minute else f"{hours} Uhr"
        case "nl":
            said = f"{hours} uur {minutes}" if minute else f"{hours} uur"
        case "fr":
            unit = "heure" if hour < 2 else "heures"
            said = f"{hours} {unit} {minutes}" if minute else f"{hours} {unit}"
        case "pt":
            unit = "hora" if hour == 1 else "horas"
            said = f"{hours} {unit} e {minutes}" if minute else f"{hours} {unit}"
        case "es" | "it":
            joint = "y" if language.code == "es" else "e"
            said = f"{hours} {joint} {minutes}" if minute else hours
        case "zh":
            said = f"{hours}点{padded.replace(' ', '')}分" if minute else f"{hours}点"
        case _:
            said = f"{hours} {padded}" if minute else f"{hours} {say(0)} {say(0)}"
    return f"{said} {say(second)}" if second is not None else said


def _said(match: re.Match[str], language: Language) -> str:
    second = int(match["second"]) if match["second"] else None
    half = match.groupdict().get("half") or ""
    hour, minute = int(match["hour"]), int(match["minute"] or 0)
    if not half:
        return time_of_day(hour, minute, second, language)
    said = language.cardinal(hour)
    if minute:
        said += f" {_minutes(minute, language)}"
    if second:
        said += f" {language.cardinal(second)}"
    # The full stop of "p.m." is the sentence's as well at its end.
    rest = match.string[match.end() :].lstrip()
    # A capital alone does not tell: "10 a.m. EST".
    ends = not rest or (rest[0].isupper() and not rest[1:2].isupper())
    ending = "." if match.group().endswith(".") and ends else ""
    return f"{said} {half.upper()}M{ending}"


def _english(hour: int, minute: int, language: Language) -> str:
    hours = language.cardinal(hour)
    if minute:
        return f"{hours} {_minutes(minute, language)}"
    return f"{hours} o'clock" if 1 <= hour <= 12 else f"{hours} hundred"


def _minutes(minute: int, language: Language) -> str:
    said = language.cardinal(minute)
    return f"oh {said}" if minute < 10 else said
