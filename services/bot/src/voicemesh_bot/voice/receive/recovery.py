"""What to do when nobody can be understood any more, and when the connection is lost. Pure rules.

discord.py 2.7.1 answers a damaged commit, and nothing else: frames that fail to decrypt it never
sees. The numbers are discord.js's (36 failures in a row, its `DaveSession`); that a few frames fail
after each change of the group is usual, and no reason to do anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from voicemesh_bot.voice.receive.ports import FrameRefusal

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = (
    "ClosedFor",
    "DecryptionWatch",
    "RecoveryOptions",
    "RecoveryStep",
    "Rejoining",
    "why_closed",
)


class RecoveryStep(StrEnum):
    """What is to be done about frames that cannot be decrypted."""

    NONE = "none"
    """Nothing."""
    REINITIALISE = "reinitialise"
    """Leave the group and ask to be added again (voice opcode 31)."""
    RECONNECT = "reconnect"
    """Connect anew."""


@dataclass(frozen=True, slots=True)
class RecoveryOptions:
    """When a voice connection is taken for broken."""

    most_failures: int = 36
    """Frames of one person that fail in a row before anything is done: 0.7 s of speech."""

    unready_s: float = 8.0
    """Time in which people speak and there is still no group."""

    settle_s: float = 10.0
    """Time that a recovery is given before the next step."""

    longest_settle_s: float = 300.0
    """Bound of that time, which doubles with each step in vain."""

    stalled_s: float = 6.0
    """Time without a connection after which it is made anew, whatever is being tried. A resume by
    discord.py would wait for half a minute, and then give up."""

    first_retry_s: float = 0.5
    """Pause after a connection that could not be made; doubles each time."""

    longest_retry_s: float = 30.0
    """Bound of that pause."""

    most_retries: int = 10
    """Connections in a row that may fail before the channel is left."""

    stable_s: float = 5.0
    """Time that a connection must last; one that is lost sooner counts among those that failed,
    only that the first such loss is mended at once."""


class DecryptionWatch:
    """Decides from frames that fail and frames that do not; belongs to one connection."""

    def __init__(self, options: RecoveryOptions) -> None:
        """Begin without failures."""
        self._options = options
        self._failures: dict[int, int] = {}
        self._hopeless: set[int] = set()  # until the group changes
        self._unready_since_s: float | None = None
        self._opened_since_step = False
        self._steps = 0
        self._troubled: set[int] = set()  # for whom the last step was taken; empty for all
        self._quiet_until_s = float("-inf")

    def failed(self, user_id: int, refusal: FrameRefusal, now_s: float) -> None:
        """A fresh frame of somebody could not be decrypted."""
        if refusal is FrameRefusal.NOT_READY:
            if self._unready_since_s is None:
                self._unready_since_s = now_s
        elif refusal is not FrameRefusal.UNENCRYPTED:  # their doing, which nothing here mends
            self._failures[user_id] = self._failures.get(user_id, 0) + 1

    def opened(self, user_id: int) -> None:
        """A frame of somebody could be decrypted."""
        self._unready_since_s = None
        self._opened_since_step = True
        self._failures.pop(user_id, None)
        if not self._troubled or user_id in self._troubled:
            self._steps = 0

    def group_changed(self) -> None:
        """A transition was executed: whoever failed before may not any more."""
        self._failures.clear()
        self._hopeless.clear()
        self._unready_since_s = None

    def forget(self, user_id: int) -> None:
        """Somebody has left."""
        self._failures.pop(user_id, None)
        self._hopeless.discard(user_id)

    def is_alarmed(self, now_s: float) -> bool:
        """Whether `step` might ask for something."""
        if now_s < self._quiet_until_s:
            return False
        return self._is_unready(now_s) or bool(self._broken())

    def step(
        self, now_s: float, *, transition_pending: bool, can_reinitialise: bool
    ) -> RecoveryStep:
        """What to do now; the same is not asked for again until it had time to help.

        Args:
            now_s: the time, by the clock of the other calls.
            transition_pending: whether the group is about to change.
            can_reinitialise: whether a transition has been seen that could be called damaged.
        """
        if not self.is_alarmed(now_s):
            return RecoveryStep.NONE
        if transition_pending and not self._is_unready(now_s):
            return RecoveryStep.NONE
        broken = self._broken()
        if self._steps and self._opened_since_step and not self._is_unready(now_s):
            # Others are understood: connecting anew would cost them words, and mend nothing.
            self._hopeless |= broken
            return RecoveryStep.NONE
        step = (
            RecoveryStep.REINITIALISE
            if can_reinitialise and not self._steps
            else RecoveryStep.RECONNECT
        )
        settle_s = self._options.settle_s * 2 ** min(self._steps, 10)
        self._quiet_until_s = now_s + min(settle_s, self._options.longest_settle_s)
        self._steps += 1
        self._troubled = broken
        self._failures.clear()
        self._unready_since_s = None
        self._opened_since_step = False
        return step

    def _broken(self) -> set[int]:
        most = self._options.most_failures
        return {each for each, n in self._failures.items() if n >= most} - self._hopeless

    def _is_unready(self, now_s: float) -> bool:
        since_s = self._unready_since_s
        return since_s is not None and now_s - since_s >= self._options.unready_s


@dataclass(frozen=True, slots=True)
class ClosedFor:
    """Why Discord closed a voice connection, and whether to come back."""

    comes_back: bool
    """Whether connecting anew can help and is welcome."""

    sentence: str
    """What to tell people."""


_UNKNOWN = ClosedFor(comes_back=True, sentence="The voice connection was lost.")
_MISUNDERSTOOD = ClosedFor(
    comes_back=False,
    sentence="Discord's voice server did not understand the bot; it has left the channel.",
)
_CLOSED_FOR: Mapping[int, ClosedFor] = {
    4001: _MISUNDERSTOOD,
    4002: _MISUNDERSTOOD,
    4012: _MISUNDERSTOOD,
    4016: _MISUNDERSTOOD,
    4020: _MISUNDERSTOOD,
    4006: ClosedFor(comes_back=True, sentence="The voice session was no longer valid."),
    4009: ClosedFor(comes_back=True, sentence="The voice session timed out."),
    4014: ClosedFor(
        comes_back=False, sentence="The bot was disconnected from the voice channel by Discord."
    ),
    4015: ClosedFor(comes_back=True, sentence="Discord's voice server crashed."),
    4017: ClosedFor(
        comes_back=False,
        sentence="Discord wants end-to-end encryption, which this bot could not offer.",
    ),
    4021: ClosedFor(
        comes_back=False,
        sentence="Discord limits how often the bot may join; it can be called back in a while.",
    ),
    4022: ClosedFor(comes_back=False, sentence="The call was ended for everybody."),
}


def why_closed(code: int | None) -> ClosedFor:
    """What a close code of the voice gateway means.

    Args:
        code: the code; None if the connection broke without one.

    The codes are those of Discord's documentation, "Voice Close Event Codes", and two that only
    discord.py's source names.
    """
    return _UNKNOWN if code is None else _CLOSED_FOR.get(code, _UNKNOWN)


class Rejoining:
    """When to connect anew after a loss, and when to give up."""

    def __init__(self, options: RecoveryOptions, now_s: float) -> None:
        """Begin with a connection that was made at `now_s`."""
        self._options = options
        self._connected_since_s: float | None = now_s
        self._lost_since_s = now_s
        self._failures = 0
        self._next_s = float("-inf")

    def connected(self, now_s: float) -> None:
        """There is a connection."""
        if self._connected_since_s is None:
            self._connected_since_s = now_s

    def lost(self, now_s: float) -> None:
        """There is none; may be said again and again, until there is."""
        if self._connected_since_s is None:
            return
        if now_s - self._connected_since_s >= self._options.stable_s:
            self._failures = 0
        else:
            self._next_s = now_s + (self._pause_s(self._failures - 1) if self._failures else 0.0)
            self._failures += 1
        self._connected_since_s = None
        self._lost_since_s = now_s

    def failed(self, now_s: float) -> None:
        """A new connection could not be made."""
        self._next_s = now_s + self._pause_s(self._failures)
        self._failures += 1

    def _pause_s(self, failures: int) -> float:
        longest_s = self._options.longest_retry_s
        return min(self._options.first_retry_s * (1 << min(failures, 10)), longest_s)

    def is_due(self, now_s: float, *, given_up: bool) -> bool:
        """Whether to connect anew now; ask while there is no connection.

        Args:
            now_s: the time.
            given_up: whether the library does nothing about it, or nothing that helps, so that
                there is nothing to wait for.
        """
        waited = given_up or now_s - self._lost_since_s >= self._options.stalled_s
        return waited and now_s >= self._next_s

    @property
    def is_hopeless(self) -> bool:
        """Whether it has been tried often enough."""
        return self._failures >= self._options.most_retries
