"""The clause planner: text as it is written → clauses to be spoken, each as early as it can be.

The first clause is short, because the listener waits for it; the later ones are whole sentences,
because those sound better and there is time. The rules are of the field: first clause at the first
mark after ten letters or after eight words, later ones of at least 20 characters.

A pure machine: no clock, no I/O. The clauses depend only on the characters, flushes and cancels,
not on how the text was cut on its way.
"""

from __future__ import annotations

from dataclasses import dataclass

from voicemesh_tts.boundaries import Boundary, Break, boundary_at, ends_in_abbreviation
from voicemesh_tts.domain import Clause, Span
from voicemesh_tts.graphemes import safe_cut

__all__ = ("ClauseLimits", "ClausePlanner", "plan")

_FENCE = "```"


@dataclass(frozen=True)
class ClauseLimits:
    """Where the planner cuts."""

    first_letters: int = 10
    """Letters and digits after which the first clause may end at any mark."""

    first_words: int = 8
    """Words after which the first clause ends without a mark."""

    min_chars: int = 20
    """Least length of the other clauses, in characters."""

    max_chars: int = 250
    """Greatest length of a clause, in characters."""

    early: bool = True
    """Whether the first clause is cut early at all."""


def plan(text: str, limits: ClauseLimits) -> list[Clause]:
    """The clauses of a finished text."""
    planner = ClausePlanner(limits)
    return [*planner.feed(text), *planner.flush()]


class ClausePlanner:
    """Holds what has been written and not yet handed out.

    Attributes:
        position: how many characters have been fed.
    """

    def __init__(self, limits: ClauseLimits) -> None:
        self.position = 0
        self._limits = limits
        self._text = ""  # what is not handed out; `_start` is the place of its first character
        self._start = 0
        self._scanned = 0
        self._words = 0
        self._first = limits.early
        self._fenced = False

    def feed(self, text: str) -> list[Clause]:
        """Takes the next characters, cut anywhere; returns the clauses that are complete now."""
        self.position += len(text)
        self._text += text
        return self._scan(final=False)

    def flush(self) -> list[Clause]:
        """Returns all that is left; what is fed next begins anew, early clause and all."""
        clauses = self._scan(final=True)
        if not self._fenced:
            clauses += self._cut(len(self._text))
        self._first = self._limits.early
        return clauses

    def cancel(self) -> None:
        """Forgets all that is left; places go on counting."""
        self._drop(len(self._text))
        self._fenced = False
        self._first = self._limits.early

    def _scan(self, *, final: bool) -> list[Clause]:
        clauses: list[Clause] = []
        while self._scanned < len(self._text):
            if self._fenced:
                if not self._leave_fence():
                    break
                continue
            if self._text[0].isspace():
                self._drop(len(self._text) - len(self._text.lstrip()))
                continue
            cut = self._cut_at(self._scanned, final=final)
            if cut is None:
                break
            if cut:
                clauses += self._cut(cut)
            else:
                self._scanned += 1
        return clauses

    def _cut_at(self, place: int, *, final: bool) -> int | None:
        """Where to cut, judged at `place`; 0 is nowhere, None is not known yet."""
        if place >= self._limits.max_chars:
            return self._forced_cut()
        if self._text[place] == "`" and self._at_line_start(place):
            if place + len(_FENCE) > len(self._text) and not final:
                return None
            if self._text.startswith(_FENCE, place):
                return self._enter_fence(place)
        boundary = boundary_at(self._text, place)
        if boundary.kind is Break.UNDECIDED:
            if not final:
                return None
            boundary = Boundary(Break.NONE)
        if boundary.kind is not Break.NONE and self._may_end(boundary):
            return boundary.end
        return self._word_cut(place)

    def _may_end(self, boundary: Boundary) -> bool:
        clause = self._text[: boundary.end]
        if self._first:
            return sum(map(str.isalnum, clause)) >= self._limits.first_letters
        return boundary.kind is Break.SENTENCE and len(clause) >= self._limits.min_chars

    def _word_cut(self, place: int) -> int:
        if not (
            self._first and self._text[place].isspace() and not self._text[place - 1].isspace()
        ):
            return 0
        self._words += 1
        if self._words < self._limits.first_words or ends_in_abbreviation(self._text[:place]):
            return 0
        return place

    def _forced_cut(self) -> int:
        """The best place in a text that has grown too long: a mark, a blank, or between letters."""
        limit = self._limits.max_chars
        for place in range(limit - 1, limit // 2, -1):
            boundary = boundary_at(self._text, place)
            if boundary.kind in (Break.PAUSE, Break.SENTENCE) and boundary.end <= limit:
                return boundary.end
        for place in range(limit, limit // 3, -1):
            if self._text[place].isspace():
                return place
        return safe_cut(self._text, limit)

    def _at_line_start(self, place: int) -> bool:
        return not self._text[:place].rpartition("\n")[2].strip()

    def _enter_fence(self, place: int) -> int:
        """Ends the clause before a block of code, or, if there is none, goes into the block."""
        if place:
            return place
        self._fenced = True
        self._drop(len(_FENCE))
        return 0

    def _leave_fence(self) -> bool:
        """Drops code up to its end; returns whether the end has been found."""
        end = self._text.find(_FENCE)
        if end < 0:
            self._drop(max(0, len(self._text) - len(_FENCE) + 1))
            return False
        self._drop(end + len(_FENCE))
        self._fenced = False
        return True

    def _cut(self, end: int) -> list[Clause]:
        text = self._text[:end].rstrip()
        span = Span(self._start, self._start + len(text))
        self._drop(end)
        if not text:
            return []
        self._first = False
        return [Clause(text, span)]

    def _drop(self, count: int) -> None:
        self._text = self._text[count:]
        self._start += count
        self._scanned = 0
        self._words = 0
