"""A network that loses, delays, reorders and doubles packets, by switch.

Pure but for the clock that its caller keeps: `Path.deliveries` says after how many seconds a packet
arrives, and how often.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

__all__ = ("CLEAN", "NetworkFaults", "Path")


@dataclass(frozen=True, slots=True)
class NetworkFaults:
    """What happens to packets on their way in one direction. The default harms none."""

    loss: float = 0.0
    """Share of packets that never arrive, 0 to 1."""
    delay_s: float = 0.0
    """How long every packet takes."""
    jitter_s: float = 0.0
    """How much longer a packet may take; each draws evenly from 0 to this. More than 20 ms also
    changes the order of audio packets."""
    reorder: float = 0.0
    """Share of packets that are held up by `reorder_s`, so that later ones arrive before."""
    reorder_s: float = 0.05
    """How long they are held up."""
    duplicate: float = 0.0
    """Share of packets that arrive twice."""

    def __post_init__(self) -> None:
        """Check the bounds.

        Raises:
            ValueError: one does not hold.
        """
        for name in ("loss", "reorder", "duplicate"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} is a share, from 0 to 1")
        for name in ("delay_s", "jitter_s", "reorder_s"):
            if not 0 <= getattr(self, name) <= 10:
                raise ValueError(f"{name} is not in [0, 10] seconds")


CLEAN = NetworkFaults()
"""A network without faults."""


class Path:
    """One direction between two machines."""

    def __init__(self, faults: NetworkFaults, seed: int) -> None:
        """Draw from `seed`, so that the same packets meet the same faults in every run."""
        self.faults = faults
        self._random = random.Random(seed)  # noqa: S311 - repeatable, no secret

    def deliveries(self) -> tuple[float, ...]:
        """Return after how many seconds the next packet arrives: once, never or twice."""
        faults = self.faults
        if faults is CLEAN:
            return (0.0,)
        draw = self._random.random
        if draw() < faults.loss:
            return ()
        copies = 2 if draw() < faults.duplicate else 1
        return tuple(self._delay() for _ in range(copies))

    def _delay(self) -> float:
        faults = self.faults
        held_up = faults.reorder_s if self._random.random() < faults.reorder else 0.0
        return faults.delay_s + self._random.random() * faults.jitter_s + held_up
