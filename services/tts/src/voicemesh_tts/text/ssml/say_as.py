"""`say-as`: how a text is read when its author says what it is."""

# ruff: noqa: RUF001 - a sign of the IPA
from __future__ import annotations

import re
from typing import TYPE_CHECKING

from voicemesh_tts.text.pronunciations import FixedWord
from voicemesh_tts.text.reading import read_out
from voicemesh_tts.text.reading.addresses import telephone
from voicemesh_tts.text.reading.dates import written_date
from voicemesh_tts.text.reading.languages import Language, language_of
from voicemesh_tts.text.reading.numbers import ordinal_of
from voicemesh_tts.text.traced import Traced

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ("KINDS", "said_as")


def said_as(
    text: Traced, attributes: Mapping[str, str], language_code: str
) -> tuple[FixedWord, ...]:
    """The words of a text that is of a kind.

    Args:
        text: what stands in the element.
        attributes: `interpret-as`, one of `KINDS`, and `format`, which dates heed.
        language_code: BCP-47 code of its language.

    Raises:
        ValueError: if there is no such kind, or the text is not of it; words that follow
            "the document has".
    """
    kind = attributes["interpret-as"].strip()
    if kind not in KINDS:
        msg = f"<say-as> with an interpret-as that is not one of {', '.join(KINDS)}"
        raise ValueError(msg)
    language = language_of(language_code)
    written = text.text.strip()
    said = KINDS[kind](written, attributes.get("format", "").strip(), language)
    if said is None:
        msg = f"<say-as> with a text that is no {kind}"
        raise ValueError(msg)
    span = text.part(0, len(text.text)).span()
    words = (word for word, _ in read_out(Traced.of(said), language_code).words())
    letters = KINDS[kind] is _characters and language is not None and language.code == "en"
    # A lone A is taken for the article.
    return tuple(FixedWord(word, span, "eɪ" if letters and word == "A" else "") for word in words)


def _characters(written: str, _: str, language: Language | None) -> str | None:
    signs = (
        {}
        if language is None
        else {
            ".": language.signs.dot,
            "@": language.signs.at,
            "&": language.signs.ampersand,
            "+": language.signs.plus,
        }
    )
    said = [
        _capital(character) if character.isalnum() else signs.get(character, "")
        for character in written
    ]
    return " ".join(filter(None, said)) or None


def _capital(letter: str) -> str:
    """The letter as engines read its name; a few have no capital of their own."""
    return letter.upper() if len(letter.upper()) == 1 else letter


def _cardinal(written: str, _: str, language: Language | None) -> str | None:
    if language is None:
        return written if re.fullmatch(r"[-+\u2212]?\d[\d.,\s]*", written) else None
    found = re.fullmatch(rf"([-\u2212+]?)\s?({language.number_pattern})", written)
    if not found:
        return None
    said = language.say(language.parse(found[2]))
    return f"{language.minus} {said}" if found[1] and found[1] != "+" else said


def _ordinal(written: str, _: str, language: Language | None) -> str | None:
    found = re.fullmatch(r"(\d{1,9})\D{0,4}", written)
    if not found:
        return None
    return ordinal_of(int(found[1]), language) if language else written


def _date(written: str, order: str, language: Language | None) -> str | None:
    if not re.fullmatch(r"[ymd]{0,3}", order) or len(set(order)) < len(order):
        return None
    digits = re.findall(r"\d+", written)
    if not digits or re.search(r"[^\d./\s-]", written):
        # A month by its name, which the ordinary rules read.
        return written if digits else None
    if language is None:
        return written
    if not order:
        order = "ymd" if len(digits[0]) == 4 else ""
    return written_date(written, order, language) if order else written


def _time(written: str, _: str, language: Language | None) -> str | None:
    return written if re.search(r"\d", written) else None


def _telephone(written: str, _: str, language: Language | None) -> str | None:
    if not re.fullmatch(r"[+\d][\d\s().+/-]*", written):
        return None
    return telephone(written, language) if language else written


_currency = _time

KINDS: Mapping[str, Callable[[str, str, Language | None], str | None]] = {
    "characters": _characters,
    "spell-out": _characters,
    "cardinal": _cardinal,
    "number": _cardinal,
    "ordinal": _ordinal,
    "date": _date,
    "time": _time,
    "telephone": _telephone,
    "currency": _currency,
}
"""What `interpret-as` may say, with what each writes out."""
