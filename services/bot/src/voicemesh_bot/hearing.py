"""Who is speaking, and which report about their turn is the newest.

Speech recognition numbers everything with (turn, revision). Reports that come late, about a turn
that is over or a revision that was overtaken, are recognised here and dropped.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from voicemesh_bot.domain import Final, SoftFinal, SpeechStarted, TurnResumed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from voicemesh_bot.domain import ListeningEvent

__all__ = ("Hearing", "Utterance")


@dataclass(frozen=True, slots=True)
class Utterance:
    """One turn of one person."""

    speaker: str
    """Who speaks."""

    turn_id: int
    """Which of their turns."""


@dataclass(slots=True)
class _Speaker:
    turn_id: int = 0
    revision: int = 0
    closed_turn_id: int = 0
    talking_since_s: float | None = None
    speculations: int = 0


class Hearing:
    """The open turn of every speaker."""

    def __init__(self) -> None:
        self._speakers: dict[str, _Speaker] = {}

    @property
    def someone_talks(self) -> bool:
        """Whether a voice is heard at this moment."""
        return any(True for _ in self._talking())

    @property
    def talking_since_s(self) -> float | None:
        """When the longest of the voices heard at this moment began."""
        return min(self._talking(), default=None)

    def accept(self, speaker: str, event: ListeningEvent, now_s: float) -> bool:
        """Takes a report in; False if it is stale and to be dropped."""
        state = self._speakers.setdefault(speaker, _Speaker())
        if event.turn_id <= state.closed_turn_id:
            return False
        if (event.turn_id, event.revision) < (state.turn_id, state.revision):
            return False
        if event.turn_id != state.turn_id:
            state.speculations = 0
        state.turn_id, state.revision = event.turn_id, event.revision
        if isinstance(event, SpeechStarted | TurnResumed):
            state.talking_since_s = now_s
        elif isinstance(event, SoftFinal):
            state.talking_since_s = None
        elif isinstance(event, Final):
            state.talking_since_s, state.closed_turn_id = None, event.turn_id
        return True

    def abandon(self, speaker: str) -> int | None:
        """Closes a speaker's turn that will never be finished; its id if one was open."""
        state = self._speakers.get(speaker)
        if state is None or state.turn_id == state.closed_turn_id:
            return None
        state.talking_since_s, state.closed_turn_id = None, state.turn_id
        return state.turn_id

    def may_speculate(self, speaker: str, most: int) -> bool:
        """Whether the turn has had fewer than `most` speculative answers; counts one more."""
        state = self._speakers.setdefault(speaker, _Speaker())
        if state.speculations >= most:
            return False
        state.speculations += 1
        return True

    def _talking(self) -> Iterable[float]:
        return (
            state.talking_since_s
            for state in self._speakers.values()
            if state.talking_since_s is not None
        )
