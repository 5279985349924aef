"""When each program is started, restarted and stopped: a pure state machine with its own clock.

Until all programs have been ready once, the end of any of them ends everything with status 1: a
setting or a model is wrong, and trying again would only hide it. After that a program that ends is
started again, later each time. Stopping goes backwards: a program is asked to stop once none that
needs it runs any more, and killed if that takes too long or the person asks twice.

    WAITING ─ start ─> STARTING ─ ready ─> READY ─ exit ─> PAUSED ─ tick ─> STARTING
                          └── exit, too slow ──────────────> PAUSED
    any of them ─ stop ─> STOPPING ─ exit ─> STOPPED
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING

from voicemesh_launcher.actions import (
    Action,
    AllReady,
    Died,
    Kill,
    Ready,
    Start,
    Stopped,
    Stopping,
    Terminate,
    TooSlow,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ("Planned", "Policy", "Supervision")


@dataclass(frozen=True)
class Planned:
    """A program to supervise."""

    name: str
    """Its name."""

    needs: tuple[str, ...] = ()
    """Programs that must be ready before it is started, all planned before it."""


@dataclass(frozen=True)
class Policy:
    """How patient the supervision is; all times in seconds."""

    start_s: float = 120.0
    """From the start of a program to its being ready; models may have to be verified."""

    stop_s: float = 20.0
    """From asking a program to stop to killing it."""

    first_pause_s: float = 1.0
    """Before the first restart; doubled with each that follows."""

    longest_pause_s: float = 30.0
    """Bound of that doubling."""

    steady_s: float = 60.0
    """A program that was ready for this long starts with the first pause again."""


class _State(Enum):
    WAITING = auto()
    STARTING = auto()
    READY = auto()
    PAUSED = auto()
    STOPPING = auto()
    STOPPED = auto()


_RUNNING = frozenset({_State.STARTING, _State.READY, _State.STOPPING})


@dataclass
class _Child:
    plan: Planned
    state: _State = _State.WAITING
    since: float = 0.0
    deadline: float | None = None
    pause_s: float = 0.0
    was_ready: bool = False
    killed: bool = False

    def enter(self, state: _State, now: float, limit_s: float | None = None) -> None:
        self.state, self.since = state, now
        self.deadline = None if limit_s is None else now + limit_s


class Supervision:
    """Decides what happens to the programs; every method takes the time and returns what to do.

    `now` is in seconds on any clock that does not go back.
    """

    def __init__(self, plans: Sequence[Planned], policy: Policy | None = None) -> None:
        self._children = {plan.name: _Child(plan) for plan in plans}
        self._policy = policy or Policy()
        self._all_were_ready = False
        self._is_stopping = False
        self._status = 0

    @property
    def outcome(self) -> int | None:
        """The exit status once everything has stopped; None before."""
        ended = all(child.state is _State.STOPPED for child in self._children.values())
        return self._status if ended else None

    @property
    def next_deadline(self) -> float | None:
        """When `tick` must be called at the latest."""
        deadlines = (child.deadline for child in self._children.values())
        return min((deadline for deadline in deadlines if deadline is not None), default=None)

    def begin(self, now: float) -> list[Action]:
        """Starts what waits for nothing."""
        return list(self._start_waiting(now))

    def became_ready(self, name: str, now: float) -> list[Action]:
        """A program takes calls."""
        child = self._children[name]
        if child.state is not _State.STARTING:
            return []
        told: list[Action] = [Ready(name, now - child.since, again=child.was_ready)]
        child.was_ready = True
        child.enter(_State.READY, now)
        told.extend(self._start_waiting(now))
        if not self._all_were_ready and self._all_are_ready():
            self._all_were_ready = True
            told.append(AllReady())
        return told

    def exited(self, name: str, status: int, now: float) -> list[Action]:
        """A program has ended."""
        child = self._children[name]
        if child.state is _State.STOPPING:
            child.enter(_State.STOPPED, now)
            return [Stopped(name, killed=child.killed), *self._stop_next(now)]
        if child.state not in _RUNNING:
            return []
        if not self._all_were_ready:
            child.enter(_State.STOPPED, now)
            self._status = 1
            return [Died(name, status, restart_s=None), *self._stop_all(now)]
        pause_s = self._next_pause_s(child, now)
        child.pause_s = pause_s
        child.enter(_State.PAUSED, now, pause_s)
        return [Died(name, status, restart_s=pause_s)]

    def stop(self, now: float) -> list[Action]:
        """The person asks to stop; asking twice kills what still runs."""
        if not self._is_stopping:
            return self._stop_all(now)
        return [action for child in self._children.values() for action in self._kill(child)]

    def tick(self, now: float) -> list[Action]:
        """Time has passed."""
        actions: list[Action] = []
        for child in self._children.values():
            if child.deadline is not None and child.deadline <= now:
                actions.extend(self._expire(child, now))
        return actions

    def _expire(self, child: _Child, now: float) -> Iterator[Action]:
        child.deadline = None
        match child.state:
            case _State.PAUSED:
                yield self._start(child, now)
            case _State.STARTING:
                yield TooSlow(child.plan.name, self._policy.start_s)
                yield Kill(child.plan.name)
            case _:
                yield from self._kill(child)

    def _start_waiting(self, now: float) -> Iterator[Action]:
        if self._is_stopping:
            return
        for child in self._children.values():
            needs = (self._children[name] for name in child.plan.needs)
            if child.state is _State.WAITING and all(need.was_ready for need in needs):
                yield self._start(child, now)

    def _start(self, child: _Child, now: float) -> Start:
        child.enter(_State.STARTING, now, self._policy.start_s)
        return Start(child.plan.name)

    def _all_are_ready(self) -> bool:
        return all(child.state is _State.READY for child in self._children.values())

    def _next_pause_s(self, child: _Child, now: float) -> float:
        policy = self._policy
        steady = child.state is _State.READY and now - child.since >= policy.steady_s
        if steady or child.pause_s == 0:
            return policy.first_pause_s
        return min(child.pause_s * 2, policy.longest_pause_s)

    def _stop_all(self, now: float) -> list[Action]:
        self._is_stopping = True
        for child in self._children.values():
            if child.state in {_State.WAITING, _State.PAUSED}:
                child.enter(_State.STOPPED, now)
        return [Stopping(), *self._stop_next(now)]

    def _stop_next(self, now: float) -> Iterator[Action]:
        """Asks those to stop that no running program needs."""
        needed = {
            name
            for child in self._children.values()
            if child.state in _RUNNING
            for name in child.plan.needs
        }
        for name, child in reversed(self._children.items()):
            if child.state in {_State.STARTING, _State.READY} and name not in needed:
                child.enter(_State.STOPPING, now, self._policy.stop_s)
                yield Terminate(name)

    def _kill(self, child: _Child) -> Iterator[Action]:
        if child.state in _RUNNING:
            child.state, child.deadline, child.killed = _State.STOPPING, None, True
            yield Kill(child.plan.name)
