"""Words → the symbols a VITS voice was trained on, and which word each symbol stands for."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from voicemesh_tts.domain import SpokenWord

__all__ = ("Part", "Reader", "aligned", "runs", "weight")

_MOST_JOINED = 3
"""How many words espeak-ng reads as one at most ("of the" → ʌvðə), and the other way round."""

_DIGIT_SYMBOLS = 4

_CLINGING = "\"'()[]«»“”\u2018’.,;:!?…¡¿—。、！？，؟،"


@dataclass(frozen=True)
class Part:
    """Symbols without a blank, usually those of one word."""

    symbols: str
    """Characters of the voice's alphabet."""

    words: tuple[int, ...]
    """The words they stand for, by their number in the utterance; several words may share a part
    and several parts a word."""


class Reader:
    """Reads with a voice's own tokenizer."""

    def __init__(self, tokenizer: Any, *, takes_phonemes: bool) -> None:
        """Keeps the tokenizer.

        Args:
            tokenizer: coqui's `TTSTokenizer` of the voice.
            takes_phonemes: whether its symbols are IPA.
        """
        self._tokenizer = tokenizer
        self._takes_phonemes = takes_phonemes

    def read(self, words: Sequence[SpokenWord], language: str | None) -> list[Part]:
        """The symbols of an utterance, in order.

        Args:
            words: its words.
            language: the model's own name of their language; None if it has one only.

        Raises:
            UnpronounceableTextError: if espeak-ng dies of the text.
            EngineStalledError: if it gives no answer.
        """
        parts: list[Part] = []
        numbered = list(enumerate(words))
        for given, group in groupby(numbered, lambda pair: self._is_given(pair[1])):
            members = list(group)
            if given:
                parts += [Part(_with_marks(word), (index,)) for index, word in members]
            else:
                parts += self._read_together(members, language)
        return parts

    def _is_given(self, word: SpokenWord) -> bool:
        return self._takes_phonemes and bool(word.phonemes)

    def _read_together(
        self, members: list[tuple[int, SpokenWord]], language: str | None
    ) -> list[Part]:
        texts = [word.text for _, word in members]
        symbols = self._symbols(" ".join(texts), language).split()
        groups = aligned([weight(text) for text in texts], [len(part) for part in symbols])
        return [
            Part(part, tuple(members[place][0] for place in group))
            for part, group in zip(symbols, groups, strict=True)
        ]

    def _symbols(self, text: str, language: str | None) -> str:
        # The steps of TTSTokenizer.text_to_ids up to the symbols; it logs the text between them.
        tokenizer = self._tokenizer
        if tokenizer.text_cleaner is not None:
            short = language.split("-")[0] if language else None
            text = tokenizer.text_cleaner(text, lang=short)
        if tokenizer.phonemizer is not None and any(map(str.isalnum, text)):
            text = tokenizer.phonemizer.phonemize(text, separator="", language=language)
        return text

    def ids(self, symbols: str) -> list[int]:
        """The numbers of symbols; those that the voice does not know are left out."""
        characters = self._tokenizer.characters
        found = []
        for symbol in symbols:
            try:
                found.append(int(characters.char_to_id(symbol)))
            except KeyError:
                continue
        return found

    def sequence(self, parts: Sequence[Part]) -> tuple[list[int], list[int]]:
        """The numbers a model is given for parts: with blanks between, a beginning and an end.

        Returns:
            The numbers, and for each of them the place of its part in `parts`, or -1. Both are
            empty if the voice knows none of the symbols.
        """
        numbers: list[int] = []
        places: list[int] = []
        for place, part in enumerate(parts):
            ids = self.ids(part.symbols)
            blank = self.ids(" ") if numbers and ids else []
            numbers += blank + ids
            places += [-1] * len(blank) + [place] * len(ids)
        if not numbers:
            return [], []
        if self._tokenizer.add_blank:
            numbers = list(self._tokenizer.intersperse_blank_char(numbers))
            spread = [-1] * (2 * len(places) + 1)
            spread[1::2] = places
            places = spread
        if self._tokenizer.use_eos_bos:
            numbers = list(self._tokenizer.pad_with_bos_eos(numbers))
            places = [-1, *places, -1]
        return numbers, places


def _with_marks(word: SpokenWord) -> str:
    """Given phonemes with the punctuation that clings to the word."""
    text = word.text
    lead = text[: len(text) - len(text.lstrip(_CLINGING))]
    trail = text[len(text.rstrip(_CLINGING)) :] if lead != text else ""
    return f"{lead}{word.phonemes}{trail}"


def weight(text: str) -> int:
    """About how many symbols a word will have, from its letters; a digit is read as a word."""
    return sum(_DIGIT_SYMBOLS if char.isdigit() else 1 for char in text)


def runs(parts: Sequence[Part], longest: int) -> Iterator[list[Part]]:
    """The parts in runs of at most so many symbols, cut between parts if that can be."""
    run: list[Part] = []
    length = 0
    for part in parts:
        for start in range(0, len(part.symbols), longest):
            piece = Part(part.symbols[start : start + longest], part.words)
            if run and length + len(piece.symbols) > longest:
                yield run
                run, length = [], 0
            run.append(piece)
            length += len(piece.symbols)
    if run:
        yield run


def aligned(words: Sequence[int], parts: Sequence[int]) -> list[tuple[int, ...]]:
    """Which words each part stands for, by their lengths.

    Words and parts are usually one to one. Where they are not, the way is taken on which a part is
    as long, in proportion, as its words: a part may stand for a few words and a word for any
    number of parts.

    Args:
        words: lengths of the words, as `weight` has them.
        parts: lengths of the parts, in symbols.

    Returns:
        For each part the places of its words, in order; never empty.
    """
    if len(words) == len(parts):
        return [(place,) for place in range(len(words))]
    if not words or not parts:
        return [() for _ in parts]
    scale = sum(words) / max(1, sum(parts))
    most_joined = max(_MOST_JOINED, -(-len(words) // len(parts)))
    most_split = max(_MOST_JOINED, -(-len(parts) // len(words)))
    # best[i][j]: cost of the first i words standing against the first j parts, and the last step.
    infinite = float("inf")
    best = [[(infinite, 0, 0)] * (len(parts) + 1) for _ in range(len(words) + 1)]
    best[0][0] = (0.0, 0, 0)
    steps = [(number, 1) for number in range(1, most_joined + 1)]
    steps += [(1, number) for number in range(2, most_split + 1)]
    for i in range(1, len(words) + 1):
        for j in range(1, len(parts) + 1):
            for joined, split in steps:
                if joined > i or split > j or best[i - joined][j - split][0] == infinite:
                    continue
                gap = abs(sum(words[i - joined : i]) - scale * sum(parts[j - split : j]))
                # A step that joins or splits costs a little, so that one to one is preferred.
                cost = best[i - joined][j - split][0] + gap + (joined + split - 2)
                if cost < best[i][j][0]:
                    best[i][j] = (cost, joined, split)
    groups: list[tuple[int, ...]] = []
    i, j = len(words), len(parts)
    while i and j:
        _, joined, split = best[i][j]
        groups[:0] = [tuple(range(i - joined, i))] * split
        i, j = i - joined, j - split
    return groups
