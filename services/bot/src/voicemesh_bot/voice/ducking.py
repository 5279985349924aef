"""Makes packets softer: takes them apart and makes new ones, but only while that is needed.

A listener's decoder predicts each packet from those before it, so one stream cannot simply go on
as another: it would click. The rules, which the tests hear after:

* Decoder and encoder are warmed with the packets before, so that the encoder's first packet follows
  upon what the listener heard last.
* An encoder delays the sound by its lookahead. It is given the sound as much earlier, by means of
  the next packet, so that nothing is heard twice and nothing is left out.
* The volume moves along a slope. Back at full volume the new stream goes on for some packets, until
  its encoder predicts what the old one does; then the old one takes over.
* Either takes over only behind a packet for which both chose the same shape; see `celt`.
* Where silence was put into the middle of a stream, its next packets predict from what the listener
  never heard. They are made anew as well, beginning at silence.
"""

from __future__ import annotations

from array import array
from collections import deque
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from voicemesh_bot.voice.celt import frame_shape
from voicemesh_bot.voice.errors import CodecError
from voicemesh_bot.voice.frames import FRAME_SAMPLES, Entry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from voicemesh_bot.voice.frames import Frame
    from voicemesh_bot.voice.ports import PacketCodec

__all__ = ("Ducker", "DuckerCounts", "DuckingOptions")

_WARM_PACKETS = 8
"""Packets before that a codec is warmed with; each carries half of the prediction error on."""

_SETTLING_FRAMES = 5
"""Frames at full volume before the old stream takes over."""

_MOST_WAITED_FRAMES = 4
"""Longest wait for a packet behind which one stream may follow upon the other; most need none."""

_DOWN_FRAMES = 2
_UP_FRAMES = 4
"""Frames in which the volume falls and rises: fast enough for whoever begins to speak, and slow
enough to be heard as a slope."""

_BYTES_PER_SAMPLE = 2


@dataclass(frozen=True, slots=True)
class DuckingOptions:
    """How soft is soft.

    Raises:
        ValueError: a value is out of bounds; names it.
    """

    gain_db: float = -12.0
    """Volume while ducked, -60 to 0 decibels."""

    def __post_init__(self) -> None:
        """Checks the bounds."""
        if not -60.0 <= self.gain_db <= 0.0:
            msg = f"gain_db must be -60 to 0, not {self.gain_db}"
            raise ValueError(msg)


@dataclass(slots=True)
class DuckerCounts:
    """What a ducker has done so far; each number only rises."""

    frames: int = 0
    """Frames made anew."""

    failures: int = 0
    """Times that Opus refused a packet; the rest of its passage went on as it was."""


class Ducker:
    """The volume of one player's frames, in the order in which they are sent.

    Args:
        make_codec: opens decoder and encoder for a stretch of sound; None where there is no Opus
            library, in which case nothing is ever ducked.
        options: how soft.
    """

    def __init__(
        self, make_codec: Callable[[], PacketCodec] | None, options: DuckingOptions | None = None
    ) -> None:
        self._make_codec = make_codec
        self._soft = 10.0 ** ((options or DuckingOptions()).gain_db / 20.0)
        self._before: deque[bytes] = deque(maxlen=_WARM_PACKETS)
        self._remaking: _Remaking | None = None
        self._broken = make_codec is None
        self.counts = DuckerCounts()

    def render(self, frame: Frame) -> bytes:
        """The packet to send for a frame: its own, or one made of it."""
        if frame.entry is None:
            self._remaking = None
            return frame.packet
        if frame.entry is Entry.BEGINS:
            self._before.clear()
            self._remaking, self._broken = None, self._make_codec is None
        packet = frame.packet if self._broken else self._shaped(frame)
        self._before.append(frame.packet)
        return packet

    def _shaped(self, frame: Frame) -> bytes:
        target = self._soft if frame.ducked else 1.0
        try:
            if self._remaking is None:
                self._remaking = self._remade(frame, target)
            if self._remaking is None:
                return frame.packet
            packet = self._remaking.packet(frame, target)
        except CodecError:
            self._remaking, self._broken = None, True
            self.counts.failures += 1
            return frame.packet
        if packet is None:
            self._remaking = None
            return frame.packet
        self.counts.frames += 1
        return packet

    def _remade(self, frame: Frame, target: float) -> _Remaking | None:
        """Begins to make packets anew if this frame needs it."""
        if self._make_codec is None:
            return None
        if frame.entry is Entry.REJOINS:
            return _Remaking(self._make_codec(), self._before, frame.packet, gain=0.0)
        if target == 1.0:
            return None
        # At the start of a passage there is no volume that anybody would have heard before.
        gain = target if frame.entry is Entry.BEGINS else 1.0
        return _Remaking(self._make_codec(), self._before, frame.packet, gain=gain)


