"""Figures of lengths. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from voicemesh_trainer.domain.datasets import LengthStatistics

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ("length_statistics",)


def length_statistics(counts: Sequence[tuple[int, int]]) -> LengthStatistics:
    """Figures of lengths that are counted.

    Args:
        counts: each length, in growing order, with how often it occurs.
    """
    total = sum(count for _, count in counts)
    if not total:
        return LengthStatistics()
    return LengthStatistics(
        minimum=counts[0][0],
        median=_percentile(counts, total, 50),
        percentile_95=_percentile(counts, total, 95),
        maximum=counts[-1][0],
        mean=sum(length * count for length, count in counts) / total,
    )


def _percentile(counts: Sequence[tuple[int, int]], total: int, percent: int) -> int:
    """The smallest length that so many of 100 are not above (nearest rank)."""
    rank, seen = -(-total * percent // 100), 0
    for length, count in counts:
        seen += count
        if seen >= rank:
            return length
    return counts[-1][0]
