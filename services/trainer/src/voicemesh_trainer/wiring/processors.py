"""How many processors this process may use."""

from __future__ import annotations

import os

__all__ = ("usable_processors",)

_MOST_THREADS = 8
"""More threads of one model wait for each other longer than they work."""


def usable_processors() -> int:
    """Processors that this process may use, at most 8."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return min(usable or 1, _MOST_THREADS)
