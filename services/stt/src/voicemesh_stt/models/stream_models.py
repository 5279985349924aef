"""The small models that streams use, whatever their speech model: voice activity, end of turn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from voicemesh_chassis.errors import UnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable

    from voicemesh_stt.ports import EndOfTurnModel, VoiceDetector

__all__ = ("StreamModels",)


class StreamModels:
    """Empty until the start has loaded something."""

    def __init__(self) -> None:
        self._new_detector: Callable[[], VoiceDetector] | None = None
        self._end_of_turn: EndOfTurnModel | None = None

    def place(
        self, new_detector: Callable[[], VoiceDetector], end_of_turn: EndOfTurnModel | None
    ) -> None:
        """Puts in what makes voice detectors, and what judges the end of turns, if there is one."""
        self._new_detector = new_detector
        self._end_of_turn = end_of_turn

    def detector(self) -> VoiceDetector:
        """A voice detector for one stream.

        Raises:
            UnavailableError: if nothing is loaded yet.
        """
        if self._new_detector is None:
            msg = "no voice detector is loaded yet"
            raise UnavailableError(msg)
        return self._new_detector()

    def end_of_turn(self) -> EndOfTurnModel | None:
        """What judges the end of turns, for all streams; None if timing alone decides."""
        return self._end_of_turn
