"""Who is speaking, and which report about their turn is the newest.

Speech recognition numbers everything with (turn, revision). Reports that come late, about a turn
that is over or a revision that was overtaken, are recognised here and dropped.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from voicemesh_bot.domain import Final, Partial, SoftFinal, SpeechStarted, TurnResumed

if TYPE_CHECKING:
    from collections.abc import Container, Iterable

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
    began_s: float = 0.0
    talking_since_s: float | None = None
    quiet_since_s: float = 0.0
    harmless: bool = False
    speculations: int = 0


class Hearing:
    """The open turn of every speaker."""

    def __init__(self) -> None:
        self._speakers: dict[str, _Speaker] = {}

    def talking_since_s(self, *, besides: Container[str] = ()) -> float | None:
        """When the longest of the voices heard at this moment was noticed, some left out."""
        counted = (speaker for speaker in self._speakers if speaker not in besides)
        return self.talks_since_s(counted)

    def talks_since_s(self, speakers: Iterable[str]) -> float | None:
        """When the longest of these people's voices heard at this moment was noticed."""
        return min(self._talking(speakers), default=None)

    def accept(self, speaker: str, event: ListeningEvent, now_s: float) -> bool:
        """Takes a report in; False if it is stale and to be dropped."""
        state = self._speakers.setdefault(speaker, _Speaker())
        if event.turn_id <= state.closed_turn_id:
            return False
        if (event.turn_id, event.revision) < (state.turn_id, state.revision):
            return False
        if event.turn_id != state.turn_id:
            state.speculations, state.began_s, state.harmless = 0, now_s, False
        state.turn_id, state.revision = event.turn_id, event.revision
        if isinstance(event, SpeechStarted | TurnResumed):
            state.talking_since_s, state.harmless = now_s, False
        elif not isinstance(event, Partial):
            self._fall_silent(state, event, now_s)
        return True

    def began_s(self, speaker: str) -> float:
        """When a speaker's newest turn was noticed."""
        return self._speakers[speaker].began_s

    def quiet_since_s(self, speaker: str) -> float:
        """When a speaker who does not talk fell silent, as far as is known."""
        state = self._speakers.get(speaker)
        return 0.0 if state is None else state.quiet_since_s

    def is_open(self, speaker: str) -> bool:
        """Whether a speaker's turn may still turn out to be for the bot."""
        state = self._speakers.get(speaker)
        return state is not None and state.turn_id != state.closed_turn_id and not state.harmless

    def note_harmless(self, speaker: str) -> None:
        """Notes that the words of a turn, as they are now, are not for the bot."""
        self._speakers[speaker].harmless = True

    def abandon(self, speaker: str, now_s: float) -> int | None:
        """Closes a speaker's turn that will never be finished; its id if one was open."""
        state = self._speakers.get(speaker)
        if state is None or state.turn_id == state.closed_turn_id:
            return None
        if state.talking_since_s is not None:
            state.talking_since_s, state.quiet_since_s = None, now_s
        state.closed_turn_id = state.turn_id
        return state.turn_id

    def may_speculate(self, speaker: str, most: int) -> bool:
        """Whether the turn has had fewer than `most` speculative answers; counts one more."""
        state = self._speakers.setdefault(speaker, _Speaker())
        if state.speculations >= most:
            return False
        state.speculations += 1
        return True

    def _fall_silent(self, state: _Speaker, event: SoftFinal | Final, now_s: float) -> None:
        if state.talking_since_s is not None:
            since_s = event.latency_s if isinstance(event, Final) else 0.0
            state.quiet_since_s = max(state.talking_since_s, now_s - max(0.0, since_s))
        state.talking_since_s = None
        if isinstance(event, Final):
            state.closed_turn_id = event.turn_id

    def _talking(self, speakers: Iterable[str]) -> Iterable[float]:
        for speaker in speakers:
            state = self._speakers.get(speaker)
            if state is not None and state.talking_since_s is not None:
                yield state.talking_since_s
