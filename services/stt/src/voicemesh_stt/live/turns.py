"""When a turn begins, pauses, goes on and is over: a pure state machine.

Its clock is the audio itself: it counts frames of 32 ms and knows nothing of wall time, so that
the same audio gives the same turns however fast it comes.

    idle ──voice──▶ opening ──min_speech──▶ speaking ◀──voice──┐
      ▲                │ silence               │ silence        │
      └────────────────┘                       ▼                │
      ▲                                   pausing ──soft_stop──▶ stopped
      └──── over ◀── gate passed, finish, end of stream ─────────┘

At a soft stop the words so far are wanted (`SoftStopped`), because the turn may be over. Voice
takes that back (`Resumed`). `judge` says whether what was said sounds complete and thereby how much
silence ends the turn; until then a turn waits as long as an unsure one. The default timings are
those that OpenAI Realtime, LiveKit and Pipecat arrived at.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias

from voicemesh_stt.events import EndReason
from voicemesh_stt.ports import FRAME_S

if TYPE_CHECKING:
    from voicemesh_stt.domain import TurnDetection

__all__ = (
    "SOFT_STOP_S",
    "Decision",
    "Resumed",
    "SoftStopped",
    "TurnMachine",
    "TurnOpened",
    "TurnOver",
    "Verdict",
)

SOFT_STOP_S = 0.096
"""Silence that makes a soft stop unless something else is said, in seconds."""

_OPENING_GAP = 3
"""Silent frames after which a voice that has not opened a turn is forgotten."""
_RESUMING = 2
"""Voiced frames that take a soft stop back; one alone may be a click or a breath."""


class Verdict(StrEnum):
    """What the turn sounds like at a soft stop."""

    COMPLETE = "complete"
    UNSURE = "unsure"
    INCOMPLETE = "incomplete"


@dataclass(frozen=True)
class TurnOpened:
    """A turn began. Frames are numbered from the start of the stream, here and below."""

    turn_id: int
    """Number of the turn, from 1."""
    first_frame: int
    """Where its audio begins, pre-roll included."""
    voice_frame: int
    """Where its voice begins."""


@dataclass(frozen=True)
class SoftStopped:
    """A short silence: the words so far are wanted."""

    turn_id: int
    """Number of the turn."""
    revision: int
    """Number of this soft stop, from 1."""
    first_frame: int
    """Where the audio of the turn begins."""
    end_frame: int
    """The frame after its last so far."""
    voice_end_frame: int
    """The frame after its last voiced one."""


@dataclass(frozen=True)
class Resumed:
    """The voice went on: the soft stop does not hold."""

    turn_id: int
    """Number of the turn."""
    revision: int
    """The soft stop that is taken back."""
    voice_frame: int
    """Where the voice went on."""


@dataclass(frozen=True)
class TurnOver:
    """The turn is over."""

    turn_id: int
    """Number of the turn."""
    revision: int
    """The soft stop whose words are the turn's, or a new number if no soft stop has them."""
    first_frame: int
    """Where the audio of the turn begins."""
    end_frame: int
    """The frame after its last."""
    voice_frame: int
    """Where its voice begins."""
    voice_end_frame: int
    """The frame after its last voiced one."""
    reason: EndReason
    """Why it is over."""


Decision: TypeAlias = TurnOpened | SoftStopped | Resumed | TurnOver
"""What the machine may decide at a frame."""


@dataclass
class _Voice:
    """A voice that has not yet opened a turn."""

    onset: int
    voiced: int = 0
    gap: int = 0


@dataclass
class _Turn:
    """The open turn. Frames are numbered from the start of the stream."""

    turn_id: int
    first: int
    onset: int
    voice_end: int
    revision: int = 0
    silence: int = 0
    resuming: int = 0
    stop_end: int | None = None
    verdict: Verdict | None = None


