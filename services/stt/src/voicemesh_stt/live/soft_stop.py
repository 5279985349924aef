"""How soon a silence makes a soft stop, by how long words take.

Words should be there about when the earliest gate is. Fast recognition allows waiting a little, and
so fewer starts in vain; slow recognition begins at the first silent frame. Pure.
"""

from __future__ import annotations

from voicemesh_stt.live.turns import SOFT_STOP_S
from voicemesh_stt.ports import FRAME_S

__all__ = ("SoftStopPacing",)

_WORDS_BY_S = 0.25
"""When words should be there, in seconds of silence."""
_FIRST_GUESS_S = 0.15
_SMOOTHING = 0.2


class SoftStopPacing:
    """What one service's streams have learned together."""

    def __init__(self) -> None:
        self._words_s = _FIRST_GUESS_S

    @property
    def soft_stop_s(self) -> float:
        """The silence that makes a soft stop, from 0.032 to 0.096 s."""
        return min(max(_WORDS_BY_S - self._words_s, FRAME_S), SOFT_STOP_S)

    def words_took(self, seconds: float) -> None:
        """The words of a soft stop were there so long after it."""
        self._words_s += _SMOOTHING * (seconds - self._words_s)
