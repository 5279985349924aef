"""Recordings from anybody, decoded by FFmpeg (PyAV) within bounds; needs the extra `media`.

- `opening`: how FFmpeg may open a file, and nothing else.
- `allocations`: how much memory it may take at once.
- `wheel`: the libraries that PyAV brings along.
"""

from voicemesh_chassis.media.allocations import bound_allocations
from voicemesh_chassis.media.opening import DECODING, opening_options
from voicemesh_chassis.media.wheel import bundled

__all__ = ("DECODING", "bound_allocations", "bundled", "opening_options")
