"""Notices, while it is written, that an answer is one which people called wrong. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from voicemesh_trainer.memory.questions import normalised

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ("AvoidanceGuard",)


class AvoidanceGuard:
    """Holds the beginning of an answer back for as long as it may become one to avoid.

    Args:
        avoided: the answers to avoid; without any nothing is held back.
    """

    def __init__(self, avoided: Sequence[str]) -> None:
        self._avoided = [normalised(answer) for answer in avoided]
        self._held = ""
        self._free = not self._avoided

    def feed(self, words: str) -> str:
        """Takes the next words of the answer; returns what may be shown, which may be nothing."""
        if self._free:
            return words
        self._held += words
        written = normalised(self._held)
        # The last word may not be whole yet.
        if any(answer.startswith(written) for answer in self._avoided):
            return ""
        self._free = True
        return self._release()

    def finish(self) -> str:
        """The answer is complete: what is held is shown, unless `is_avoided`."""
        return "" if self.is_avoided else self._release()

    @property
    def is_avoided(self) -> bool:
        """Whether all that was written is an answer to avoid."""
        return not self._free and normalised(self._held) in self._avoided

    def _release(self) -> str:
        held, self._held = self._held, ""
        return held
