"""What Kokoro's voices speak, and what espeak-ng calls it.

Kokoro-82M was trained on the languages below. The first letter of a voice's name says which is its
own ("jf_alpha": Japanese) and the second how it sounds (female); it speaks the others with an
accent.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from voicemesh_tts.domain import Gender

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ("AMERICAN", "BRITISH", "JAPANESE", "Language", "gender_of", "languages_of", "spoken")

JAPANESE = "ja"
"""In place of a name of espeak-ng, which reads no kanji."""


@dataclass(frozen=True)
class Language:
    """A language that words may be in."""

    code: str
    """BCP-47."""

    reader: str
    """espeak-ng's name for it, or `JAPANESE`."""


AMERICAN = Language("en-US", "en-us")
BRITISH = Language("en-GB", "en")

_TRAINED = {
    "a": AMERICAN,
    "b": BRITISH,
    "e": Language("es-ES", "es"),
    "f": Language("fr-FR", "fr"),
    "h": Language("hi-IN", "hi"),
    "i": Language("it-IT", "it"),
    "j": Language("ja-JP", JAPANESE),
    "p": Language("pt-BR", "pt-br"),
}
"""By the first letter of the voices. Chinese ("z") is missing: what espeak-ng makes of it are not
the symbols that Kokoro was trained on."""

_GENDERS = {"f": Gender.FEMALE, "m": Gender.MALE}


def languages_of(
    styles: Sequence[str], *, japanese: bool, more: Iterable[str] = ()
) -> tuple[Language, ...]:
    """The languages of a voice, its own first.

    Args:
        styles: names of the styles that it is made of.
        japanese: whether Japanese can be read here.
        more: BCP-47 codes of further languages that it shall try.
    """
    further = [Language(code, re.split("[-_]", code)[0].lower()) for code in more]
    found = [
        language
        for language in (*_TRAINED.values(), *further)
        if japanese or language.reader != JAPANESE
    ]
    own = [_TRAINED[style[0]] for style in styles if style[:1] in _TRAINED]
    # A stable sort: behind its own languages they stay in order.
    found.sort(key=lambda language: own.index(language) if language in own else len(own))
    return tuple(dict.fromkeys(found))


def gender_of(styles: Iterable[str]) -> Gender:
    """What a voice of these styles sounds like."""
    found = {_GENDERS.get(style[1:2], Gender.UNKNOWN) for style in styles}
    if len(found) == 1:
        return found.pop()
    return Gender.UNKNOWN if Gender.UNKNOWN in found else Gender.NEUTRAL


def spoken(languages: Sequence[Language], code: str) -> Language:
    """Which of a voice's languages is meant by a code: its own if that is empty or unknown."""
    wanted = code.lower().replace("_", "-")
    for language in languages:
        if language.code.lower() == wanted:
            return language
    primary = wanted.partition("-")[0]
    for language in languages:
        if language.code.partition("-")[0].lower() == primary:
            return language
    return languages[0]
