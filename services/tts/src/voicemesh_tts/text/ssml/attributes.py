"""What the attributes of `break`, `prosody` and `emphasis` mean, in numbers.

Every function raises ValueError with words that follow "the document has".
"""

from __future__ import annotations

import re
from math import log2
from typing import TYPE_CHECKING

from voicemesh_tts.domain import Prosody

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ("LONGEST_BREAK_S", "combined", "emphasis", "pause_s", "prosody")

LONGEST_BREAK_S = 10.0
"""Longest break, in seconds."""

_RATE_BOUNDS = (0.25, 4.0)
_PITCH_BOUNDS = (-20.0, 20.0)
_GAIN_BOUNDS = (-96.0, 16.0)

# SSML 1.1, 3.2.3: the breaks' lengths are the processor's choice.
_STRENGTHS = {
    "none": 0.0,
    "x-weak": 0.1,
    "weak": 0.2,
    "medium": 0.4,
    "strong": 0.7,
    "x-strong": 1.0,
}
_RATES = {"x-slow": 0.5, "slow": 0.75, "medium": 1.0, "fast": 1.25, "x-fast": 1.6, "default": 1.0}
_PITCHES = {"x-low": -6.0, "low": -3.0, "medium": 0.0, "high": 3.0, "x-high": 6.0, "default": 0.0}
_VOLUMES = {
    "silent": -96.0,
    "x-soft": -12.0,
    "soft": -6.0,
    "medium": 0.0,
    "loud": 4.0,
    "x-loud": 8.0,
    "default": 0.0,
}
_LEVELS = {
    "none": Prosody(),
    "reduced": Prosody(rate=1.05, gain_db=-3.0),
    "moderate": Prosody(rate=0.95, gain_db=1.5),
    "strong": Prosody(rate=0.9, gain_db=3.0),
}
_NUMBER = r"[+-]?(?:\d{1,6}(?:\.\d{0,6})?|\.\d{1,6})"


def pause_s(attributes: Mapping[str, str]) -> float:
    """The silence of a break, in seconds; a medium one if nothing is said."""
    if "time" not in attributes:
        return _named(_STRENGTHS, attributes.get("strength", "medium"), "break strength")
    found = re.fullmatch(
        r"\+?(\d{1,6}(?:\.\d{0,6})?|\.\d{1,6})\s*(ms|s)", attributes["time"].strip()
    )
    if not found:
        msg = "a break time that is not like '500ms' or '1.5s'"
        raise ValueError(msg)
    seconds = float(found[1]) / (1000 if found[2] == "ms" else 1)
    if seconds > LONGEST_BREAK_S:
        msg = f"a break of more than {LONGEST_BREAK_S:g} s"
        raise ValueError(msg)
    return seconds


def prosody(attributes: Mapping[str, str]) -> Prosody:
    """What a `prosody` element asks for."""
    if not attributes:
        msg = "<prosody> without rate, pitch or volume"
        raise ValueError(msg)
    return Prosody(
        _rate(attributes.get("rate", "default").strip()),
        _pitch(attributes.get("pitch", "default").strip()),
        _gain(attributes.get("volume", "default").strip()),
    )


def emphasis(attributes: Mapping[str, str]) -> Prosody:
    """What an `emphasis` element asks for: engines have no stress to set, so louder and slower."""
    level = attributes.get("level", "moderate")
    if level not in _LEVELS:
        msg = f"an emphasis level that is not one of {', '.join(_LEVELS)}"
        raise ValueError(msg)
    return _LEVELS[level]


def combined(outer: Prosody, inner: Prosody) -> Prosody:
    """One within the other: rates multiply, pitch and volume add."""
    both = Prosody(
        outer.rate * inner.rate,
        outer.pitch_semitones + inner.pitch_semitones,
        outer.gain_db + inner.gain_db,
    )
    _check(both.rate, _RATE_BOUNDS, "rate", "")
    _check(both.pitch_semitones, _PITCH_BOUNDS, "pitch", " semitones")
    # Silence stays silence.
    gain = max(_GAIN_BOUNDS[0], both.gain_db)
    _check(gain, _GAIN_BOUNDS, "volume", " dB")
    return Prosody(both.rate, both.pitch_semitones, gain)


def _rate(value: str) -> float:
    found = re.fullmatch(rf"({_NUMBER})(%?)", value)
    if not found:
        return _named(_RATES, value, "prosody rate")
    number = float(found[1])
    if not found[2]:
        return _positive(number)
    # "+20%" and "-20%" change the rate; "120%" is one (SSML 1.1, 3.2.4).
    return _positive((100 + number if found[1][0] in "+-" else number) / 100)


def _positive(rate: float) -> float:
    _check(rate, _RATE_BOUNDS, "rate", "")
    return rate


def _pitch(value: str) -> float:
    found = re.fullmatch(rf"({_NUMBER})(st|%)", value)
    if not found:
        return _named(_PITCHES, value, "prosody pitch", "such as '+2st' or '-10%'")
    number = float(found[1])
    if found[2] == "st":
        return number
    if number <= -100:
        msg = "a prosody pitch that is not above zero"
        raise ValueError(msg)
    return 12 * log2(1 + number / 100)


def _gain(value: str) -> float:
    found = re.fullmatch(rf"({_NUMBER})dB", value)
    return float(found[1]) if found else _named(_VOLUMES, value, "prosody volume", "such as '+6dB'")


def _named(names: Mapping[str, float], value: str, what: str, also: str = "") -> float:
    if value in names:
        return names[value]
    known = ", ".join(names) + (f", or {also}" if also else "")
    msg = f"a {what} that is not one of {known}"
    raise ValueError(msg)


def _check(value: float, bounds: tuple[float, float], what: str, unit: str) -> None:
    if not bounds[0] <= value <= bounds[1]:
        allowed = f"{bounds[0]:g} to {bounds[1]:g}"
        msg = f"a {what} of {value:g}{unit}, all elements together; it must be from {allowed}"
        raise ValueError(msg)
