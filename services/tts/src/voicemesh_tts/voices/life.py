"""Which voices are in memory, and which must go: loads, uses, idleness and failures.

Pure and single-threaded; `shelf` does what it decides. Times are seconds on any clock that does not
run backwards.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, auto
from typing import TypeAlias

__all__ = ("Answer", "Failed", "Full", "Load", "Ready", "VoiceLife", "VoiceLimits", "Wait")


@dataclass(frozen=True)
class VoiceLimits:
    """How many voices, and for how long."""

    most_loaded: int = 8
    """Most voices that are loaded or being loaded at once."""

    idle_timeout_s: float = 900.0
    """How long a loaded voice may be out of use, in seconds; 0 means for ever."""

    load_timeout_s: float = 60.0
    """Longest time that a call waits for its voice, in seconds; the load goes on."""

    retry_pause_s: float = 5.0
    """How long a failed load is not tried again, in seconds."""


@dataclass(frozen=True)
class Ready:
    """The voice is loaded."""


@dataclass(frozen=True)
class Wait:
    """The voice is being loaded already."""


@dataclass(frozen=True)
class Load:
    """The voice must be loaded now, by whoever got this answer."""

    evicted: str | None = None
    """The voice that must be unloaded before; it counts as unloaded already."""


@dataclass(frozen=True)
class Full:
    """There is no room, and nothing that could go."""


@dataclass(frozen=True)
class Failed:
    """Loading failed so short a time ago that it is not tried again."""


Answer: TypeAlias = Ready | Wait | Load | Full | Failed
"""What a call that wants a voice is to do."""


class _Phase(Enum):
    ABSENT = auto()
    LOADING = auto()
    LOADED = auto()


@dataclass
class _Life:
    """One voice."""

    phase: _Phase = _Phase.ABSENT
    uses: int = 0
    """Calls that use it or wait for it."""
    used_s: float = 0.0
    """When the last use, or the load, was over."""
    failed_s: float | None = None


@dataclass
class VoiceLife:
    """The lives of all voices, by id."""

    limits: VoiceLimits
    """How many, and for how long."""
    kept: frozenset[str]
    """Voices that are never unloaded once they are loaded."""
    _lives: dict[str, _Life] = field(default_factory=dict)

    def ask(self, voice: str, now_s: float) -> Answer:
        """What a call that wants the voice is to do.

        `Ready`, `Wait` and `Load` count as a use, which the caller must `drop` in the end, whether
        it came to the voice or not. After `Load` it must report `loaded` or `failed`.
        """
        life = self._lives.setdefault(voice, _Life())
        answer = self._answer(life, now_s)
        if isinstance(answer, Load):
            life.phase = _Phase.LOADING
            if answer.evicted is not None:
                self._lives[answer.evicted].phase = _Phase.ABSENT
        if isinstance(answer, Ready | Wait | Load):
            life.uses += 1
        return answer

    def drop(self, voice: str, now_s: float) -> None:
        """A use that `ask` counted is over."""
        life = self._lives[voice]
        life.uses -= 1
        life.used_s = now_s

    def loaded(self, voice: str, now_s: float) -> None:
        """The voice is in memory."""
        life = self._lives[voice]
        life.phase, life.failed_s, life.used_s = _Phase.LOADED, None, now_s

    def failed(self, voice: str, now_s: float) -> None:
        """The voice could not be loaded. It is absent, and may be asked for again after a pause."""
        life = self._lives[voice]
        life.phase, life.failed_s = _Phase.ABSENT, now_s

    def take(self, voice: str) -> bool:
        """Says whether the voice is loaded and nobody uses it; it then counts as unloaded."""
        life = self._lives.get(voice)
        if life is None or life.phase is not _Phase.LOADED or life.uses:
            return False
        life.phase = _Phase.ABSENT
        return True

    def take_idle(self, now_s: float) -> list[str]:
        """Voices that have been out of use for too long; they count as unloaded from now on."""
        idle = [voice for voice in self._idle() if self._due_s(voice) <= now_s]
        for voice in idle:
            self._lives[voice].phase = _Phase.ABSENT
        return idle

    def next_idle_s(self) -> float | None:
        """When `take_idle` will find something unless it is used before; None for never."""
        return min((self._due_s(voice) for voice in self._idle()), default=None)

    def _answer(self, life: _Life, now_s: float) -> Answer:
        if life.phase is _Phase.LOADED:
            return Ready()
        if life.phase is _Phase.LOADING:
            return Wait()
        if life.failed_s is not None and now_s < life.failed_s + self.limits.retry_pause_s:
            return Failed()
        present = sum(each.phase is not _Phase.ABSENT for each in self._lives.values())
        if present < self.limits.most_loaded:
            return Load()
        spare = self._spare()
        if not spare:
            return Full()
        return Load(evicted=min(spare, key=lambda voice: self._lives[voice].used_s))

    def _spare(self) -> list[str]:
        """Voices that could be unloaded now."""
        return [
            voice
            for voice, life in self._lives.items()
            if life.phase is _Phase.LOADED and not life.uses and voice not in self.kept
        ]

    def _idle(self) -> list[str]:
        return self._spare() if self.limits.idle_timeout_s else []

    def _due_s(self, voice: str) -> float:
        return self._lives[voice].used_s + self.limits.idle_timeout_s
