"""Changing how long a sound lasts without changing its pitch."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, cast

import av
import numpy as np
from av.filter import Graph

if TYPE_CHECKING:
    from voicemesh_tts.ports import Samples

__all__ = ("Tempo", "hastened")

_SLOWEST = 0.5
"""Least factor of one filter; slower needs several, one after the other."""

_WINDOW_S = 0.1
"""Longer than the stretch that the filter compares, and so than what it leaves out at the end."""

_FRAME_S = 0.02

_SHORTEST_S = 0.1
"""Sound shorter than this, in seconds, is left alone: the filter needs a few pitch periods."""


class Tempo:
    """One sound, faster or slower, as it comes; similar stretches are laid over another (WSOLA).

    What is at `t` seconds of the sound is at `t / factor` of the result, to some milliseconds. The
    filter is ffmpeg's `atempo`. It answers up to 0.1 s of the sound later.

    Args:
        sample_rate_hertz: of the sound.
        factor: 0.05 to 100; 2 is twice as fast.
    """

    def __init__(self, sample_rate_hertz: int, factor: float) -> None:
        self._rate = sample_rate_hertz
        self._factor = factor
        self._graph = Graph()
        self._source = self._graph.add_abuffer(
            sample_rate=sample_rate_hertz, format="flt", layout="mono"
        )
        last = self._source
        count = max(1, math.ceil(math.log(factor) / math.log(_SLOWEST)))
        for _ in range(count):
            tempo = self._graph.add("atempo", f"{factor ** (1 / count):.9f}")
            last.link_to(tempo)
            last = tempo
        self._sink = self._graph.add("abuffersink")
        last.link_to(self._sink)
        self._graph.configure()
        self._taken = 0
        self._given = 0
        # The filter scales time about the middle of its first stretch. With half a stretch of
        # silence before the sound, that much too much comes out before it, whatever the factor.
        self._surplus = _stretch(sample_rate_hertz) // 2
        self._write(np.zeros(self._surplus, np.float32))

    def push(self, samples: Samples) -> Samples:
        """The next samples, and what is known of the result now."""
        self._taken += len(samples)
        if len(samples):
            self._write(samples)
        made = self._read()
        self._given += len(made)
        return made

    def finish(self, length: int | None = None) -> Samples:
        """The rest.

        Args:
            length: how many samples there shall have been in all; None for what the factor gives.
        """
        whole = round(self._taken / self._factor) if length is None else length
        # Without silence behind it the filter would leave out the last few hundredths of a second.
        self._write(np.zeros(round(_WINDOW_S * self._rate * max(1.0, self._factor)), np.float32))
        self._source.push(None)
        rest = self._read()[: max(0, whole - self._given)]
        missing = whole - self._given - len(rest)
        return np.concatenate([rest, np.zeros(max(0, missing), np.float32)])

    def _write(self, samples: Samples) -> None:
        # The filter gives frames as long as it gets, and holds back one that is not full.
        size = max(1, round(_FRAME_S * self._rate))
        for start in range(0, len(samples), size):
            part = np.ascontiguousarray(samples[start : start + size], np.float32)
            frame = av.AudioFrame.from_ndarray(part.reshape(1, -1), format="flt", layout="mono")
            frame.sample_rate = self._rate
            self._source.push(frame)

    def _read(self) -> Samples:
        parts: list[Samples] = [np.zeros(0, np.float32)]
        while True:
            try:
                frame = cast("av.AudioFrame", self._sink.pull())
            except (av.error.BlockingIOError, av.error.EOFError):
                return self._without_surplus(np.concatenate(parts))
            parts.append(frame.to_ndarray().astype(np.float32, copy=False).ravel())

    def _without_surplus(self, made: Samples) -> Samples:
        surplus = min(self._surplus, len(made))
        self._surplus -= surplus
        return made[surplus:]


def _stretch(sample_rate_hertz: int) -> int:
    """Samples that `atempo` compares at a time: a 24th of a second, up to a power of two."""
    return 1 << (sample_rate_hertz // 24 - 1).bit_length()


def hastened(samples: Samples, sample_rate_hertz: int, factor: float) -> Samples:
    """The same sound in `1 / factor` of the time.

    Args:
        samples: a whole sound.
        sample_rate_hertz: its rate.
        factor: 0.05 to 100; 2 is twice as fast.
    """
    if factor == 1.0 or len(samples) < _SHORTEST_S * sample_rate_hertz:
        return samples
    tempo = Tempo(sample_rate_hertz, factor)
    return np.concatenate([tempo.push(samples), tempo.finish()])
