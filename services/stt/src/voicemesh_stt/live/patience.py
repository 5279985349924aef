"""How long to wait for a packet before the sender is taken to be silent.

A network that hands over packets in bursts is not a speaker who pauses. Measured on speech that
came in bursts of 80 ms, a fixed wait of 60 ms cut words apart and raised the word error rate from
2 to 26 %; bursts of 120 ms do the same to a fixed 100 ms. So the wait follows what this network
does, as the delay of a jitter buffer does: the lateness of packets by the method of RFC 3550
section 6.4.1 (differences of arrival and timestamp), of which the worst of late counts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from voicemesh_stt.live.packets import elapsed_samples, is_silence

if TYPE_CHECKING:
    from voicemesh_stt.domain import Packet

__all__ = ("Patience",)

_LEAST_S = 0.06
_MOST_S = 0.2
"""A longer wait would be heard in every answer; a network that is worse than that cuts words."""
_STOPPED_S = 0.04
"""After a packet that says that nothing more is sent."""
_MARGIN_S = 0.03
"""More than the worst so far: the packet's own 20 ms, and half as much for the event loop."""
_FIRST_LATE_S = 0.07
"""Taken for the worst until the network is known, which makes the first wait 100 ms."""
_KEPT = 0.998
"""Of the worst lateness, with each packet: halved in 7 s of speech."""
_DRIFT_S = 0.0001
"""By which the clocks of sender and server may drift apart with each packet."""
_NEW_CLOCK_S = 1.0
"""Lateness that no network makes: the sender began anew, or was stopped itself."""


class Patience:
    """What one stream's network does. Times are seconds on any clock that runs on."""

    def __init__(self) -> None:
        self._last: Packet | None = None
        self._came_s = 0.0
        self._late_s = 0.0
        self._worst_s = _FIRST_LATE_S

    @property
    def wait_s(self) -> float:
        """How long after the last packet its sender is silent, if none comes, in seconds."""
        if self._last is not None and is_silence(self._last.data):
            return _STOPPED_S
        return min(_MOST_S, max(_LEAST_S, self._worst_s + _MARGIN_S))

    def packet(self, packet: Packet, came_s: float) -> None:
        """The next packet came."""
        if self._last is not None:
            sent_s = elapsed_samples(self._last, packet) / 48_000
            late_s = self._late_s - _DRIFT_S + (came_s - self._came_s) - sent_s
            # The packet that came soonest is on time by definition.
            self._late_s = 0.0 if abs(late_s) > _NEW_CLOCK_S else max(0.0, late_s)
            self._worst_s = max(self._late_s, self._worst_s * _KEPT)
        self._last, self._came_s = packet, came_s
