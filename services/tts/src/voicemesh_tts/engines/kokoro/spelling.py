"""From words to what the network reads: symbols, each with its word, in runs of bearable length."""

# ruff: noqa: RUF001 - signs of the International Phonetic Alphabet and marks of other scripts

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Protocol

from voicemesh_tts.engines.kokoro.japanese import is_japanese
from voicemesh_tts.engines.kokoro.kana import symbols_of_kana
from voicemesh_tts.engines.kokoro.languages import AMERICAN, JAPANESE
from voicemesh_tts.engines.kokoro.respelling import MARKS, Sounds, respelt
from voicemesh_tts.engines.phonemiser import NO_WORD

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from pathlib import Path

    from voicemesh_tts.domain import SpokenWord
    from voicemesh_tts.engines.kokoro.japanese import Morpheme
    from voicemesh_tts.engines.kokoro.languages import Language
    from voicemesh_tts.engines.phonemiser import Sentence

__all__ = ("JapaneseReader", "SoundsOfWords", "Speller", "cut")

_EDGES = "".join(MARKS)
_OPENING = frozenset("(“")
_DASHES = frozenset({"-", "--", "−", "―"})
_STRONG, _WEAK = frozenset(".!?…;"), frozenset(",:—)”")
_TYPED = str.maketrans({"'": "ˈ", ":": "ː", ".": None})
"""What people type for signs of the alphabet; a dot between syllables says nothing here."""


class SoundsOfWords(Protocol):
    """What is needed of `phonemiser.Phonemiser`."""

    def sentences(self, voice: Path | str, words: Sequence[str]) -> list[Sentence]:
        """How words sound."""
        ...


class JapaneseReader(Protocol):
    """What is needed of `japanese.Reader`."""

    def read(self, text: str) -> Sequence[Morpheme]:
        """The readings of a text."""
        ...


class Speller:
    """Spells for one network. Threads may use it at once.

    Args:
        phonemiser: says how words sound.
        known: the symbols of the network.
        reader: reads Japanese, if that can be read here.
    """

    def __init__(
        self,
        phonemiser: SoundsOfWords,
        known: Collection[str],
        reader: JapaneseReader | None = None,
    ) -> None:
        self._phonemiser = phonemiser
        self._known = frozenset(known)
        self._reader = reader

    def spell(self, words: Sequence[SpokenWord], language: Language) -> Sounds:
        """The symbols of words; empty if there is nothing in them to be said.

        Raises:
            UnpronounceableTextError, EngineStalledError: as `Phonemiser.sentences`.
        """
        if language.reader == JAPANESE and not any(is_japanese(word.text) for word in words):
            # What a Japanese voice is given without a word about its language is often English.
            language = AMERICAN
        sounds: Sounds = []
        phrase: list[tuple[int, str]] = []
        for index, word in enumerate(words):
            opening, core, closing = _edges(word.text)
            if "." in core and closing == "." and index + 1 < len(words):
                # The dot of "U.S." ends no sentence, as far as anyone can tell.
                closing = ""
            if phrase and (opening or word.phonemes):
                sounds += self._phrase(phrase, language)
                phrase = []
            sounds += _marks(opening)
            if word.phonemes:
                sounds += _given(word.phonemes, index, language)
            elif core:
                phrase.append((index, core))
            if phrase and closing:
                sounds += self._phrase(phrase, language)
                phrase = []
            sounds += _marks(closing)
            if not phrase:
                sounds.append((" ", NO_WORD))
        sounds += self._phrase(phrase, language)
        return self._tidied(sounds)

    def _phrase(self, phrase: Sequence[tuple[int, str]], language: Language) -> Sounds:
        """The sounds of words without marks between them."""
        if not phrase:
            return []
        if language.reader == JAPANESE and self._reader is not None:
            return [sound for index, text in phrase for sound in self._japanese(text, index)]
        return respelt(self._plain(phrase, language), language)

    def _plain(self, phrase: Sequence[tuple[int, str]], language: Language) -> Sounds:
        # A dot at the end tells an abbreviation, and other words lose it below.
        texts = [f"{text}." if "." in text else text for _, text in phrase]
        sounds: Sounds = []
        for sentence in self._phonemiser.sentences(language.reader, texts):
            for phoneme, word in zip(sentence.phonemes, sentence.words, strict=True):
                if word != NO_WORD:
                    sounds.append((phoneme, phrase[word][0]))
                elif phoneme.isspace():
                    sounds.append((" ", NO_WORD))
            sounds.append((" ", NO_WORD))
        return sounds

    def _japanese(self, text: str, index: int) -> Sounds:
        assert self._reader is not None  # noqa: S101 - asked for where it is called
        sounds: Sounds = []
        for morpheme in self._reader.read(text):
            if morpheme.kana:
                sounds += [(symbol, index) for symbol in symbols_of_kana(morpheme.kana)]
            elif morpheme.text in MARKS:
                sounds += _marks(morpheme.text)
            else:
                # Foreign words, and numbers that nobody has written out.
                sounds += self._phrase([(index, morpheme.text)], AMERICAN)
            sounds.append((" ", NO_WORD))
        return sounds

    def _tidied(self, sounds: Sounds) -> Sounds:
        """Without symbols that the network has not learnt, and with single blanks."""
        found: Sounds = []
        for symbol, word in sounds:
            if symbol not in self._known:
                continue
            is_mark = word == NO_WORD and symbol != " "
            before = found[-1][0] if found else " "
            if symbol == " " and before in _OPENING | {" "}:
                continue
            if is_mark and found and before == " " and symbol not in _OPENING:
                found.pop()
            found.append((symbol, word))
        while found and found[-1][0] == " ":
            found.pop()
        return found if any(word != NO_WORD for _, word in found) else []


def cut(sounds: Sounds, longest: int) -> Iterator[Sounds]:
    """The symbols in runs: after the end of a sentence if it can be, a comma, or a word.

    Args:
        sounds: of an utterance.
        longest: most symbols of a run.
    """
    while len(sounds) > longest:
        end = _end(sounds, longest)
        yield sounds[:end]
        sounds = sounds[end:]
        if sounds[0][0] == " ":
            sounds = sounds[1:]
    if sounds:
        yield sounds


def _end(sounds: Sounds, longest: int) -> int:
    for marks in (_STRONG, _WEAK, frozenset(" ")):
        for place in range(longest, longest // 2, -1):
            symbol, word = sounds[place - 1]
            if word == NO_WORD and symbol in marks:
                return place
    return longest


def _edges(text: str) -> tuple[str, str, str]:
    """The marks before a word, the word, and the marks behind it."""
    core = text.strip(_EDGES)
    if not core:
        return "", "", text
    start = text.index(core)
    opening, closing = text[:start].replace('"', "“"), text[start + len(core) :].replace('"', "”")
    return (opening, "", f"—{closing}") if core in _DASHES else (opening, core, closing)


def _marks(marks: str) -> Sounds:
    return [(symbol, NO_WORD) for mark in marks for symbol in MARKS[mark]]


def _given(phonemes: str, index: int, language: Language) -> Sounds:
    """The sound that comes with a word."""
    signs = unicodedata.normalize("NFD", phonemes.translate(_TYPED))
    sounds = [(sign, index) for sign in " ".join(signs.split())]
    return [(sign, NO_WORD if sign == " " else word) for sign, word in respelt(sounds, language)]
