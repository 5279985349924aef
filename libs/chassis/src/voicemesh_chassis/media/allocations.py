"""libavutil by ctypes, for the one thing that PyAV does not pass on: a bound on allocations.

A header of 4 KB may claim 80 million samples, for each of which FFmpeg's MPEG-4 demuxer writes down
36 bytes before it reads on: 3 GB. What is claimed is not bounded by what is there; allocations are.
"""

from __future__ import annotations

import ctypes
import functools
from pathlib import Path

import av

from voicemesh_chassis.media.wheel import bundled
from voicemesh_chassis.service import StartupError

__all__ = ("bound_allocations",)

_MOST_BYTES = 96 << 20
"""An index of 24 bytes for each packet of 24 hours of AAC at 48 kHz, or of Opus, fits; frames and
packets, which `opening` bounds, are smaller."""


@functools.cache
def bound_allocations() -> None:
    """Lets no allocation of FFmpeg in this process be larger than 96 MiB, from now on.

    Raises:
        StartupError: if PyAV's libavutil is not found.
    """
    tried: list[str] = []
    for file in _candidates():
        try:
            limit = ctypes.CDLL(file).av_max_alloc
        except (OSError, AttributeError) as error:
            tried.append(f"{file}: {error}")
            continue
        limit.argtypes, limit.restype = [ctypes.c_size_t], None
        limit(_MOST_BYTES)
        return
    msg = (
        "libavutil, whose memory must be bounded, was not found; install PyAV from its wheel "
        f"(pip install --only-binary av av) ({'; '.join(tried) or 'none'})"
    )
    raise StartupError(msg)


def _candidates() -> list[str]:
    """The libavutil that PyAV itself has loaded: beside it, or what its modules are linked with."""
    # Where PyAV was built from source: symbols are found through what a module is linked with.
    linked = Path(av.__file__).parent.glob("_core.*")
    return [*bundled("libavutil"), *sorted(map(str, linked))]
