"""Callers at once, and what they got."""

from __future__ import annotations

import asyncio
import statistics
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

__all__ = ("Burst", "burst", "percentiles", "usual")

T = TypeVar("T")


@dataclass(frozen=True)
class Burst:
    """What some callers at once got."""

    per_s: float
    """Calls a second, of all callers."""
    p50_s: float
    """Median time of one, in seconds."""
    p95_s: float
    """The time within which 95 of 100 were done, in seconds."""


async def burst(call: Callable[[T], Awaitable[object]], work: Sequence[T], callers: int) -> Burst:
    """So many callers share the work; each takes the next of it as soon as its last is done."""
    waiting = iter(work)
    taken: list[float] = []

    async def caller() -> None:
        for item in waiting:
            begun = time.perf_counter()
            await call(item)
            taken.append(time.perf_counter() - begun)

    begun = time.perf_counter()
    await asyncio.gather(*(caller() for _ in range(callers)))
    spent = time.perf_counter() - begun
    p50, p95 = np.percentile(taken, (50, 95))
    return Burst(len(taken) / spent, float(p50), float(p95))


def usual(bursts: Sequence[Burst]) -> Burst:
    """The medians of several."""
    return Burst(
        *(
            round(statistics.median(getattr(burst, name) for burst in bursts), 4)
            for name in ("per_s", "p50_s", "p95_s")
        )
    )


def percentiles(values: Sequence[float]) -> dict[str, float]:
    """`p50` and `p95`; not a number if there are no values."""
    if not values:
        return {"p50": float("nan"), "p95": float("nan")}
    return {f"p{part}": round(float(np.percentile(values, part)), 4) for part in (50, 95)}
