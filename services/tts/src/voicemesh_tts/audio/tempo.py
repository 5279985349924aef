"""Speaking faster without a higher pitch."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import av
import numpy as np
from av.filter import Graph

if TYPE_CHECKING:
    from voicemesh_tts.ports import Samples

__all__ = ("hastened",)

_SHORTEST_S = 0.1
"""Sound shorter than this, in seconds, is left alone: the filter needs a few pitch periods."""


def hastened(samples: Samples, sample_rate_hertz: int, factor: float) -> Samples:
    """The same sound in `1 / factor` of the time, by overlapping similar stretches (WSOLA).

    Args:
        samples: a whole sound.
        sample_rate_hertz: its rate.
        factor: 0.5 to 100; 2 is twice as fast.
    """
    if factor == 1.0 or len(samples) < _SHORTEST_S * sample_rate_hertz:
        return samples
    graph = Graph()
    source = graph.add_abuffer(sample_rate=sample_rate_hertz, format="flt", layout="mono")
    tempo, sink = graph.add("atempo", f"{factor:.6f}"), graph.add("abuffersink")
    source.link_to(tempo)
    tempo.link_to(sink)
    graph.configure()
    frame = av.AudioFrame.from_ndarray(
        np.ascontiguousarray(samples, np.float32).reshape(1, -1), format="flt", layout="mono"
    )
    frame.sample_rate = sample_rate_hertz
    source.push(frame)
    source.push(None)
    parts = []
    while True:
        try:
            parts.append(cast("av.AudioFrame", sink.pull()).to_ndarray().ravel())
        except av.error.EOFError:
            break
    return np.concatenate(parts) if parts else samples[:0]
