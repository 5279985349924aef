"""How loud a sound is to people."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, cast

import av
import numpy as np
from av.filter import Graph

if TYPE_CHECKING:
    from voicemesh_tts.ports import Samples

__all__ = ("SILENCE_LUFS", "loudness_lufs")

SILENCE_LUFS = -70.0
"""What the standard leaves out as silence."""


def loudness_lufs(samples: Samples, sample_rate_hertz: int) -> float:
    """The integrated loudness of a sound by ITU-R BS.1770, which leaves its pauses out.

    Args:
        samples: at least 0.4 s; shorter sound is repeated.
        sample_rate_hertz: its rate.

    Returns:
        LUFS, -70 for silence. A sine of 1 kHz at full scale has -3.
    """
    if not len(samples):
        return SILENCE_LUFS
    repeats = math.ceil(sample_rate_hertz / len(samples))
    graph = Graph()
    source = graph.add_abuffer(sample_rate=sample_rate_hertz, format="flt", layout="mono")
    meter = graph.add("ebur128", "metadata=1:framelog=quiet")
    sink = graph.add("abuffersink")
    source.link_to(meter)
    meter.link_to(sink)
    graph.configure()
    wide = np.tile(np.nan_to_num(samples).astype(np.float32), repeats).reshape(1, -1)
    frame = av.AudioFrame.from_ndarray(wide, format="flt", layout="mono")
    frame.sample_rate = sample_rate_hertz
    source.push(frame)
    source.push(None)
    measured = SILENCE_LUFS
    while True:
        try:
            metadata = cast("av.AudioFrame", sink.pull()).metadata
        except (av.error.BlockingIOError, av.error.EOFError):
            return max(SILENCE_LUFS, measured)
        measured = float(metadata.get("lavfi.r128.I", measured))
