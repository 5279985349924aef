"""What is in memory, and what must go: loads, uses, idleness, failures and loads that hang.

Pure and single-threaded; `shelf` does what it decides. Times are seconds on any clock that does not
run backwards.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, auto
from typing import TypeAlias

__all__ = ("Answer", "Failed", "Full", "Life", "Load", "Ready", "ShelfLimits", "Stuck", "Wait")


@dataclass(frozen=True)
class ShelfLimits:
    """How many things are in memory, and for how long."""

    most_loaded: int = 8
    """Most that are loaded or being loaded at once. Loads that were given up do not count."""
    idle_timeout_s: float = 900.0
    """How long what is loaded may be out of use, in seconds; 0 means for ever."""
    load_timeout_s: float = 60.0
    """Longest time that a call waits for a load, in seconds; the load goes on."""
    load_deadline_s: float = 600.0
    """Longest time that a load may take, in seconds; then it is given up, and its thread left."""
    most_hanging: int = 4
    """Loads that were given up and still hang, at a time; with so many, no other is begun."""
    retry_pause_s: float = 5.0
    """How long a failed load is not tried again, in seconds."""


@dataclass(frozen=True)
class Ready:
    """It is loaded."""


@dataclass(frozen=True)
class Wait:
    """It is being loaded already."""


@dataclass(frozen=True)
class Load:
    """It must be loaded now, by whoever got this answer."""

    evicted: str | None = None
    """What must be unloaded before; it counts as unloaded already."""


@dataclass(frozen=True)
class Full:
    """There is no room, and nothing that could go."""


@dataclass(frozen=True)
class Failed:
    """Loading failed so short a time ago that it is not tried again."""

    error: Exception
    """What went wrong then."""


@dataclass(frozen=True)
class Stuck:
    """So many loads hang that no other is begun."""


Answer: TypeAlias = Ready | Wait | Load | Full | Failed | Stuck
"""What a call that wants something is to do."""


class _Phase(Enum):
    ABSENT = auto()
    LOADING = auto()
    LOADED = auto()


@dataclass
class _One:
    """The life of one."""

    phase: _Phase = _Phase.ABSENT
    uses: int = 0
    """Calls that use it or wait for it."""
    used_s: float = 0.0
    """When the last use, or the load, was over."""
    error: Exception | None = None
    failed_s: float = 0.0


@dataclass
class Life:
    """The lives of all, by name."""

    limits: ShelfLimits
    """How many, and for how long."""
    kept: frozenset[str]
    """Names of what is never unloaded once it is loaded."""
    hanging: int = 0
    """Loads that were given up and have not ended."""
    _lives: dict[str, _One] = field(default_factory=dict)

    def ask(self, name: str, now_s: float) -> Answer:
        """What a call that wants it is to do.

        `Ready`, `Wait` and `Load` count as a use, which the caller must `drop` in the end, whether
        it came to it or not. After `Load` it must report `loaded`, `failed` or `given_up`.
        """
        one = self._lives.setdefault(name, _One())
        answer = self._answer(one, now_s)
        if isinstance(answer, Load):
            one.phase = _Phase.LOADING
            if answer.evicted is not None:
                self._lives[answer.evicted].phase = _Phase.ABSENT
        if isinstance(answer, Ready | Wait | Load):
            one.uses += 1
        return answer

    def drop(self, name: str, now_s: float) -> None:
        """A use that `ask` counted is over."""
        one = self._lives[name]
        one.uses -= 1
        one.used_s = now_s

    def loaded(self, name: str, now_s: float) -> None:
        """It is in memory."""
        one = self._lives[name]
        one.phase, one.error, one.used_s = _Phase.LOADED, None, now_s

    def failed(self, name: str, error: Exception, now_s: float) -> None:
        """It could not be loaded. It is absent, and may be asked for again after a pause."""
        one = self._lives[name]
        one.phase, one.error, one.failed_s = _Phase.ABSENT, error, now_s

    def given_up(self, name: str, error: Exception, now_s: float) -> None:
        """Its load hangs, and is waited for no more; as after `failed`, it is absent."""
        self.failed(name, error, now_s)
        self.hanging += 1

    def ended(self) -> None:
        """A load that was given up has ended after all."""
        self.hanging -= 1

    def adopt(self, name: str, now_s: float) -> bool:
        """Says whether what came of a load that was given up has a place; it then is loaded."""
        if self._lives[name].phase is not _Phase.ABSENT or not self._has_room():
            return False
        self.loaded(name, now_s)
        return True

    def is_absent(self, name: str) -> bool:
        """Whether it is neither loaded nor being loaded."""
        one = self._lives.get(name)
        return one is None or one.phase is _Phase.ABSENT

    def take(self, name: str) -> bool:
        """Says whether it is loaded and nobody uses it; it then counts as unloaded."""
        one = self._lives.get(name)
        if one is None or one.phase is not _Phase.LOADED or one.uses:
            return False
        one.phase = _Phase.ABSENT
        return True

    def take_idle(self, now_s: float) -> list[str]:
        """What has been out of use for too long; it counts as unloaded from now on."""
        idle = [name for name in self._idle() if self._due_s(name) <= now_s]
        for name in idle:
            self._lives[name].phase = _Phase.ABSENT
        return idle

    def next_idle_s(self) -> float | None:
        """When `take_idle` will find something unless it is used before; None for never."""
        return min((self._due_s(name) for name in self._idle()), default=None)

    def _answer(self, one: _One, now_s: float) -> Answer:
        if one.phase is _Phase.LOADED:
            return Ready()
        if one.phase is _Phase.LOADING:
            return Wait()
        if one.error is not None and now_s < one.failed_s + self.limits.retry_pause_s:
            return Failed(one.error)
        if self.hanging >= self.limits.most_hanging:
            return Stuck()
        if self._has_room():
            return Load()
        spare = self._spare()
        if not spare:
            return Full()
        return Load(evicted=min(spare, key=lambda name: self._lives[name].used_s))

    def _has_room(self) -> bool:
        present = sum(each.phase is not _Phase.ABSENT for each in self._lives.values())
        return present < self.limits.most_loaded

    def _spare(self) -> list[str]:
        """What could be unloaded now."""
        return [
            name
            for name, one in self._lives.items()
            if one.phase is _Phase.LOADED and not one.uses and name not in self.kept
        ]

    def _idle(self) -> list[str]:
        return self._spare() if self.limits.idle_timeout_s else []

    def _due_s(self, name: str) -> float:
        return self._lives[name].used_s + self.limits.idle_timeout_s
