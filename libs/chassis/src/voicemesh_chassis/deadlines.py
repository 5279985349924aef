"""Passing a caller's deadline on to the calls made on its behalf."""

from __future__ import annotations

from typing import Protocol

__all__ = ("TimedCall", "remaining_s")


class TimedCall(Protocol):
    """The part of a servicer context that knows the caller's deadline."""

    def time_remaining(self) -> float | None:
        """Seconds until the caller gives up; None if it never does. Raises nothing."""


def remaining_s(context: TimedCall, own_s: float, margin_s: float = 0.05) -> float:
    """The timeout for a call onward: `own_s` seconds, or less where the caller gives up sooner.

    Args:
        context: the call being served.
        own_s: what this service would allow, in seconds.
        margin_s: kept back for the answer's way home, in seconds.
    """
    remaining = context.time_remaining()
    return own_s if remaining is None else max(0.0, min(own_s, remaining - margin_s))
