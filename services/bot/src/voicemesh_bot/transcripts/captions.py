"""Live captions: which lines stand in which message, and when a message is to be written again.

Pure: words and a clock in, edits out. Only words that will not change are shown. A line is one
turn; it stays where it began and grows in place, and a message that is full is followed by the
next. Edits are spaced, because Discord allows about one a second in a channel, so what came
meanwhile goes into one edit.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ("CaptionEdit", "CaptionOptions", "Captions")

_SPECIAL = re.compile(r"([\\*_~`|<>\[@])")
"""What Discord might take for markup, a link or a mention; inside of a line, as all of this is."""

_LONGEST_NAME = 32
_PIECE = 400
"""Most characters of a piece of a line, with its name; a longer turn goes on in further pieces."""


@dataclass(frozen=True, slots=True)
class CaptionOptions:
    """How captions are shown."""

    interval_s: float = 1.2
    """Shortest time between two edits, in seconds."""

    page_characters: int = 1900
    """Most characters of a message; Discord takes 2,000."""

    pages: int = 3
    """Messages that may still change; a line in an older one stays as it is."""

    def __post_init__(self) -> None:
        if not 0.0 <= self.interval_s <= 60.0:
            msg = "interval_s is between 0 and 60 seconds"
            raise ValueError(msg)
        if not _PIECE <= self.page_characters <= 2000:
            msg = f"page_characters is between {_PIECE} and 2000"
            raise ValueError(msg)
        if not 1 <= self.pages <= 10:
            msg = "pages is between 1 and 10"
            raise ValueError(msg)


@dataclass(frozen=True, slots=True)
class CaptionEdit:
    """A message to write."""

    page: int
    """Number of the message, from 1; one that is not there (any more) is to be sent anew."""

    content: str
    """All of it, in Discord's Markdown; empty: nothing is left of it, so delete it."""


@dataclass(slots=True)
class _Piece:
    """A part of a line that stands in one message."""

    page: int
    content: str
    closed: bool = False


@dataclass(slots=True)
class _Line:
    """A turn."""

    name: str
    revision: int
    pieces: list[_Piece] = field(default_factory=list)


@dataclass(slots=True)
class _Page:
    """A message."""

    pieces: list[_Piece] = field(default_factory=list)
    shown: str = ""
    shown_s: float = float("-inf")

    @property
    def content(self) -> str:
        return "\n".join(piece.content for piece in self.pieces if piece.content)

    @property
    def characters(self) -> int:
        """Of the message, with room for what may still grow."""
        lengths = (len(piece.content) if piece.closed else _PIECE for piece in self.pieces)
        return sum(length + 1 for length in lengths)


class Captions:
    """The captions of one channel."""

    def __init__(self, options: CaptionOptions | None = None) -> None:
        self._options = options or CaptionOptions()
        self._lines: dict[tuple[str, int], _Line] = {}
        self._pages: dict[int, _Page] = {}
        self._last_page = 0
        self._free_s = float("-inf")

    def note_words(self, speaker: str, name: str, turn_id: int, revision: int, stable: str) -> None:
        """Shows what is certain of a turn that goes on.

        Args:
            speaker: who, as a key that stays the same.
            name: what they are called.
            turn_id: their turn.
            revision: of the turn; what is older than was noted before is dropped.
            stable: all words so far that will not change.
        """
        self._note((speaker, turn_id), name, revision, stable, final=False)

    def note_final(self, speaker: str, name: str, turn_id: int, text: str) -> None:
        """Shows all words of a turn, in place of what was certain before; blank: it was noise."""
        if text.strip():
            self._note((speaker, turn_id), name, 0, text, final=True)
        else:
            self.drop(speaker, turn_id)

    def drop(self, speaker: str, turn_id: int) -> None:
        """Takes back what was shown of a turn, which was noise or of one not heard any more."""
        if (line := self._lines.pop((speaker, turn_id), None)) is not None:
            self._write(line, [], final=True)

    def due_s(self) -> float | None:
        """When `take` has something to do, by its clock; None while all is shown."""
        return self._free_s if self._dirty() else None

    def take(self, now_s: float) -> CaptionEdit | None:
        """The next message to write; None if there is none, or it is too soon for one.

        Args:
            now_s: seconds of a clock that never goes back.
        """
        if now_s < self._free_s:
            return None
        dirty = self._dirty()
        if not dirty:
            return None
        # In turn, so that none waits for ever while a long turn grows in another.
        number = min(dirty, key=lambda number: (dirty[number].shown_s, number))
        page = dirty[number]
        page.shown, page.shown_s = page.content, now_s
        self._free_s = now_s + self._options.interval_s
        self._forget_old_pages()
        return CaptionEdit(number, page.shown)

    def _note(
        self, key: tuple[str, int], name: str, revision: int, text: str, *, final: bool
    ) -> None:
        line = self._lines.get(key)
        if line is None:
            if not text.strip():
                return
            self._close_others(*key)
            line = self._lines[key] = _Line(name, revision)
        elif not final and revision < line.revision:
            return
        line.revision = revision
        self._write(line, list(_pieces(line.name, text)), final=final)
        if final:
            del self._lines[key]

    def _close_others(self, speaker: str, turn_id: int) -> None:
        """Turns of a person do not overlap: what is open of an earlier one will not be finished."""
        for key in [key for key in self._lines if key[0] == speaker and key[1] != turn_id]:
            for piece in self._lines.pop(key).pieces:
                piece.closed = True

    def _write(self, line: _Line, contents: list[str], *, final: bool) -> None:
        """Puts the pieces of a line into messages; those that are there stay where they are."""
        for index, content in enumerate(contents):
            if index == len(line.pieces):
                line.pieces.append(self._place())
            line.pieces[index].content = content
        for index, piece in enumerate(line.pieces):
            if index >= len(contents):
                piece.content = ""
            # Only the last piece of a line grows, unless the final words are others.
            piece.closed = final

    def _place(self) -> _Piece:
        """A new piece, in the last message if it has room."""
        page = self._pages.get(self._last_page)
        if page is None or page.characters + _PIECE > self._options.page_characters:
            self._last_page += 1
            page = self._pages[self._last_page] = _Page()
            self._forget_old_pages()
        piece = _Piece(self._last_page, "")
        page.pieces.append(piece)
        return piece

    def _dirty(self) -> dict[int, _Page]:
        return {n: page for n, page in self._pages.items() if page.content != page.shown}

    def _forget_old_pages(self) -> None:
        """Gives up messages that are too old to change; one that was never shown waits for that."""
        oldest = self._last_page - self._options.pages + 1
        for number in [number for number in self._pages if number < oldest]:
            if number not in self._dirty():
                del self._pages[number]


def _pieces(name: str, text: str) -> Iterator[str]:
    """A line as it is shown: the name in bold, then words; cut where it is too long."""
    head = f"**{_escaped(' '.join(name.split())[:_LONGEST_NAME])}:**"
    row = head
    for word in _words(text, (_PIECE - len(head) - 1) // 2):
        if len(row) + 1 + len(word) > _PIECE:
            yield row
            row = head
        row = f"{row} {word}"
    if row != head:
        yield row


def _words(text: str, longest: int) -> Iterator[str]:
    """The words, escaped; of scripts without spaces, in parts that fit."""
    for word in text.split():
        for start in range(0, len(word), longest):
            yield _escaped(word[start : start + longest])


def _escaped(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", text)
