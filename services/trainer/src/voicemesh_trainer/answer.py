"""What of a model's text becomes the answer that callers see. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from voicemesh_trainer.stops import StopFilter

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ("AnswerText",)

_HIGH_SURROGATES = range(0xD800, 0xDC00)


class AnswerText:
    """Joins the pieces of one answer: no leading space, no stop sequence, whole code points.

    A provider may cut the escaped form of one character into two pieces, of which each half alone
    is no text; the first half waits for the second.
    """

    def __init__(self, stop_sequences: Sequence[str]) -> None:
        self._stops = StopFilter(stop_sequences)
        self._begun = False
        self._half = ""

    @property
    def stopped(self) -> bool:
        """Whether a stop sequence has come: the answer is complete."""
        return self._stops.stopped

    def feed(self, piece: str) -> str:
        """Takes the model's next piece; returns the next words, which may be none."""
        text = self._half + piece
        self._half = ""
        if text and ord(text[-1]) in _HIGH_SURROGATES:
            text, self._half = text[:-1], text[-1]
        return self._shown(self._stops.feed(_whole(text)))

    def finish(self) -> str:
        """Returns the last words: the model has ended."""
        return self._shown(self._stops.finish())

    def _shown(self, text: str) -> str:
        if not self._begun:
            text = text.lstrip()
            self._begun = bool(text)
        return text


def _whole(text: str) -> str:
    """Joins surrogate pairs; a half without its other becomes U+FFFD."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
