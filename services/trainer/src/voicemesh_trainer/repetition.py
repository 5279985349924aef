"""Notices when a model has begun to repeat itself. Pure."""

from __future__ import annotations

import re

__all__ = ("RepetitionGuard",)

_WORD = re.compile(r"\w+(?:['’]\w+)*")
_LONGEST_PERIOD = 24
_KEPT_WORDS = 4 * _LONGEST_PERIOD

# A word may well be said twice or thrice ("no, no, no"); a sentence hardly.
_TIMES_BY_PERIOD = {1: 6, 2: 4, 3: 4, 4: 3}
_TIMES = 2
_SENTENCE_WORDS = 8


def _times(period: int) -> int:
    return _TIMES_BY_PERIOD.get(period, 3 if period < _SENTENCE_WORDS else _TIMES)


class RepetitionGuard:
    """Tells when the end of a text is one phrase said over and over.

    Small models fall into such loops and never leave them: a word six times in a row, a few words
    three or four times, a phrase of eight or more words twice.
    """

    def __init__(self) -> None:
        self._words: list[str] = []
        self._rest = ""

    def feed(self, text: str) -> bool:
        """Takes the next piece; returns whether the text has become repetitive."""
        text = self._rest + text
        matches = list(_WORD.finditer(text))
        # The last word may go on in the next piece.
        if matches and matches[-1].end() == len(text):
            self._rest = text[matches.pop().start() :]
        else:
            self._rest = ""
        for match in matches:
            self._words.append(match.group().casefold())
            if self._repeats():
                return True
        del self._words[:-_KEPT_WORDS]
        return False

    def _repeats(self) -> bool:
        words = self._words
        for period in range(1, min(_LONGEST_PERIOD, len(words) // 2) + 1):
            needed = period * _times(period)
            if len(words) < needed:
                continue
            end = words[-needed:]
            if all(end[i] == end[i - period] for i in range(period, needed)):
                return True
        return False