class _Remaking:
    """One stretch of sound that is taken apart and made anew.

    Args:
        codec: for this stretch alone.
        before: the packets before it.
        packet: its first packet.
        gain: volume of what the listener heard before; 1 if that was the old stream.
    """

    def __init__(
        self, codec: PacketCodec, before: Iterable[bytes], packet: bytes, *, gain: float
    ) -> None:
        self._codec = codec
        self._ahead_bytes = codec.delay_samples * _BYTES_PER_SAMPLE
        self._gain = gain
        self._leads = gain != 1.0
        self._rises_at_once = gain == 0.0
        self._waited_frames = self._settled_frames = 0
        self._old, self._new = b"", b""  # the last packets of both streams
        old = [*before]
        stretch = [codec.decode(each) for each in (*old, packet)]
        self._samples = stretch[-1]
        for self._old, (samples, following) in zip(old, pairwise(stretch), strict=True):
            self._new = codec.encode(_amplified(self._shifted(samples, following), gain, gain))

    def packet(self, frame: Frame, target: float) -> bytes | None:
        """The packet to send for a frame; None once the old stream has taken over."""
        if self._is_over(target):
            return None
        self._leads = self._leads or self._can_hand_over()
        # After the last packet of a stream comes silence.
        following = bytes(len(self._samples))
        if frame.following is not None:
            following = self._codec.decode(frame.following)
        gain = self._next_gain(target) if self._leads else 1.0
        samples = _amplified(self._shifted(self._samples, following), self._gain, gain)
        self._settled_frames = self._settled_frames + 1 if gain == self._gain == 1.0 else 0
        self._samples, self._gain = following, gain
        self._old, self._new = frame.packet, self._codec.encode(samples)
        return self._new if self._leads else frame.packet

    def _is_over(self, target: float) -> bool:
        if not target == self._gain == 1.0:
            return False
        if not self._leads:
            return True  # Nobody has heard it.
        return self._settled_frames >= _SETTLING_FRAMES and self._can_hand_over()

    def _can_hand_over(self) -> bool:
        """Whether one stream may follow upon the other now."""
        agree = frame_shape(self._old) == frame_shape(self._new)
        self._waited_frames = 0 if agree else self._waited_frames + 1
        return agree or self._waited_frames > _MOST_WAITED_FRAMES

    def _shifted(self, samples: bytes, following: bytes) -> bytes:
        return samples[self._ahead_bytes :] + following[: self._ahead_bytes]

    def _next_gain(self, target: float) -> float:
        """The volume at the end of the next frame."""
        if self._rises_at_once:
            self._rises_at_once = False
            return target
        if target < self._gain:
            return max(target, self._gain - (1.0 - target) / _DOWN_FRAMES)
        return min(target, self._gain + 1.0 / _UP_FRAMES)


def _amplified(samples: bytes, start: float, end: float) -> bytes:
    """Samples whose volume moves from `start` to `end`."""
    if start == end == 1.0:
        return samples
    step = (end - start) / FRAME_SAMPLES
    loud = array("h", samples)
    return array("h", [int(each * (start + step * i)) for i, each in enumerate(loud)]).tobytes()
