"""From the text of a clause to the words that are said, each with the characters it stands for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from voicemesh_tts.domain import Span, SpokenWord
from voicemesh_tts.text.pronunciations import FixedWords, Pronunciations
from voicemesh_tts.text.reading import read_out
from voicemesh_tts.text.speakable import speakable
from voicemesh_tts.text.traced import Traced

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ("spoken_words", "words_of")


def words_of(
    text: str, start: int, language: str, pronunciations: Pronunciations | None = None
) -> tuple[SpokenWord, ...]:
    """The words of a clause as they are to be said; none if it has nothing that can be said.

    Markup goes, the dictionary's words are put in, and what the language has words for (numbers,
    dates, sums, addresses, signs) is written out in them. Pure but for the first text of a
    language, which reads files; see `reading.prepare`.

    Args:
        text: the clause as it was written.
        start: where it stands in the input, in characters.
        language: BCP-47 code of its language; empty leaves numbers and the like to the engine.
        pronunciations: how certain words are to be said.
    """
    fixed = FixedWords()
    plain = speakable(Traced.of(text, start))
    if pronunciations:
        plain = pronunciations.applied(plain, fixed)
    return spoken_words(read_out(plain, language), fixed)


def spoken_words(text: Traced, fixed: FixedWords) -> tuple[SpokenWord, ...]:
    """The words of a text that has been read out, with the fixed ones in their places."""
    words = tuple(_in_order(word for token in text.words() for word in _of_token(*token, fixed)))
    # Marks alone, such as "...", are no words.
    return words if any(map(_has_sound, words)) else ()


def _of_token(token: str, span: Span, fixed: FixedWords) -> Iterator[SpokenWord]:
    """The words of what stands between two blanks; marks cling to the word before them."""
    words: list[SpokenWord] = []
    front = ""
    for character in token:
        held = fixed.held(character)
        if held is not None:
            for number, word in enumerate(held):
                text = front + word.text if number == 0 else word.text
                words.append(SpokenWord(text, word.span, word.phonemes))
            front = ""
        elif words:
            last = words[-1]
            words[-1] = SpokenWord(last.text + character, last.span, last.phonemes)
        else:
            front += character
    if not words:
        yield SpokenWord(token, span)
        return
    first, last = words[0], words[-1]
    words[0] = SpokenWord(first.text, Span(span.start, first.span.end), first.phonemes)
    end = max(span.end, last.span.end)
    last = words[-1]
    words[-1] = SpokenWord(last.text, Span(last.span.start, end), last.phonemes)
    yield from words


def _in_order(words: Iterator[SpokenWord]) -> Iterator[SpokenWord]:
    """The words with marks that stand alone put to their neighbours: no word is without sound."""
    last: SpokenWord | None = None
    for word in words:
        if last is None:
            last = word
        elif _has_sound(last) and _has_sound(word):
            yield last
            last = word
        else:
            span = Span(last.span.start, max(last.span.end, word.span.end))
            last = SpokenWord(last.text + word.text, span, last.phonemes or word.phonemes)
    if last is not None:
        yield last


def _has_sound(word: SpokenWord) -> bool:
    return bool(word.phonemes) or _is_said(word.text)


def _is_said(text: str) -> bool:
    return any(map(str.isalnum, text))
