"""A bound on FFmpeg's allocations, which PyAV does not pass on.

A header of 4 KB may claim 80 million samples, for each of which the MPEG-4 demuxer writes down 36
bytes before it reads on: 3 GB. What is claimed is not bounded by what is there; allocations are.
"""

from __future__ import annotations

import ctypes
import functools
from pathlib import Path

import av

from voicemesh_chassis.service import StartupError

__all__ = ("bound_allocations",)

_MOST_BYTES = 96 << 20
"""Far more than encoding speech, or decoding half a minute of it, needs."""


@functools.cache
def bound_allocations() -> None:
    """Lets no allocation of FFmpeg in this process be larger than 96 MiB, from now on.

    Raises:
        StartupError: if PyAV's libavutil is not found.
    """
    for file in _candidates():
        try:
            limit = ctypes.CDLL(str(file)).av_max_alloc
        except (OSError, AttributeError):
            continue
        limit.argtypes, limit.restype = [ctypes.c_size_t], None
        limit(_MOST_BYTES)
        return
    msg = (
        "libavutil, whose memory must be bounded, was not found; install PyAV from its wheel "
        "(pip install --only-binary av av)"
    )
    raise StartupError(msg)


def _candidates() -> list[Path]:
    """The libavutil that PyAV has loaded: beside it, or what its modules are linked with."""
    package = Path(av.__file__).parent
    beside = [
        file
        for directory in (package.parent / "av.libs", package / ".dylibs")
        if directory.is_dir()
        for file in sorted(directory.iterdir())
        if "libavutil" in file.name or "avutil" in file.name
    ]
    # Where PyAV was built from source: symbols are found through what a module is linked with.
    return [*beside, *sorted(package.glob("_core.*"))]
