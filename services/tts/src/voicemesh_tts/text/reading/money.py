"""Amounts of money: `$5`, `3,50 €`, `$1.2 million`, `CHF 20`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from babel.numbers import get_currency_name

from voicemesh_tts.text.reading.languages import AFTER, BEFORE

if TYPE_CHECKING:
    from voicemesh_tts.text.reading.languages import Language, Number
    from voicemesh_tts.text.traced import Rule

__all__ = ("amount", "money_rules")

_SYMBOLS = {
    "US$": "USD",
    "A$": "AUD",
    "C$": "CAD",
    "HK$": "HKD",
    "R$": "BRL",
    "$": "USD",
    "€": "EUR",
    "£": "GBP",
    "¥": "JPY",
    "₹": "INR",
    "₽": "RUB",
    "₩": "KRW",
    "₺": "TRY",
    "₴": "UAH",
    "₫": "VND",
    "₪": "ILS",
    "₱": "PHP",
    "₦": "NGN",
    "₸": "KZT",
    "zł": "PLN",
    "Kč": "CZK",
}
_CODES = "USD|EUR|GBP|JPY|CHF|CAD|AUD|NZD|CNY|INR|RUB|BRL|KRW|SEK|NOK|DKK|PLN|CZK|HUF|TRY|MXN|UAH"
_CROWNS = {"sv": "SEK", "da": "DKK", "no": "NOK"}

_NAMES = {
    "en": {
        "$": "dollar dollars cent cents",
        "€": "euro euros cent cents",
        "£": "pound pounds penny pence",
        "¥": "yen yen",
        "₹": "rupee rupees",
    },
    "de": {"$": "Dollar Dollar Cent Cent", "€": "Euro Euro Cent Cent", "£": "Pfund Pfund"},
    "fr": {"$": "dollar dollars cent cents", "€": "euro euros centime centimes"},
    "es": {"$": "dólar dólares centavo centavos", "€": "euro euros céntimo céntimos"},
    "it": {"$": "dollaro dollari centesimo centesimi", "€": "euro euro centesimo centesimi"},
    "pt": {
        "$": "dólar dólares centavo centavos",
        "€": "euro euros cêntimo cêntimos",
        "R$": "real reais centavo centavos",
    },
    "nl": {"$": "dollar dollar cent cent", "€": "euro euro cent cent"},
}
"""One and several, of the whole and of its hundredth. CLDR has "US dollars", which nobody says."""

_SCALES = {
    "en": "hundred|thousand|million|billion|trillion",
    "de": "Tausend|tausend|Millionen|Million|Milliarden|Milliarde|Billionen",
    "fr": "mille|millions?|milliards?",
    "es": "mil|millones|millón",
    "it": "mila|milioni|milione|miliardi|miliardo",
    "pt": "mil|milhões|milhão|bilhões|bilhão",
    "nl": "duizend|miljoen|miljard",
}
_BEFORE_UNITS = {"fr": "de ", "es": "de ", "it": "di ", "pt": "de "}
_NOUNS = frozenset({"mill", "mili", "milh", "bilh"})
"""How the scales begin that are nouns and need that word: a million of euros, a thousand euros."""
_SHORT_SCALES = {"k": 3, "K": 3, "M": 6, "m": 6, "bn": 9, "B": 9, "T": 12}


def money_rules(language: Language) -> list[Rule]:
    """Rules that say amounts, with the sign before or after them."""
    signs = dict(_SYMBOLS)
    if language.code in _CROWNS:
        signs["kr"] = _CROWNS[language.code]
    symbols = "|".join(re.escape(sign) for sign in sorted(signs, key=len, reverse=True))
    words = _SCALES.get(language.code, "(?!)")
    scale = rf"(?:\s?(?P<short>k|K|M|m|bn|B|T){AFTER}|\s(?P<scale>{words})\b)?"
    number = rf"(?P<number>{language.number_pattern})"
    sign = r"(?P<sign>[-\u2212])?"
    before = rf"{BEFORE}{sign}(?P<unit>{symbols}|(?:{_CODES})(?=[\s\d]))\s?{number}{scale}{AFTER}"
    after = rf"{BEFORE}{sign}{number}{scale}[\s\u00a0\u202f]?(?P<unit>{symbols}|{_CODES}){AFTER}"
    return [
        (re.compile(pattern), lambda match: _said(match, language)) for pattern in (before, after)
    ]


def amount(number: Number, unit: str, language: Language, scale: str = "") -> str:
    """An amount in words.

    Args:
        number: how much.
        unit: sign or ISO code of the currency.
        language: whose words.
        scale: a word between the two, such as "million".
    """
    names = _NAMES.get(language.code, {}).get(unit, "").split()
    several = _plural(number, language) or bool(scale)
    if scale:
        name = names[1] if names else _named(unit, 5, language)
        joint = _BEFORE_UNITS.get(language.code, "") if scale[:4] in _NOUNS else ""
        return f"{language.say(number)} {scale} {joint}{name}"
    name = names[several] if names else _named(unit, number.value, language)
    if len(number.fraction) != 2:
        return f"{language.say(number, 'masculine')} {name}"
    cents = int(number.fraction)
    whole = language.cardinal(int(number.whole), "masculine")
    if not cents:
        return f"{whole} {name}"
    said = language.cardinal(cents, "masculine")
    if len(names) > 2:
        hundredths = f"{said} {names[2 if cents == 1 else 3]}"
        if not int(number.whole):
            return hundredths
        if language.code == "en":
            return f"{whole} {name} and {hundredths}"
    return f"{whole} {name} {language.cardinal(cents)}"


def _said(match: re.Match[str], language: Language) -> str | None:
    number = language.parse(match["number"])
    if not number.is_amount:
        return None
    sign = f"{language.minus} " if match["sign"] else ""
    if match["short"]:
        number = _scaled(number, _SHORT_SCALES[match["short"]])
    return sign + amount(number, match["unit"], language, match["scale"] or "")


def _scaled(number: Number, zeros: int) -> Number:
    """The number with its decimal mark moved to the right."""
    digits = number.fraction.ljust(zeros, "0")
    whole = (number.whole + digits[:zeros]).lstrip("0") or "0"
    return type(number)(whole, digits[zeros:], grouped=True)


def _plural(number: Number, language: Language) -> bool:
    value = number.value
    return bool(language.locale.plural_form(int(value) if value.is_integer() else value) != "one")


def _named(unit: str, count: float, language: Language) -> str:
    code = _SYMBOLS.get(unit, _CROWNS.get(language.code, unit) if unit == "kr" else unit)
    return str(get_currency_name(code, count, locale=language.locale))
