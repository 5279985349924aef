"""Opus packets in the order they were sent, with silence where nothing was sent or came.

The RTP rules used here (RFC 3550 section 5.1): sequence numbers count packets and wrap at 2^16;
timestamps count samples at 48 kHz and wrap at 2^32. A jump of the timestamp without one of the
sequence is silence that the sender did not send, as Discord does.
"""

from __future__ import annotations

from typing import TypeAlias

from voicemesh_stt.domain import Packet, Silence

__all__ = ("PACKET_SAMPLES", "Ordered", "PacketSequencer")

PACKET_SAMPLES = 960
"""Samples of a packet at 48 kHz: 20 ms."""

_SEQUENCES = 1 << 16
_TIMESTAMPS = 1 << 32
_WINDOW = 3
"""Packets that may overtake a missing one before it is given up: 60 ms."""
_RESTART = 3_000
"""A jump ahead of the sequence, in packets, that no network makes: the sender began anew."""
_LATEST = 100
"""Packets by which one may come too late (RFC 3550 appendix A.1); further back, the sender began
anew."""
_LONGEST_SILENCE = 11 * 48_000
"""Silence that is filled in for one gap; no turn outlasts more than 10 s of it."""


Ordered: TypeAlias = Packet | Silence
"""What comes out, in order of time."""


class PacketSequencer:
    """Orders the packets of one sender. Duplicates and packets that come too late are dropped."""

    def __init__(self) -> None:
        self._last: Packet | None = None
        self._early: dict[int, Packet] = {}  # by sequence, while one before them is missing
        self._filled = 0

    def push(self, packet: Packet) -> list[Ordered]:
        """What can be played now that `packet` has come."""
        if self._last is None:
            return self._take(packet)
        ahead = self._ahead(packet)
        if not -_LATEST <= ahead <= _RESTART:
            restarted = [*self.flush(), packet]
            self._last, self._filled = packet, 0
            return restarted
        if ahead <= 0:
            return []
        self._early[packet.sequence] = packet
        ready = self._consecutive()
        if len(self._early) >= _WINDOW:
            ready += self.flush()
        return ready

    def fill(self, samples: int) -> Silence:
        """Silence for time in which no packet came; the gap it is part of is that much shorter."""
        self._filled += samples
        return Silence(samples)

    def flush(self) -> list[Ordered]:
        """Everything that still waits for a missing packet, with silence in its place."""
        ready: list[Ordered] = []
        for packet in sorted(self._early.values(), key=self._ahead):
            ready += self._take(packet)
        self._early.clear()
        return ready

    def _consecutive(self) -> list[Ordered]:
        ready: list[Ordered] = []
        while self._last is not None:
            following = self._early.pop((self._last.sequence + 1) % _SEQUENCES, None)
            if following is None:
                break
            ready += self._take(following)
        return ready

    def _take(self, packet: Packet) -> list[Ordered]:
        missing = 0 if self._last is None else self._gap(self._last, packet) - self._filled
        self._last, self._filled = packet, 0
        if missing < PACKET_SAMPLES // 2:
            return [packet]
        return [Silence(min(missing, _LONGEST_SILENCE)), packet]

    def _gap(self, last: Packet, packet: Packet) -> int:
        """Samples between the end of `last` and the start of `packet`."""
        lost = (packet.sequence - last.sequence) % _SEQUENCES - 1
        elapsed = (packet.timestamp - last.timestamp) % _TIMESTAMPS
        if 0 < elapsed < _TIMESTAMPS // 2:
            return elapsed - PACKET_SAMPLES
        return lost * PACKET_SAMPLES  # a sender that does not keep timestamps

    def _ahead(self, packet: Packet) -> int:
        """How many packets after the last one this is; negative if before it."""
        last = 0 if self._last is None else self._last.sequence
        distance = (packet.sequence - last) % _SEQUENCES
        return distance - _SEQUENCES if distance >= _SEQUENCES // 2 else distance
