"""The first few bits of a CELT packet: in which shape it carries its sound (RFC 6716).

Two streams of the same sound may differ in how they cut a frame: into one long window or several
short ones, with or without a pitch filter. The levels that a packet states are relative to those of
the packet before, which are stated for its shape; so one stream can take over from another without
a jump in volume only behind a packet for which both chose the same.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ("FrameShape", "frame_shape")

_FIRST_CELT_CONFIG = 16
"""Configurations 16 to 31 are CELT alone (section 3.1, table 2)."""

_LOG_SILENCE, _LOG_POSTFILTER, _LOG_TRANSIENT = 15, 1, 3
"""Each flag is set with a probability of one in two to this power (section 4.3, table 56)."""

_OCTAVES = 6
_TAPSETS = (2, 1, 0)
"""What is left of four above each of the three values."""


@dataclass(frozen=True, slots=True)
class FrameShape:
    """How a packet carries its sound."""

    silent: bool
    """Whether there is none."""

    postfilter: bool = False
    """Whether its pitch is filtered."""

    transient: bool = False
    """Whether it is cut into short windows."""


def frame_shape(packet: bytes) -> FrameShape | None:
    """The shape of a packet with one CELT frame; None for any other packet."""
    if len(packet) < 2 or packet[0] >> 3 < _FIRST_CELT_CONFIG or packet[0] & 3:
        return None
    bits = _RangeDecoder(packet[1:])
    if bits.flag(_LOG_SILENCE):
        return FrameShape(silent=True)
    postfilter = bits.flag(_LOG_POSTFILTER)
    if postfilter:
        # Its period and gain are raw bits at the other end of the packet.
        bits.uniform(_OCTAVES)
        bits.skip_one_of(_TAPSETS)
    return FrameShape(silent=False, postfilter=postfilter, transient=bits.flag(_LOG_TRANSIENT))


class _RangeDecoder:
    """As much of the entropy decoder as those bits need (section 4.1)."""

    def __init__(self, data: bytes) -> None:
        self._bytes = iter(data)
        self._last = self._next_byte()
        self._range = 128
        self._value = 127 - (self._last >> 1)
        self._renormalise()

    def flag(self, log_probability: int) -> bool:
        """A flag that is set with a probability of 2 ** -log_probability (section 4.1.3.2)."""
        limit = self._range >> log_probability
        is_set = self._value < limit
        if is_set:
            self._range = limit
        else:
            self._value -= limit
            self._range -= limit
        self._renormalise()
        return is_set

    def uniform(self, count: int) -> None:
        """A number below `count`, each as likely (section 4.1.5)."""
        step = self._range // count
        above = count - 1 - min(self._value // step, count - 1)
        self._take(step * (count - 1 - above), step if above else self._range - step * (count - 1))

    def skip_one_of(self, left_above: tuple[int, ...]) -> None:
        """A symbol whose inverse cumulative distribution is in quarters (section 4.1.3.3)."""
        step, top = self._range >> 2, self._range
        for left in left_above:
            if self._value >= step * left:
                self._take(step * left, top - step * left)
                return
            top = step * left

    def _take(self, low: int, width: int) -> None:
        self._value -= low
        self._range = width
        self._renormalise()

    def _renormalise(self) -> None:
        while self._range <= 1 << 23:
            previous, self._last = self._last, self._next_byte()
            taken = (previous << 8 | self._last) >> 1 & 255
            self._range <<= 8
            self._value = ((self._value << 8) + (255 - taken)) & 0x7FFFFFFF

    def _next_byte(self) -> int:
        return next(self._bytes, 0)
