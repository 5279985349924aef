"""Memory that the engines' libraries have freed."""

from __future__ import annotations

import ctypes

__all__ = ("give_back_memory",)


def give_back_memory() -> None:
    """Gives it back to the system, which glibc does not do of its own accord."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
