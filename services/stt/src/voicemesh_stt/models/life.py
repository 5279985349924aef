"""Which models are in memory, and which must go: loads, uses, idleness and failures.

Pure and single-threaded; `shelf` does what it decides. Times are seconds on any clock that does not
run backwards.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, auto
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from voicemesh_stt.errors import ModelLoadError

__all__ = ("Answer", "Failed", "Full", "Load", "ModelLife", "ModelLimits", "Ready", "Wait")


@dataclass(frozen=True)
class ModelLimits:
    """How many models, and for how long."""

    most_loaded: int
    """Most models that are loaded or being loaded at once."""
    idle_timeout_s: float
    """How long a loaded model may be out of use, in seconds; 0 means for ever."""
    retry_pause_s: float = 5.0
    """How long a failed load is not tried again, in seconds."""


@dataclass(frozen=True)
class Ready:
    """The model is loaded."""


@dataclass(frozen=True)
class Wait:
    """The model is being loaded already."""


@dataclass(frozen=True)
class Load:
    """The model must be loaded now, by whoever got this answer."""

    evicted: str | None = None
    """The model that must be unloaded before; it counts as unloaded already."""


@dataclass(frozen=True)
class Full:
    """There is no room, and nothing that could go."""


@dataclass(frozen=True)
class Failed:
    """Loading failed so short a time ago that it is not tried again."""

    error: ModelLoadError
    """What went wrong then."""


Answer: TypeAlias = Ready | Wait | Load | Full | Failed
"""What a call that wants a model is to do."""


class _Phase(Enum):
    ABSENT = auto()
    LOADING = auto()
    LOADED = auto()


@dataclass
class _Life:
    """One model."""

    phase: _Phase = _Phase.ABSENT
    uses: int = 0
    """Calls that use it or wait for it."""
    used_s: float = 0.0
    """When the last use, or the load, was over."""
    error: ModelLoadError | None = None
    failed_s: float = 0.0


@dataclass
class ModelLife:
    """The lives of all models, by name."""

    limits: ModelLimits
    """How many, and for how long."""
    kept: frozenset[str]
    """Models that are never unloaded once they are loaded."""
    _lives: dict[str, _Life] = field(default_factory=dict)

    def ask(self, name: str, now_s: float) -> Answer:
        """What a call that wants the model is to do.

        `Ready`, `Wait` and `Load` count as a use, which the caller must `drop` in the end, whether
        it came to the model or not. After `Load` it must report `loaded` or `failed`.
        """
        life = self._lives.setdefault(name, _Life())
        answer = self._answer(life, now_s)
        if isinstance(answer, Load):
            life.phase = _Phase.LOADING
            if answer.evicted is not None:
                self._lives[answer.evicted].phase = _Phase.ABSENT
        if isinstance(answer, Ready | Wait | Load):
            life.uses += 1
        return answer

    def drop(self, name: str, now_s: float) -> None:
        """A use that `ask` counted is over."""
        life = self._lives[name]
        life.uses -= 1
        life.used_s = now_s

    def loaded(self, name: str, now_s: float) -> None:
        """The model is in memory."""
        life = self._lives[name]
        life.phase, life.error, life.used_s = _Phase.LOADED, None, now_s

    def failed(self, name: str, error: ModelLoadError, now_s: float) -> None:
        """The model could not be loaded. It is absent, and may be asked for again after a pause."""
        life = self._lives[name]
        life.phase, life.error, life.failed_s = _Phase.ABSENT, error, now_s

    def take_idle(self, now_s: float) -> list[str]:
        """Models that have been out of use for too long; they count as unloaded from now on."""
        idle = [name for name in self._idle() if self._due_s(name) <= now_s]
        for name in idle:
            self._lives[name].phase = _Phase.ABSENT
        return idle

    def next_idle_s(self) -> float | None:
        """When `take_idle` will find something unless it is used before; None for never."""
        return min((self._due_s(name) for name in self._idle()), default=None)

    def _answer(self, life: _Life, now_s: float) -> Answer:
        if life.phase is _Phase.LOADED:
            return Ready()
        if life.phase is _Phase.LOADING:
            return Wait()
        if life.error is not None and now_s < life.failed_s + self.limits.retry_pause_s:
            return Failed(life.error)
        present = sum(each.phase is not _Phase.ABSENT for each in self._lives.values())
        if present < self.limits.most_loaded:
            return Load()
        spare = self._spare()
        if not spare:
            return Full()
        return Load(evicted=min(spare, key=lambda name: self._lives[name].used_s))

    def _spare(self) -> list[str]:
        """Models that could be unloaded now."""
        return [
            name
            for name, life in self._lives.items()
            if life.phase is _Phase.LOADED and not life.uses and name not in self.kept
        ]

    def _idle(self) -> list[str]:
        return self._spare() if self.limits.idle_timeout_s else []

    def _due_s(self, name: str) -> float:
        return self._lives[name].used_s + self.limits.idle_timeout_s
