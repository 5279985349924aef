"""The clause planner: text as it is written → clauses to be spoken, each as early as it can be.

The first clause is short, because the listener waits for it; the later ones are whole sentences,
because those sound better and there is time. The rules are of the field: first clause at the first
mark after ten letters or, if none comes, after eight words; later ones of at least 20 characters.

A cut without a mark is heard, so it is made only when the text has really been waiting for its mark
(`lull`), or when it is half as long again and no mark is in sight; and then between phrases
(`phrasing`).

A pure machine: no clock, no I/O. The clauses depend only on the characters, flushes, cancels and
lulls, not on how the text was cut on its way.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from voicemesh_tts.domain import Clause, Span
from voicemesh_tts.text.atoms import atom_end
from voicemesh_tts.text.boundaries import Boundary, Break, boundary_at, ends_in_abbreviation
from voicemesh_tts.text.graphemes import safe_cut
from voicemesh_tts.text.phrasing import Joint, best_joint

__all__ = ("ClauseLimits", "ClausePlanner", "plan")

_FENCES = ("```", "~~~")
_BEFORE_CODE = re.compile(r"\s*(?:(?:[-*+>]|\d{1,9}[.)])\s*)*")
"""What a line may have before a block of code: marks of lists and quotations."""
_LANGUAGE_CHARS = 40
"""Longest name of the language of a block of code that begins within a line, with its line end."""
_PART_OF_LANGUAGE = re.compile(r"[\w+#.-]*[ \t\r]*")
_CODE_LANGUAGE = re.compile(_PART_OF_LANGUAGE.pattern + r"\n")
_LETTERS_A_WORD = 3
"""How many letters of a script without blanks count as a word."""

_MARK_DUE_S = 0.015
"""How long a first clause that is long enough waits for a mark that may be on its way, in seconds:
what a caller sends at once may come in several messages."""

_END_DUE_S = 0.25
"""The same if it has a mark, of which the next character would tell whether it ends anything."""

_MARK_WITHIN = 1.5
"""How much longer than need be a first clause may become for the sake of a mark that is there. With
Piper on two cores each word of it takes 1 to 1.5 ms until the first sound."""

_STOPPED = re.compile(r"[^\W\d][.!?…]+[\"'”’)\]]*$")
"""A text that looks like the end of a sentence, not of half a number."""

_KANA_TO_KANJI = re.compile("[\u3041-\u309f][\u30a0-\u30ff\u3400-\u9fff]")
"""Where a Japanese phrase ends: particles and endings are in hiragana, what follows is not."""


@dataclass(frozen=True)
class ClauseLimits:
    """Where the planner cuts."""

    first_letters: int = 10
    """Letters and digits after which the first clause may end at any mark."""

    first_words: int = 8
    """Words after which the first clause may end without a mark."""

    min_chars: int = 20
    """Least length of the other clauses, in characters."""

    max_chars: int = 250
    """Greatest length of a clause, in characters; only a link or an address may be longer."""

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

    Args:
        limits: where to cut.
        language_code: BCP-47 code of the text's language; empty if it is not known.
    """

    def __init__(self, limits: ClauseLimits, language_code: str = "") -> None:
        self.position = 0
        self._limits = limits
        self._language_code = language_code
        self._text = ""  # what is not handed out; `_start` is the place of its first character
        self._start = 0
        self._scanned = 0
        self._joints: list[Joint] = []  # where the clause could be cut without a mark
        self._ripe = False  # whether it is long enough for that
        self._atoms: list[tuple[int, int]] = []  # what has been met that may not be cut
        self._first = limits.early
        self._fence = ""  # what ends the block of code that the text is in

    def feed(self, text: str) -> list[Clause]:
        """Takes the next characters, cut anywhere; returns the clauses that are complete now."""
        self.position += len(text)
        self._text += text
        return self._scan(final=False)

    @property
    def patience_s(self) -> float | None:
        """How long the first clause waits before `lull` may cut it, in seconds; None is for ever.

        Counted from when this was no longer None.
        """
        if not self._ripe:
            return None
        return _END_DUE_S if self._scanned < len(self._text) else _MARK_DUE_S

    def lull(self) -> list[Clause]:
        """The first clause, if it is long enough and has waited for its end in vain."""
        if not self._ripe:
            return []
        if self._looks_ended():
            return self._cut(len(self._text))
        cut = self._joint_cut(len(self._text))
        return self._cut(cut) + self._scan(final=False) if cut else []

    def flush(self) -> list[Clause]:
        """Returns all that is left; what is fed next begins anew, early clause and all."""
        clauses = self._scan(final=True)
        if not self._fence:
            clauses += self._cut(len(self._text))
        self._first = self._limits.early
        return clauses

    def cancel(self) -> None:
        """Forgets all that is left; places go on counting."""
        self._drop(len(self._text))
        self._fence = ""
        self._first = self._limits.early

    def _scan(self, *, final: bool) -> list[Clause]:
        clauses: list[Clause] = []
        while self._scanned < len(self._text):
            if self._fence:
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
                continue
            if not self._fence and not self._advance(final=final):
                break
        return clauses

    def _advance(self, *, final: bool) -> bool:
        """Goes past the next character or what must stay whole; False if that is not known yet."""
        end = atom_end(self._text, self._scanned, final=final)
        if end is None:
            return False
        if end > self._scanned:
            self._atoms.append((self._scanned, end))
        self._scanned = max(end, self._scanned + 1)
        return True

    def _cut_at(self, place: int, *, final: bool) -> int | None:
        """Where to cut, judged at `place`; 0 is nowhere, None is not known yet."""
        if place >= self._limits.max_chars:
            return self._forced_cut()
        if self._text[place] in "`~":
            begins = self._begins_code(place, final=final)
            if begins is None:
                return None
            if begins:
                return self._enter_fence(place)
        boundary = boundary_at(self._text, place)
        if boundary.kind is Break.UNDECIDED:
            if not final:
                return None
            boundary = Boundary(Break.NONE)
        if boundary.kind is not Break.NONE and self._may_end(boundary):
            return boundary.end
        self._meet_joint(place)
        return self._late_cut(place) if self._ripe else 0

    def _may_end(self, boundary: Boundary) -> bool:
        clause = self._text[: boundary.end]
        if self._first:
            return sum(map(str.isalnum, clause)) >= self._limits.first_letters
        return boundary.kind is Break.SENTENCE and len(clause) >= self._limits.min_chars

    def _meet_joint(self, place: int) -> None:
        """Notes where a first clause could be cut without a mark."""
        if not (self._first and place):
            return
        if self._text[place].isspace() and not self._text[place - 1].isspace():
            words = len(self._joints) + 1
        elif _KANA_TO_KANJI.match(self._text, place - 1):
            # Japanese has no blanks to count words by; its phrases show by their script.
            words = sum(map(str.isalnum, self._text[:place])) // _LETTERS_A_WORD
        else:
            return
        self._joints.append(Joint(place, words))
        self._ripe = self._ripe or words >= self._limits.first_words

    def _late_cut(self, place: int) -> int:
        """A cut without a mark, of a text that has none in sight."""
        words = self._joints[-1].words
        if self._joints[-1].place != place or words < _MARK_WITHIN * self._limits.first_words:
            return 0
        return self._joint_cut(place + 1)

    def _looks_ended(self) -> bool:
        """Whether what has arrived ends in a mark of which only the next character is missing."""
        found = _STOPPED.search(self._text)
        if found is None or ends_in_abbreviation(self._text):
            return False
        return found.start() < self._scanned < len(self._text)

    def _joint_cut(self, end: int) -> int:
        """The best joint, given the text to `end`; 0 if each tears something and there is time."""
        least = self._limits.first_words // 2
        joints = [
            joint
            for joint in self._joints
            if joint.words >= least and not ends_in_abbreviation(self._text[: joint.place])
        ]
        if not joints:
            return 0
        joint, whole = best_joint(self._text[:end], joints, self._language_code)
        late = self._joints[-1].words >= 2 * self._limits.first_words
        return joint.place if whole or late else 0

    def _forced_cut(self) -> int:
        """The best place in a text that has grown too long: a mark, a blank, or between letters."""
        limit = self._limits.max_chars
        for start, end in self._atoms:
            if start < limit < end:
                if not start:
                    return end
                limit = start
        for place in range(limit - 1, limit // 2, -1):
            boundary = boundary_at(self._text, place)
            whole = boundary.end <= limit and not self._tears(boundary.end)
            if boundary.kind in (Break.PAUSE, Break.SENTENCE) and whole:
                return boundary.end
        blanks = [
            place
            for place in range(limit // 3 + 1, limit + 1)
            if self._text[place].isspace() and not self._tears(place)
        ]
        if blanks:
            joints = [Joint(place, words) for words, place in enumerate(blanks)]
            return best_joint(self._text[: limit + 1], joints, self._language_code)[0].place
        return limit if limit < self._limits.max_chars else safe_cut(self._text, limit)

    def _tears(self, place: int) -> bool:
        return any(start < place < end for start, end in self._atoms)

    def _begins_code(self, place: int, *, final: bool) -> bool | None:
        """Whether a block of code begins here; None if that is not known yet.

        After words, it takes a language and the end of the line: else it is code in a sentence.
        """
        begun = self._text[place : place + len(_FENCES[0])]
        if len(begun) < len(_FENCES[0]) and not final and any(f.startswith(begun) for f in _FENCES):
            return None
        if begun not in _FENCES:
            return False
        line = self._text[:place].rpartition("\n")[2]
        if _BEFORE_CODE.fullmatch(line):
            return True
        if begun != _FENCES[0] or begun in line:
            return False
        rest = self._text[place + len(begun) : place + len(begun) + _LANGUAGE_CHARS]
        if _CODE_LANGUAGE.match(rest):
            return True
        known = final or not _PART_OF_LANGUAGE.fullmatch(rest)
        return False if known or len(rest) == _LANGUAGE_CHARS else None

    def _enter_fence(self, place: int) -> int:
        """Ends the clause before a block of code, or, if there is none, goes into the block."""
        if place:
            return place
        self._fence = self._text[: len(_FENCES[0])]
        self._drop(len(self._fence))
        return 0

    def _leave_fence(self) -> bool:
        """Drops code up to its end; returns whether the end has been found."""
        fence = self._fence
        end = self._text.find(fence)
        if end < 0:
            self._drop(max(0, len(self._text) - len(fence) + 1))
            return False
        self._drop(end + len(fence))
        self._fence = ""
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
        self._joints = []
        self._ripe = False
        self._atoms = []
