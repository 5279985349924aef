"""A text under revision that knows which characters of the input each of its own stands for.

Rules rewrite it by regular expressions: "42" becomes "forty-two" and both letters and blanks of
that remember the two characters they came from. At the end every word says where it was written.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from voicemesh_tts.domain import Span

__all__ = ("Part", "Replacement", "Rewriting", "Rule", "Said", "Traced")


@dataclass(frozen=True)
class Said:
    """Words in the place of one group of a match."""

    text: str
    """The words."""

    group: int | str
    """The group that they stand for."""


Part: TypeAlias = str | int | slice | Said
"""A literal, a group that is kept, a stretch of the text that is kept, or words for a group."""

Replacement: TypeAlias = str | Sequence[Part]
"""Parts in the order of the text. A literal stands for what lies between those beside it."""

Rewriting: TypeAlias = Replacement | Callable[[re.Match[str]], Replacement | None]
"""What a match becomes; a function may return None to leave it as it is."""

Rule: TypeAlias = tuple[re.Pattern[str], Rewriting]
"""What is looked for, and what it becomes."""


class Traced:
    """Never changed; rewriting gives a new one.

    Attributes:
        text: the text as it is now.
    """

    def __init__(self, text: str, spans: Sequence[tuple[int, int]]) -> None:
        """Takes a text and, for each character, the first and last place it stands for."""
        self.text = text
        self._spans = spans

    @classmethod
    def of(cls, text: str, start: int = 0) -> Traced:
        """A text as it stands in the input from `start` on."""
        return cls(text, [(start + place, start + place + 1) for place in range(len(text))])

    @classmethod
    def joined(cls, parts: Sequence[Traced]) -> Traced:
        """Texts that stand one after another in the input."""
        return cls("".join(part.text for part in parts), [s for part in parts for s in part._spans])

    def part(self, start: int, end: int) -> Traced:
        """The characters from `start` to `end`, without blanks around them."""
        start, end = _trimmed(self.text, start, end)
        return Traced(self.text[start:end], self._spans[start:end])

    def span(self, start: int = 0, end: int | None = None) -> Span:
        """What the characters from `start` to `end` stand for; there must be one."""
        spans = self._spans[start:end]
        return Span(spans[0][0], max(last for _, last in spans))

    def rewritten(self, rules: Sequence[Rule]) -> Traced:
        """The text after all rules, one after the other."""
        traced = self
        for pattern, rewriting in rules:
            traced = traced.sub(pattern, rewriting)
        return traced

    def sub(self, pattern: re.Pattern[str], rewriting: Rewriting) -> Traced:
        """The text with every match of the pattern replaced."""
        texts: list[str] = []
        spans: list[tuple[int, int]] = []
        done = 0
        for match in pattern.finditer(self.text):
            replacement = rewriting(match) if callable(rewriting) else rewriting
            if replacement is None:
                continue
            texts.append(self.text[done : match.start()])
            spans += self._spans[done : match.start()]
            done = match.end()
            parts = (replacement,) if isinstance(replacement, str) else replacement
            for text, origins in self._replaced(match, parts):
                texts.append(text)
                spans += origins
        if not done:
            return self
        texts.append(self.text[done:])
        spans += self._spans[done:]
        return Traced("".join(texts), spans)

    def replaced(self, literals: Sequence[tuple[int, int, str]]) -> Traced:
        """The text with literals put in, each as `(start, end, literal)`, in order."""
        texts: list[str] = []
        spans: list[tuple[int, int]] = []
        done = 0
        for start, end, literal in literals:
            texts += self.text[done:start], literal
            spans += self._spans[done:start]
            spans += [self._origin(start, end)] * len(literal)
            done = end
        return Traced("".join(texts) + self.text[done:], [*spans, *self._spans[done:]])

    def words(self) -> Iterator[tuple[str, Span]]:
        """The words between blanks, each with all that it stands for."""
        for match in _WORD.finditer(self.text):
            yield match.group(), self.span(*match.span())

    def _replaced(
        self, match: re.Match[str], parts: Sequence[Part]
    ) -> Iterator[tuple[str, Sequence[tuple[int, int]]]]:
        places = [_place(match, part) for part in parts]
        left = match.start()
        for number, (part, place) in enumerate(zip(parts, places, strict=True)):
            if place is None:
                following = (later for later in places[number + 1 :] if later and later[0] >= 0)
                right = next(following, (match.end(), 0))[0]
                text = str(part)
                yield text, [self._origin(left, right)] * len(text)
                continue
            start, end = place
            if start < 0:
                continue  # a group that took no part in the match
            left = end
            if isinstance(part, Said):
                yield part.text, [self._origin(start, end)] * len(part.text)
            else:
                yield self.text[start:end], self._spans[start:end]

    def _origin(self, start: int, end: int) -> tuple[int, int]:
        start, end = _trimmed(self.text, start, end)
        if start < end:
            span = self.span(start, end)
            return span.start, span.end
        # Something put between two characters stands for nothing of its own.
        place = self._spans[start - 1][1] if start else self._spans[0][0]
        return place, place


_WORD = re.compile(r"\S+")


def _place(match: re.Match[str], part: Part) -> tuple[int, int] | None:
    if isinstance(part, Said):
        return match.span(part.group)
    if isinstance(part, int):
        return match.span(part)
    if isinstance(part, slice):
        return part.start, part.stop
    return None


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return start, end
