"""Providers of models: what is known of how they are."""

from __future__ import annotations

from enum import Enum

__all__ = ("CircuitState",)


class CircuitState(Enum):
    """What the circuit of a provider does with calls."""

    CLOSED = "closed"
    """All pass."""
    HALF_OPEN = "half_open"
    """One passes, to try."""
    OPEN = "open"
    """None passes."""
