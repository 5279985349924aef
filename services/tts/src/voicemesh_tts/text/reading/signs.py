"""Words for signs, which CLDR does not have: of the languages that most published voices speak.

A language without a word for a sign leaves the sign to the engine.
"""

# ruff: noqa: RUF001 - words and signs of other alphabets
from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ("SIGNS", "Signs")


@dataclass(frozen=True)
class Signs:
    """The words of one language; empty where it has none here."""

    at: str = ""
    """Of `@` in an address."""

    dot: str = ""
    """Of `.` in an address."""

    ampersand: str = ""
    """Of `&`."""

    until: str = ""
    """Of the dash in a range, such as 5-10."""

    plus: str = ""
    """Of `+`."""

    equals: str = ""
    """Of `=`."""

    times: str = ""
    """Of `×`."""

    divided: str = ""
    """Of `÷`."""

    less: str = ""
    """Of `<`."""

    greater: str = ""
    """Of `>`."""

    number: str = ""
    """Of `#` or `№` before a number."""

    squared: str = ""
    """Of `²` after a number."""

    cubed: str = ""
    """Of `³` after a number."""

    fractions: Mapping[str, str] = field(default_factory=dict)
    """Of fractions such as `1/2`."""

    percent: str = ""
    """Of `%`, with `{}` for the number, where CLDR has only the sign."""


def _fractions(words: str) -> dict[str, str]:
    names = ("1/2", "1/3", "2/3", "1/4", "3/4", "1/5", "1/8")
    return dict(zip(names, (word.strip() for word in words.split(",")), strict=True))


# Other languages follow.
SIGNS: Mapping[str, Signs] = {
    "en": Signs(
        *("at", "dot", "and", "to", "plus", "equals", "times", "divided by"),
        *("less than", "greater than", "number", "squared", "cubed"),
        _fractions(
            "one half, one third, two thirds, one quarter, three quarters, one fifth, one eighth"
        ),
    ),
    "de": Signs(
        *("at", "Punkt", "und", "bis", "plus", "gleich", "mal", "geteilt durch"),
        *("kleiner als", "größer als", "Nummer", "Quadrat", "hoch drei"),
        _fractions(
            "ein halb, ein Drittel, zwei Drittel, ein Viertel, drei Viertel, ein Fünftel, "
            "ein Achtel"
        ),
    ),
    "fr": Signs(
        *("arobase", "point", "et", "à", "plus", "égale", "fois", "divisé par"),
        *("inférieur à", "supérieur à", "numéro", "au carré", "au cube"),
        _fractions(
            "un demi, un tiers, deux tiers, un quart, trois quarts, un cinquième, un huitième"
        ),
    ),
    "es": Signs(
        *("arroba", "punto", "y", "a", "más", "igual a", "por", "dividido por"),
        *("menor que", "mayor que", "número", "al cuadrado", "al cubo"),
        _fractions(
            "un medio, un tercio, dos tercios, un cuarto, tres cuartos, un quinto, un octavo"
        ),
    ),
    "it": Signs(
        *("chiocciola", "punto", "e", "a", "più", "uguale", "per", "diviso"),
        *("minore di", "maggiore di", "numero", "al quadrato", "al cubo"),
        _fractions("un mezzo, un terzo, due terzi, un quarto, tre quarti, un quinto, un ottavo"),
    ),
    "pt": Signs(
        *("arroba", "ponto", "e", "a", "mais", "igual a", "vezes", "dividido por"),
        *("menor que", "maior que", "número", "ao quadrado", "ao cubo"),
        _fractions("um meio, um terço, dois terços, um quarto, três quartos, um quinto, um oitavo"),
    ),
    "nl": Signs(
        *("apenstaartje", "punt", "en", "tot", "plus", "is", "keer", "gedeeld door"),
        *("kleiner dan", "groter dan", "nummer", "kwadraat", "tot de derde"),
        _fractions(
            "een half, een derde, twee derde, een kwart, drie kwart, een vijfde, een achtste"
        ),
    ),
    "sv": Signs(
        *("snabel-a", "punkt", "och", "till", "plus", "är lika med", "gånger", "delat med"),
        *("mindre än", "större än", "nummer", "i kvadrat", "i kubik"),
    ),
    "da": Signs(
        *("snabel-a", "punktum", "og", "til", "plus", "er lig med", "gange", "divideret med"),
        *("mindre end", "større end", "nummer", "i anden", "i tredje"),
    ),
    "no": Signs(
        *("krøllalfa", "punktum", "og", "til", "pluss", "er lik", "ganger", "delt på"),
        *("mindre enn", "større enn", "nummer", "i annen", "i tredje"),
    ),
    "pl": Signs(
        *("małpa", "kropka", "i", "do", "plus", "równa się", "razy", "podzielone przez"),
        *("mniejsze niż", "większe niż", "numer", "do kwadratu", "do sześcianu"),
    ),
    "cs": Signs(
        *("zavináč", "tečka", "a", "až", "plus", "rovná se", "krát", "děleno"),
        *("menší než", "větší než", "číslo", "na druhou", "na třetí"),
    ),
    "ru": Signs(
        *("собака", "точка", "и", "до", "плюс", "равно", "умножить на", "разделить на"),
        *("меньше", "больше", "номер", "в квадрате", "в кубе"),
    ),
    "uk": Signs(
        *("равлик", "крапка", "і", "до", "плюс", "дорівнює", "помножити на", "поділити на"),
        *("менше", "більше", "номер", "у квадраті", "у кубі"),
    ),
    "fi": Signs(
        *("ät", "piste", "ja", "viiva", "plus", "on yhtä kuin", "kertaa", "jaettuna"),
        *("pienempi kuin", "suurempi kuin", "numero", "toiseen", "kolmanteen"),
    ),
    "tr": Signs(
        *("et", "nokta", "ve", "ila", "artı", "eşittir", "çarpı", "bölü"),
        *("küçüktür", "büyüktür", "numara", "kare", "küp"),
    ),
    "zh": Signs(
        at="艾特",
        dot="点",
        ampersand="和",
        until="到",
        plus="加",
        equals="等于",
        times="乘",
        percent="百分之{}",
    ),
    "ko": Signs(
        at="골뱅이",
        dot="점",
        until="에서",
        plus="더하기",
        times="곱하기",
        percent="{}퍼센트",
    ),
    "ar": Signs(
        at="آت",
        dot="نقطة",
        ampersand="و",
        until="إلى",
        plus="زائد",
        equals="يساوي",
        percent="{} بالمئة",
    ),
    "vi": Signs(at="a còng", dot="chấm", ampersand="và", until="đến", percent="{} phần trăm"),
    "hi": Signs(at="ऐट", dot="डॉट", ampersand="और", until="से", plus="जमा", equals="बराबर"),
}
# English again.
"""By ISO 639 code."""
