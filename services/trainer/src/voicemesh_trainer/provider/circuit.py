"""Whether a provider that failed may be asked again. Pure.

A circuit breaker as in M. Nygard, Release It! (https://martinfowler.com/bliki/CircuitBreaker.html):
after a few failures in a row nobody is asked for a while, so that callers are refused at once
instead of waiting for the next failure; then one call is let through to try, and its outcome
decides for all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from voicemesh_trainer.domain.providers import CircuitState

__all__ = ("Allowed", "Circuit", "CircuitLimits", "Permission", "Refused")


@dataclass(frozen=True)
class CircuitLimits:
    """When a circuit opens, and for how long."""

    failures: int
    """So many in a row open it."""
    pause_s: float
    """How long it stays open the first time, in seconds."""
    longest_pause_s: float
    """How long at most; each failed try doubles the time."""


@dataclass(frozen=True)
class Allowed:
    """The provider may be asked. What comes of it must be told to the circuit."""

    generation: int
    """To be given back with what came of it: what began before a change says nothing after it."""


@dataclass(frozen=True)
class Refused:
    """The provider is not to be asked now."""

    retry_after_s: float
    """When it may be worth to come again, in seconds."""


Permission: TypeAlias = Allowed | Refused
"""What a call is told that wants to ask the provider."""

_TRY_AGAIN_S = 1.0


class Circuit:
    """The circuit of one provider. Times are seconds on any clock that does not run backwards."""

    def __init__(self, limits: CircuitLimits) -> None:
        self._limits = limits
        self._state = CircuitState.CLOSED
        self._failures = 0
        self._pause_s = limits.pause_s
        self._until_s = 0.0
        self._generation = 0

    @property
    def state(self) -> CircuitState:
        """What it does with calls."""
        return self._state

    def ask(self, now_s: float) -> Permission:
        """Whether a call may pass. After `Allowed`, one of the other three is called, once."""
        if self._state is CircuitState.HALF_OPEN:
            return Refused(_TRY_AGAIN_S)
        if self._state is CircuitState.OPEN:
            if now_s < self._until_s:
                return Refused(self._until_s - now_s)
            self._change(CircuitState.HALF_OPEN)
        return Allowed(self._generation)

    def succeeded(self, allowed: Allowed) -> None:
        """The provider answered, be it with a refusal."""
        if allowed.generation == self._generation:
            self._failures, self._pause_s = 0, self._limits.pause_s
            if self._state is not CircuitState.CLOSED:
                self._change(CircuitState.CLOSED)

    def failed(self, allowed: Allowed, now_s: float) -> None:
        """The provider could not be reached, failed, or was silent."""
        if allowed.generation != self._generation:
            return
        self._failures += 1
        if self._state is CircuitState.HALF_OPEN:
            self._pause_s = min(2 * self._pause_s, self._limits.longest_pause_s)
        elif self._failures < self._limits.failures:
            return
        self._until_s = now_s + self._pause_s
        self._change(CircuitState.OPEN)

    def abandoned(self, allowed: Allowed, now_s: float) -> None:
        """The caller went away before anything came: nothing is known."""
        if allowed.generation == self._generation and self._state is CircuitState.HALF_OPEN:
            self._until_s = now_s  # the next call tries
            self._change(CircuitState.OPEN)

    def _change(self, state: CircuitState) -> None:
        self._state = state
        self._generation += 1
        if state is CircuitState.CLOSED:
            self._failures = 0
