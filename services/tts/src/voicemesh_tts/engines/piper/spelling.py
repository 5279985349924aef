"""From words to the numbers that the network of a voice reads."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from voicemesh_tts.engines.phonemiser import NO_WORD, Sentence

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from voicemesh_tts.domain import SpokenWord

__all__ = ("Run", "Speller")

_START, _END, _PAD = "^", "$", "_"
_CONTROLS = frozenset((_START, _END, _PAD))

_ENDING = re.compile(r"[.!?…。！？؟।][\"'»”’)\]]*$")
_PAUSING = re.compile(r"[,;:、，；：،—–][\"'»”’)\]]*$")

_NO_SOUNDS = frozenset('^$_.,;:!?()-"#0123456789')
"""What voices have numbers for besides the signs of the alphabet."""

_TYPED = {"'": "\u02c8", ":": "\u02d0", "\t": " ", "\n": " "}
"""What people type for the signs of stress and length."""

_SAME_SOUND = {"g": "\u0261", "\u0261": "g"}
"""Of the two letters g a voice may know only one."""

_Phonemes = list[tuple[str, int]]
"""Phonemes, and of each the index of its word, or `NO_WORD`."""


class SoundsOfWords(Protocol):
    """What is needed of `phonemiser.Phonemiser`."""

    def sentences(self, voice: Path | str, words: Sequence[str]) -> list[Sentence]:
        """How words sound."""
        ...


@dataclass(frozen=True)
class Run:
    """What the network says in one go."""

    ids: tuple[int, ...]
    """The numbers of its phonemes."""

    words: tuple[int, ...]
    """For each of them the index of the word it belongs to, or `NO_WORD`."""


class Speller:
    """Spells for one voice.

    Args:
        phonemiser: says how words sound.
        config: the voice's config file.
        numbers: the numbers of each phoneme, from that file.
        takes_phonemes: whether these are of the International Phonetic Alphabet.
    """

    def __init__(
        self,
        phonemiser: SoundsOfWords,
        config: Path,
        numbers: Mapping[str, Sequence[int]],
        *,
        takes_phonemes: bool = True,
    ) -> None:
        self._phonemiser = phonemiser
        self._config = config
        self._numbers = numbers
        self._takes_phonemes = takes_phonemes

    def runs(self, words: Sequence[SpokenWord], longest: int) -> Iterator[Run]:
        """The words in sentences, long ones cut, between words if it can be.

        Args:
            words: the words of an utterance.
            longest: most phonemes of a run.

        Raises:
            UnpronounceableTextError, EngineStalledError: as `Phonemiser.sentences`.
        """
        for sentence in self._sentences(words):
            for phonemes in _cut(sentence, longest):
                run = self._run(phonemes)
                if any(word != NO_WORD for word in run.words):
                    yield run

    def _sentences(self, words: Sequence[SpokenWord]) -> list[_Phonemes]:
        """The phonemes of each sentence, each with its word."""
        found: list[_Phonemes] = []
        goes_on = False
        for start, end, given in self._stretches(words):
            sentences = [_marked(words[start], start, given)] if given else []
            sentences = sentences or self._plain(words, start, end)
            if goes_on and found and sentences:
                found[-1] += [(" ", NO_WORD), *sentences.pop(0)]
            found += sentences
            goes_on = not _ENDING.search(words[end - 1].text)
        return found

    def _stretches(self, words: Sequence[SpokenWord]) -> Iterator[tuple[int, int, list[str]]]:
        """Words whose sound is given, each alone, and as many of the others at a time as can be."""
        start = 0
        for index, word in enumerate(words):
            if given := self._given(word):
                if index > start:
                    yield start, index, []
                yield index, index + 1, given
                start = index + 1
        if start < len(words):
            yield start, len(words), []

    def _given(self, word: SpokenWord) -> list[str]:
        """The sound that comes with a word, as far as the voice has it."""
        sounds = []
        for sound in unicodedata.normalize("NFD", word.phonemes if self._takes_phonemes else ""):
            typed = _TYPED.get(sound, sound)
            known = typed if typed in self._numbers else _SAME_SOUND.get(typed, "")
            if known in self._numbers and known not in _NO_SOUNDS:
                sounds.append(known)
        return sounds if any(sound != " " for sound in sounds) else []

    def _plain(self, words: Sequence[SpokenWord], start: int, end: int) -> list[_Phonemes]:
        texts = [word.text for word in words[start:end]]
        return [
            [
                (phoneme, word if word == NO_WORD else start + word)
                for phoneme, word in zip(sentence.phonemes, sentence.words, strict=True)
            ]
            for sentence in self._phonemiser.sentences(self._config, texts)
        ]

    def _run(self, phonemes: _Phonemes) -> Run:
        numbers = self._numbers
        ids = [*numbers[_START], *numbers[_PAD]]
        words = [NO_WORD] * len(ids)
        for phoneme, word in phonemes:
            # Phonemes that the voice has not learnt are left out, as Piper does.
            if phoneme in numbers and phoneme not in _CONTROLS:
                added = [*numbers[phoneme], *numbers[_PAD]]
                ids += added
                words += [word] * len(added)
        ids += numbers[_END]
        return Run(tuple(ids), (*words, *[NO_WORD] * len(numbers[_END])))


def _marked(word: SpokenWord, index: int, sounds: Sequence[str]) -> _Phonemes:
    """A given sound, and what marks the end of its word."""
    phonemes = [(sound, NO_WORD if sound == " " else index) for sound in sounds]
    if _ENDING.search(word.text) or _PAUSING.search(word.text):
        mark = next((sign for sign in ".!?,;:" if sign in word.text[-2:]), ",")
        phonemes.append((mark, NO_WORD))
    return phonemes


def _cut(phonemes: _Phonemes, longest: int) -> Iterator[_Phonemes]:
    while len(phonemes) > longest:
        blanks = [place for place in range(longest // 2, longest) if phonemes[place][0] == " "]
        cut = blanks[-1] + 1 if blanks else longest
        yield phonemes[:cut]
        phonemes = phonemes[cut:]
    if phonemes:
        yield phonemes
