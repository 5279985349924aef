"""A document of SSML → clauses with their words, pauses and prosody.

The subset and its limits stand in `document`. Spans count the characters of the document as it was
sent, tags and all; the words of a marked text have the span of what stands in its element.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from voicemesh_chassis.errors import InvalidArgumentError
from voicemesh_tts.domain import Clause, Span, SpokenWord
from voicemesh_tts.text.clauses import ClauseLimits, plan
from voicemesh_tts.text.pronunciations import (
    FixedWord,
    FixedWords,
    Pronunciation,
    Pronunciations,
)
from voicemesh_tts.text.reading import read_out
from voicemesh_tts.text.speakable import tidy
from voicemesh_tts.text.ssml.document import MarkedText, Pause, Style, parse
from voicemesh_tts.text.ssml.say_as import said_as
from voicemesh_tts.text.traced import Traced
from voicemesh_tts.text.words import spoken_words

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ("plan_ssml",)

_MARKS = frozenset(".,;:!?…。、！？؟،।\"'”’»)")

_UNSPACED_MARKS = frozenset("。、！？")
"""Those of scripts that put no blank behind them."""


def plan_ssml(
    document: str,
    limits: ClauseLimits,
    language: str,
    pronunciations: Pronunciations | None = None,
) -> list[Clause]:
    """The clauses of a document; none has words if the document has none.

    Args:
        document: XML, one `speak` element.
        limits: where texts are cut.
        language: BCP-47 code of the text, where the document names no other.
        pronunciations: how certain words are to be said; `phoneme`, `sub` and `say-as` go over it.

    Raises:
        InvalidArgumentError: if the document is not of the subset; names line and column.
    """
    planner = _Planner(limits, language, pronunciations or Pronunciations())
    for item in parse(document):
        planner.take(item)
    return planner.finish(len(document))


class _Planner:
    """Puts stretches of one style together and cuts them into clauses."""

    def __init__(self, limits: ClauseLimits, language: str, dictionary: Pronunciations) -> None:
        self._limits = limits
        self._language = language
        self._dictionary = dictionary
        self._fixed = FixedWords()
        self._clauses: list[Clause] = []
        self._texts: list[Traced] = []
        self._style = Style()
        self._breaks_s = self._paragraph_s = 0.0  # silence before the next clause

    def take(self, item: MarkedText | Pause) -> None:
        """Takes the next item of the document."""
        if isinstance(item, Pause):
            self._flush()
            if item.added:
                self._breaks_s += item.seconds
            elif self._clauses:
                self._paragraph_s = max(self._paragraph_s, item.seconds)
            return
        text = item.text if item.mark is None else self._marked(item)
        if item.style != self._style:
            # Marks after the end of an element belong to what stands in it.
            count = _closing_marks(text.text) if self._texts else 0
            if count:
                self._texts.append(text.part(0, count))
                text = text.part(count, len(text.text))
            self._flush()
            self._style = item.style
        self._texts.append(text)

    def finish(self, length: int) -> list[Clause]:
        """All clauses; a pause at the end is one without words."""
        self._flush()
        if self._breaks_s and self._clauses:
            end = Span(length, length)
            self._clauses.append(Clause("", end, (), self._breaks_s))
        return self._clauses

    def _marked(self, item: MarkedText) -> Traced:
        """One character that holds the place of the words of a marked text."""
        mark = item.mark
        assert mark is not None  # noqa: S101 - `take` asks
        text = item.text.part(0, len(item.text.text))
        try:
            words = self._words_of_mark(text, mark.element, mark.attributes)
        except ValueError as error:
            msg = f"the document has {error} (at {mark.place})"
            raise InvalidArgumentError(msg, field="ssml") from error
        span = text.span()
        return Traced(self._fixed.hold(words), [(span.start, span.end)])

    def _words_of_mark(
        self, text: Traced, element: str, attributes: dict[str, str]
    ) -> tuple[FixedWord, ...]:
        if element == "say-as":
            return said_as(text, attributes, self._language_now())
        if element == "phoneme":
            if attributes.get("alphabet", "ipa") != "ipa":
                msg = "<phoneme> with an alphabet other than 'ipa'"
                raise ValueError(msg)
            try:
                return Pronunciation(text.text, phonemes=attributes["ph"]).words(text)
            except ValueError as error:
                msg = f"<phoneme> that cannot be said: {error}"
                raise ValueError(msg) from error
        alias = read_out(tidy(Traced.of(attributes["alias"])), self._language_now())
        words = tuple(
            FixedWord(word.text, text.span()) for word in spoken_words(alias, FixedWords())
        )
        if not words:
            msg = "<sub> with an alias that has no words"
            raise ValueError(msg)
        return words

    def _language_now(self) -> str:
        return self._style.language_code or self._language

    def _flush(self) -> None:
        """Cuts what has been put together into clauses."""
        block = _joined(self._texts)
        self._texts = []
        if block is None:
            return
        limits = replace(self._limits, early=False) if self._clauses else self._limits
        for cut in plan(block.text, limits):
            self._add(block.part(cut.span.start, cut.span.end))

    def _add(self, part: Traced) -> None:
        plain = self._dictionary.applied(tidy(part), self._fixed)
        words = spoken_words(read_out(plain, self._language_now()), self._fixed)
        if words:
            text = "".join(self._shown(character) for character in part.text)
            pause_s = max(self._breaks_s, self._paragraph_s)
            clause = Clause(text, part.span(), words, pause_s, self._style.prosody)
            self._clauses.append(clause)
            self._breaks_s = self._paragraph_s = 0.0
        elif self._clauses and not self._breaks_s and set(part.text) <= _MARKS:
            self._clauses[-1] = _ended(self._clauses[-1], part)

    def _shown(self, character: str) -> str:
        held = self._fixed.held(character)
        return character if held is None else " ".join(word.text for word in held)


def _closing_marks(text: str) -> int:
    """How many marks a text begins with that end what was said before it."""
    count = len(text) - len(text.lstrip("".join(_MARKS)))
    closes = text[count - 1 : count] in _UNSPACED_MARKS or not text[count : count + 1].strip()
    return count if closes else 0


def _joined(texts: Iterable[Traced]) -> Traced | None:
    parts = [text for text in texts if text.text]
    if not any(part.text.strip() for part in parts):
        return None
    return Traced.joined(parts)


def _ended(clause: Clause, marks: Traced) -> Clause:
    """The clause with the marks that stood behind the end of its element."""
    assert clause.words  # noqa: S101 - only clauses with words are kept
    last, end = clause.words[-1], marks.span().end
    word = SpokenWord(last.text + marks.text, Span(last.span.start, end), last.phonemes)
    return replace(
        clause,
        text=clause.text + marks.text,
        span=Span(clause.span.start, end),
        words=(*clause.words[:-1], word),
    )