class TurnMachine:
    """Decides for one stream. Give it every frame in order; it answers with what follows."""

    def __init__(self, detection: TurnDetection) -> None:
        self._start = detection.start_threshold
        self._end = detection.end_threshold
        self._pre_roll = _frames(detection.pre_roll_s)
        self._min_speech = max(1, _frames(detection.min_speech_s))
        self._gates = {
            Verdict.COMPLETE: _frames(detection.complete_silence_s),
            Verdict.UNSURE: _frames(detection.unsure_silence_s),
            Verdict.INCOMPLETE: _frames(detection.incomplete_silence_s),
        }
        self._soft = 1
        self.soft_stop(detection.soft_stop_s or SOFT_STOP_S)
        self._max_turn = _frames(detection.max_turn_s)
        self._now = 0
        self._turns = 0
        self._floor = 0  # the end of the last turn's audio: no word may be heard twice
        self._voice: _Voice | None = None
        self._turn: _Turn | None = None

    def soft_stop(self, seconds: float) -> None:
        """Sets the silence that makes a soft stop, from the next frame on."""
        # A soft stop later than the first gate would never be.
        self._soft = max(1, min(_frames(seconds), self._gates[Verdict.COMPLETE]))

    @property
    def now(self) -> int:
        """Frames seen so far."""
        return self._now

    @property
    def is_open(self) -> bool:
        """Whether a turn is open."""
        return self._turn is not None

    @property
    def is_speaking(self) -> bool:
        """Whether a turn is open and its last frame was voiced."""
        return self._turn is not None and self._turn.silence == 0

    @property
    def awaits_verdict(self) -> bool:
        """Whether the next frames may end the turn, depending on what `judge` is told."""
        turn = self._turn
        return (
            turn is not None
            and turn.stop_end is not None
            and turn.silence >= self._gates[Verdict.COMPLETE] - 1
        )

    @property
    def oldest_needed(self) -> int:
        """The first frame that a turn, open or still to come, may need."""
        if self._turn is not None:
            return self._turn.first
        onset = self._now if self._voice is None else self._voice.onset
        return max(self._floor, onset - self._pre_roll, 0)

    def frame(self, probability: float) -> list[Decision]:
        """What follows from the next frame, which is a voice with that probability."""
        index = self._now
        self._now += 1
        if self._turn is None:
            return self._listen(index, probability)
        turn = self._turn
        # Hysteresis: to stay a voice takes less than to become one.
        voiced = probability >= (self._end if turn.silence == 0 else self._start)
        decisions = self._voiced(turn, index) if voiced else self._silent(turn)
        if self._turn is not None and self._now - turn.first >= self._max_turn:
            decisions.append(self._over(turn, EndReason.MAX_DURATION))
        return decisions

    def judge(self, turn_id: int, revision: int, verdict: Verdict) -> None:
        """Says what a soft stop sounds like; the last word counts; ignored if it was taken back."""
        turn = self._turn
        if turn is None or turn.stop_end is None:
            return
        if (turn.turn_id, turn.revision) == (turn_id, revision):
            turn.verdict = verdict

    def skip(self, frames: int) -> None:
        """Counts further silent frames, so many that no turn is open any more.

        They have no audio, so the pre-roll of the next turn does not reach back over them.

        Raises:
            ValueError: if one is.
        """
        if self._turn is not None:
            msg = "frames of an open turn cannot be skipped"
            raise ValueError(msg)
        self._now += frames
        self._floor = self._now
        self._voice = None

    def finish(self, reason: EndReason) -> list[Decision]:
        """Ends the open turn at the last frame; without one it does nothing."""
        self._voice = None
        return [] if self._turn is None else [self._over(self._turn, reason)]

    def _listen(self, index: int, probability: float) -> list[Decision]:
        if self._voice is None:
            if probability < self._start:
                return []
            self._voice = _Voice(onset=index)
        voice = self._voice
        if probability >= self._end:
            voice.voiced += 1
            voice.gap = 0
        else:
            voice.gap += 1
        if voice.gap >= _OPENING_GAP:
            self._voice = None
        if voice.voiced < self._min_speech or voice.gap > 0:
            return []
        return [self._open(voice)]

    def _open(self, voice: _Voice) -> TurnOpened:
        self._turns += 1
        first = max(self._floor, voice.onset - self._pre_roll, 0)
        self._voice = None
        self._turn = _Turn(self._turns, first, voice.onset, self._now)
        return TurnOpened(self._turns, first, voice.onset)

    def _voiced(self, turn: _Turn, index: int) -> list[Decision]:
        turn.resuming += 1
        if turn.stop_end is not None and turn.resuming < _RESUMING:
            turn.silence += 1
            return []
        resumed = turn.stop_end is not None
        turn.silence = turn.resuming = 0
        turn.voice_end = self._now
        turn.stop_end = turn.verdict = None
        if not resumed:
            return []
        return [Resumed(turn.turn_id, turn.revision, index - _RESUMING + 1)]

    def _silent(self, turn: _Turn) -> list[Decision]:
        turn.silence += 1
        turn.resuming = 0
        decisions: list[Decision] = []
        if turn.stop_end is None and turn.silence >= self._soft:
            decisions.append(self._stop(turn))
        if turn.silence >= self._gates[turn.verdict or Verdict.UNSURE]:
            decisions.append(self._over(turn, EndReason.SILENCE))
        return decisions

    def _stop(self, turn: _Turn) -> SoftStopped:
        turn.revision += 1
        turn.stop_end = self._now
        turn.verdict = None
        return SoftStopped(turn.turn_id, turn.revision, turn.first, self._now, turn.voice_end)

    def _over(self, turn: _Turn, reason: EndReason) -> TurnOver:
        end = turn.stop_end
        if end is None:  # cut in the middle of a voice: words that no soft stop has
            turn.revision += 1
            end = self._now
        self._floor = end
        self._turn = None
        return TurnOver(
            turn.turn_id,
            turn.revision,
            turn.first,
            end,
            turn.onset,
            turn.voice_end,
            reason,
        )


def _frames(seconds: float) -> int:
    """The least whole number of frames that last `seconds`."""
    return math.ceil(round(seconds / FRAME_S, 6))
