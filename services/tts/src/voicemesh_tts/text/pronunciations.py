"""A dictionary of how words are to be said: written form → another spelling, or IPA.

Whole words and phrases, whatever their case; of two that begin at one place the longer wins. The
entries apply before numbers and abbreviations are read, so they may say those too.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

from voicemesh_tts.text.stress import stress_before_vowels

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from voicemesh_tts.domain import Span
    from voicemesh_tts.text.traced import Traced

__all__ = (
    "MAX_PHONEMES",
    "MAX_WRITTEN",
    "FixedWord",
    "FixedWords",
    "Pronunciation",
    "Pronunciations",
    "fault_of_phonemes",
)

MAX_WRITTEN = 100
"""Most characters of a written form or a respelling."""

MAX_PHONEMES = 200
"""Most characters of IPA for one entry."""

_FIRST_MARK = 0xF0000
_MARKS = 0xFFFD
_IPA_SIGNS = frozenset("ˈˌːˑ.|‖‿'-()ˀ˞↗↘ˤʰʲʷⁿˡ")
_BLANKLESS = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]"
)


@dataclass(frozen=True)
class Pronunciation:
    """One entry; either `respelling` or `phonemes` is filled.

    Raises:
        ValueError: if it cannot be used; says why, without the words.
    """

    written: str
    """The word or phrase as it is written."""

    respelling: str = ""
    """Another spelling that sounds right."""

    phonemes: str = ""
    """Its sound in the International Phonetic Alphabet, blanks between words. A sign of stress may
    stand before its syllable, as in dictionaries, or before its vowel, as engines want it."""

    def __post_init__(self) -> None:
        if fault := self._fault():
            raise ValueError(fault)

    def words(self, written: Traced) -> tuple[FixedWord, ...]:
        """The words to be said for a written form, which stands where the text says.

        Each has the span of its own written word if they are as many, else that of all.
        """
        words, whole = list(written.words()), written.span()
        spoken = (self.respelling or stress_before_vowels(self.phonemes)).split()
        paired = len(spoken) == len(words)
        if self.respelling:
            spans = [span for _, span in words] if paired else [whole] * len(spoken)
            return tuple(map(FixedWord, spoken, spans))
        if paired:
            return tuple(
                FixedWord(word, span, phonemes)
                for (word, span), phonemes in zip(words, spoken, strict=True)
            )
        # One word with all the sounds, for an engine that counts words by their blanks.
        return (FixedWord("-".join(word for word, _ in words), whole, "".join(spoken)),)

    def _fault(self) -> str:
        if not any(map(str.isalnum, self.written)):
            return "the written form has no letter or digit"
        if bool(self.respelling.strip()) == bool(self.phonemes.strip()):
            return "either a respelling or phonemes must be given, and not both"
        if len(self.written) > MAX_WRITTEN or len(self.respelling) > MAX_WRITTEN:
            return f"a written form or respelling has more than {MAX_WRITTEN} characters"
        if self.respelling and not any(map(str.isalnum, self.respelling)):
            return "the respelling has no letter or digit"
        return fault_of_phonemes(self.phonemes) if self.phonemes else ""


def fault_of_phonemes(phonemes: str) -> str:
    """Why a text cannot be IPA; empty if it can.

    Brackets and control characters are refused: engines give them meanings of their own.
    """
    if not phonemes.strip():
        return "the phonemes are empty"
    if len(phonemes) > MAX_PHONEMES:
        return f"the phonemes have more than {MAX_PHONEMES} characters"
    for character in phonemes:
        kind = unicodedata.category(character)[0]
        if kind not in "LM" and character not in _IPA_SIGNS and not _is_tone(character):
            if character == " ":
                continue
            return f"the phonemes have U+{ord(character):04X}, which is no sign of the IPA"
    return ""


def _is_tone(character: str) -> bool:
    return "\u02b0" <= character <= "\u02ff" or "\ua700" <= character <= "\ua721"


@dataclass(frozen=True)
class FixedWord:
    """A word that is to be said as it is, and what it stands for."""

    text: str
    """Its letters."""

    span: Span
    """Where it was written."""

    phonemes: str = ""
    """Its sound, if that is given."""


class FixedWords:
    """Words of a text that no rule may touch, each run of them held in place by one character.

    The characters are of the private use area; a text has none of its own when this begins.
    """

    def __init__(self) -> None:
        self._runs: list[tuple[FixedWord, ...]] = []

    def hold(self, words: tuple[FixedWord, ...]) -> str:
        """The character that stands for the words from now on.

        Raises:
            ValueError: if there are too many runs.
        """
        if len(self._runs) >= _MARKS:
            msg = "too many fixed words in one text"
            raise ValueError(msg)
        self._runs.append(words)
        return chr(_FIRST_MARK + len(self._runs) - 1)

    def held(self, character: str) -> tuple[FixedWord, ...] | None:
        """The words that a character stands for; None if it is an ordinary one."""
        number = ord(character) - _FIRST_MARK
        return self._runs[number] if 0 <= number < len(self._runs) else None


class Pronunciations:
    """A dictionary, made once and used for many texts; later entries win over earlier ones."""

    def __init__(self, entries: Iterable[Pronunciation] = ()) -> None:
        self._entries = {_key(entry.written): entry for entry in entries}
        self._lengths = sorted({len(key) for key in self._entries}, reverse=True)

    def __len__(self) -> int:
        return len(self._entries)

    def over(self, others: Pronunciations) -> Pronunciations:
        """These and the others, of which those for the same word give way."""
        return Pronunciations([*others._entries.values(), *self._entries.values()])

    def applied(self, text: Traced, fixed: FixedWords) -> Traced:
        """The text with a held run of words in the place of every entry's written form."""
        matches = list(self._matches(text.text))
        if not matches:
            return text
        return text.replaced(
            [
                (start, end, fixed.hold(entry.words(text.part(start, end))))
                for start, end, entry in matches
            ]
        )

    def _matches(self, text: str) -> Iterator[tuple[int, int, Pronunciation]]:
        folded = text.lower()
        if not self._entries or len(folded) != len(text):
            folded = "".join(c.lower() if len(c.lower()) == 1 else c for c in text)
        place = 0
        while place < len(text):
            match = self._longest(text, folded, place)
            if match is None:
                place += 1
                continue
            yield place, *match
            place = match[0]

    def _longest(self, text: str, folded: str, place: int) -> tuple[int, Pronunciation] | None:
        if not _may_part(text, place):
            return None
        for length in self._lengths:
            end = place + length
            entry = self._entries.get(folded[place:end]) if end <= len(text) else None
            if entry is not None and _may_part(text, end):
                return end, entry
        return None


def _key(written: str) -> str:
    return " ".join(unicodedata.normalize("NFC", written).lower().split())


def _may_part(text: str, place: int) -> bool:
    """Whether a word may begin or end here."""
    if place in (0, len(text)):
        return True
    before, after = text[place - 1], text[place]
    if not (_in_word(before) and _in_word(after)):
        return True
    # Scripts without blanks do not say where their words end.
    return bool(_BLANKLESS.match(before) and _BLANKLESS.match(after))


def _in_word(character: str) -> bool:
    return character.isalnum() or unicodedata.category(character)[0] == "M"
