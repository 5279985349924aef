"""Numbers and the signs between them: cardinals, ordinals, decimals, years, ranges, fractions."""

# ruff: noqa: RUF001 - words and signs of other alphabets
from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from voicemesh_tts.text.reading.languages import AFTER, BEFORE
from voicemesh_tts.text.traced import Part, Replacement, Rewriting, Rule, Said

if TYPE_CHECKING:
    from voicemesh_tts.text.reading.languages import Language

__all__ = ("number_rules", "ordinal_of", "range_rules", "sign_rules")

_ORDINALS = {
    "en": [(r"st|nd|rd|th", "")],
    "fr": [
        (r"ers?|ᵉʳ", "masculine"),
        (r"ères?|res?", "feminine"),
        (r"e|es|ème|èmes|ᵉ", "masculine"),
    ],
    "es": [(r"\.?[ºo°]|er", "masculine"), (r"\.?ª", "feminine")],
    "it": [(r"[º°]", "masculine"), (r"ª", "feminine")],
    "pt": [(r"\.?[º°]", "masculine"), (r"\.?ª", "feminine")],
    "nl": [(r"e|de|ste", "")],
    "sv": [(r":[ae]", "neuter")],
    "fi": [(r":s", "")],
    "tr": [(r"['’]?(?:inci|ıncı|uncu|üncü|nci|ncı|ncu|ncü)", "")],
}
"""What is written behind the digits of an ordinal, and its form."""

_VULGAR = re.compile("[¼-¾⅐-⅞]")
_YEARS = range(1100, 2100)
_SURELY_YEARS = range(1900, 2100)
# Other languages follow.
_BEFORE_YEARS = re.compile(
    r"\b(?:in|since|by|from|until|till|before|after|of|year|circa|around|during|and|to|early|late|"
    r"im\sJahre?|Jahr|seit|vor|nach|um|von|bis|Anno|sinds|vanaf|tot|år|siden|sedan|fra|från)\s$",
    re.IGNORECASE,
)
# English again.
_SHORT_SCALES = {"k": 3, "bn": 9}
_DASH = r"(?P<dash>[-–—]|\s[–—]\s)"


def range_rules(language: Language) -> list[Rule]:
    """Rules that say the dash in `5-10`, `1990–95` and the like; not in scores and codes."""
    if not language.signs.until:
        return []
    one = language.number_pattern
    return [
        (
            re.compile(
                rf"(?<![\w.,:/+-])(?P<first>{one})(?P<unit>\s?[%°€£$]|){_DASH}"
                rf"(?P<last>[$€£]?(?P<number>{one}))(?![:/]|-\w|[.,]\d)"
            ),
            lambda match: _range(match, language),
        )
    ]


def number_rules(language: Language) -> list[Rule]:
    """Rules that say every number that is left."""
    one = language.number_pattern
    rules: list[Rule] = [
        (
            re.compile(rf"{BEFORE}(?P<v>v)?(?P<all>\d+(?:\.\d+){{2,}})(?!\w|\.\d)"),
            lambda match: _dotted(match, language),
        ),
        (
            re.compile(r"(?<![\w.,])\.(?P<fraction>\d{1,9})(?![\w.,]?\d)"),
            lambda match: f"{language.point} {language.digits(match['fraction'])}",
        ),
        (re.compile(rf"{BEFORE}\d{{1,2}}(?:,\d{{1,2}}){{2,}}(?!\w|[.,]\d)"), _listed),
    ]
    for suffix, form in _ORDINALS.get(language.code, []):
        rules.append(
            (
                re.compile(rf"{BEFORE}(?P<number>\d[\d,.]*)(?:{suffix})(?!\w)"),
                _ordinals(language, form),
            )
        )
    if language.signs.fractions:
        rules += _fraction_rules(language)
    if language.code == "zh":
        rules.append(
            (
                re.compile(r"(?<!\d)(\d{4})(?=年)"),
                lambda match: [Said(language.digits(match[1]).replace(" ", ""), 1)],
            )
        )
    rules += [
        (
            re.compile(rf"{BEFORE}(?P<number>{one})\s?(?P<scale>k|bn){AFTER}"),
            lambda match: [Said(_scaled(match, language), 0)],
        ),
        (
            re.compile(rf"(?P<sign>(?:(?<=[\s(])|(?<!.))[-\u2212+])?(?P<number>{one})"),
            lambda match: _plain(match, language),
        ),
        (re.compile(r"\d+"), lambda match: _loose(match, language)),
        # "and/or", "he/she", "24/7": nobody says the stroke.
        (re.compile(r"(?<=\w)/(?=\w)"), " "),
    ]
    return rules


