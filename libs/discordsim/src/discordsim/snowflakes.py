"""Ids as Discord makes them: unique, growing, with their time inside.

Source: Discord API reference, "Snowflakes". A client reads the creation time of everything from its
id, so simulated ids carry true times.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ("DISCORD_EPOCH_MS", "Snowflakes", "snowflake_time")

DISCORD_EPOCH_MS = 1_420_070_400_000
"""The first second of 2015 in milliseconds since 1970."""

_INCREMENTS = 1 << 22


class Snowflakes:
    """Makes ids, each greater than the one before."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """Read the time, in seconds since 1970, from `clock`."""
        self._clock = clock
        self._last = 0

    def next(self) -> int:
        """Return a new id with the present time in it."""
        now = (int(self._clock() * 1000) - DISCORD_EPOCH_MS) * _INCREMENTS
        self._last = max(now, self._last + 1)
        return self._last


def snowflake_time(snowflake: int) -> float:
    """Return when an id was made, in seconds since 1970."""
    return ((snowflake >> 22) + DISCORD_EPOCH_MS) / 1000
