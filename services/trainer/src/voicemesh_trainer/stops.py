"""Ends a text before a stop sequence, also when it arrives in pieces. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ("StopFilter",)


class StopFilter:
    """Passes text on up to the first stop sequence; never passes on a part of one.

    Text that may be the beginning of a stop sequence is held back until the next piece decides.
    """

    def __init__(self, sequences: Sequence[str]) -> None:
        self._sequences = tuple(sequence for sequence in sequences if sequence)
        self._held = ""
        self._stopped = False

    @property
    def stopped(self) -> bool:
        """Whether a stop sequence has come; nothing is passed on after it."""
        return self._stopped

    def feed(self, text: str) -> str:
        """Takes the next piece and returns what can be passed on of all that came so far."""
        if self._stopped:
            return ""
        text = self._held + text
        found = [at for at in (text.find(stop) for stop in self._sequences) if at >= 0]
        if found:
            self._stopped = True
            self._held = ""
            return text[: min(found)]
        held = self._undecided(text)
        self._held = text[len(text) - held :]
        return text[: len(text) - held]

    def finish(self) -> str:
        """Returns what was held back: the text has ended, so it was no stop sequence."""
        held, self._held = self._held, ""
        return held

    def _undecided(self, text: str) -> int:
        """Length of the longest end of `text` that begins a stop sequence."""
        longest = max((len(stop) - 1 for stop in self._sequences), default=0)
        for length in range(min(longest, len(text)), 0, -1):
            end = text[-length:]
            if any(stop.startswith(end) for stop in self._sequences):
                return length
        return 0