def sign_rules(language: Language) -> list[Rule]:
    """Rules that say the signs between and before numbers; run while the digits are there."""
    signs = language.signs
    pairs = (
        (r"\s?&\s?", signs.ampersand),
        (r"(?<=[\d)])\s?\+\s?(?=[\d(])", signs.plus),
        (r"(?<=\S)\s==?\s(?=\S)|(?<=\w)==?(?=\w)", signs.equals),
        (r"(?<=\d)\s?[×*x]\s?(?=\d)", signs.times),
        (r"(?<=\d)\s?÷\s?(?=\d)", signs.divided),
        (r"<\s?(?=\d)|(?<=\S)\s<\s(?=\S)", signs.less),
        (r"(?<![-=])>\s?(?=\d)|(?<=\S)\s>\s(?=\S)", signs.greater),
        (r"(?<![\w&])#(?=\d)|№\s?(?=\d)", signs.number),
        (r"(?<=[\d)])²", signs.squared),
        (r"(?<=[\d)])³", signs.cubed),
        (r"(?<=\s)@(?=\s)", signs.at),
    )
    # Of ratios, feet and inches only the numbers are said, of "about" nothing.
    silent: list[Rule] = [
        (re.compile(r"(?<=\d)[:'’](?=\d)"), " "),
        (re.compile(r"(?<!\S)~(?=[\d$€£])"), ""),
    ]
    return [*((re.compile(pattern), f" {word} ") for pattern, word in pairs if word), *silent]


def ordinal_of(number: int, language: Language) -> str:
    """An ordinal in its usual form; the cardinal if the language's ordinals are not known."""
    return language.ordinal(number) or language.cardinal(number)


def _range(match: re.Match[str], language: Language) -> Replacement | None:
    first, last = language.parse(match["first"]), language.parse(match["number"])
    hyphen = match["dash"] == "-"
    lengths = len(first.whole), len(last.whole)
    years = lengths == (4, 2) and int(first.whole) in _SURELY_YEARS
    if (
        hyphen
        and not years
        and not (
            first.value < last.value
            and (max(lengths) <= 3 or lengths[0] == lengths[1])
            and not (len(first.whole) > 1 and first.whole[0] == "0")
        )
    ):
        return None
    dash = Said(f" {language.signs.until} ", "dash")
    return (slice(match.start(), match.end("unit")), dash, slice(match.end("dash"), match.end()))


def _dotted(match: re.Match[str], language: Language) -> Replacement:
    """A version or an address of four numbers."""
    host = match["all"].count(".") == 3 and language.signs.dot
    point = f" {host or language.point} "
    said = point.join(language.say(language.parse(part)) for part in match["all"].split("."))
    return f"v {said}" if match["v"] else said


def _listed(match: re.Match[str]) -> Replacement:
    parts: list[Part] = []
    for run in re.finditer(r"\d+|,", match.group()):
        start = match.start() + run.start()
        parts += [slice(start, start + len(run.group())), *([" "] if run.group() == "," else [])]
    return parts


def _ordinals(language: Language, form: str) -> Rewriting:
    def said(match: re.Match[str]) -> Replacement | None:
        digits = re.sub(r"[.,]", "", match["number"])
        if len(digits) > 9:
            return None
        words = language.ordinal(int(digits), form if language.has(f"ordinal-{form}") else "")
        return [Said(words, 0)] if words else None

    return said


def _fraction_rules(language: Language) -> list[Rule]:
    words = language.signs.fractions
    written = "|".join(re.escape(fraction) for fraction in words)
    return [
        (_VULGAR, lambda match: _vulgar(match)),
        (
            re.compile(rf"(?<![\w.,/])(?:(?P<whole>\d+)\s)?(?P<part>{written})(?![\w/]|[.,]\d)"),
            lambda match: _fraction(match, language),
        ),
    ]


def _vulgar(match: re.Match[str]) -> Replacement:
    written = unicodedata.normalize("NFKC", match.group()).replace("\u2044", "/")
    before = match.string[match.start() - 1 : match.start()]
    return f" {written}" if before.isdigit() else written


def _fraction(match: re.Match[str], language: Language) -> Replacement:
    said = language.signs.fractions[match["part"]]
    if not match["whole"]:
        return said
    whole, joint = language.cardinal(int(match["whole"])), language.signs.ampersand
    said = re.sub("^one (?=half|quarter|third|fifth|eighth)", "a ", said)
    return f"{whole} {joint} {said}"


def _scaled(match: re.Match[str], language: Language) -> str:
    number = language.parse(match["number"])
    zeros = _SHORT_SCALES[match["scale"]]
    if len(number.fraction) > zeros or len(number.whole) > 9:
        return match.group()
    return language.cardinal(int(number.whole + number.fraction.ljust(zeros, "0")))


def _plain(match: re.Match[str], language: Language) -> Replacement:
    number = language.parse(match["number"])
    text, start, end = match.string, match.start("number"), match.end()
    said = language.say(number)
    if len(number.whole) == 4 and not (number.fraction or number.grouped or match["sign"]):
        year = int(number.whole)
        sure = year in _SURELY_YEARS or _BEFORE_YEARS.search(text[max(0, start - 16) : start])
        if year in _YEARS and sure:
            said = language.year(year)
    if match["sign"] == "+":
        said = f"{language.signs.plus or '+'} {said}"
    elif match["sign"]:
        said = f"{language.minus} {said}"
    return [*_gap(text, match.start()), Said(said, 0), *_gap(text, end)]


def _loose(match: re.Match[str], language: Language) -> Replacement:
    """Digits that are no number, as in long codes."""
    text = match.string
    said = language.say(language.parse(match.group()))
    return [*_gap(text, match.start()), Said(said, 0), *_gap(text, match.end())]


def _gap(text: str, place: int) -> list[Part]:
    """A blank between a number and letters that cling to it, in scripts that have blanks."""
    beside = text[place - 1 : place + 1] if place else ""
    return [" "] if any(c.isalpha() and c.lower() != c.upper() for c in beside) else []
