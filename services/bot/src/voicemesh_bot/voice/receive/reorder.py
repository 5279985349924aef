"""The order in which packets were sent, restored within a short time.

Three packets of patience (60 ms) mend what networks commonly do; speech recognition sees what is
still missing after that as lost. All comparisons are modulo 2^16 and 2^32 (RFC 3550 appendix A.1).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from voicemesh_bot.voice.receive.packets import VoicePacket, sequences_between

__all__ = ("ReorderBuffer", "Reordered", "SeenSequences")

_SEQUENCES = 1 << 16
_TIMESTAMPS = 1 << 32
_RESTART = 3_000
"""A jump ahead of the sequence, in packets, that no network makes: the sender began anew."""
_LATEST = 100
"""Packets by which one may come too late; further back, the sender began anew."""
_MOST_HELD = 50
"""Packets held while one before them is missing: one second."""
_REMEMBERED = 128


class SeenSequences:
    """Which of the last 128 sequence numbers of a source have come (as RFC 3711 section 3.3.2).

    Duplicates have to go before the end-to-end decryption, which takes them for an attack.
    """

    def __init__(self) -> None:
        """Begin with none."""
        self._highest: int | None = None
        self._mask = 0

    def is_new(self, sequence: int) -> bool:
        """Whether a number has not come before, as far as is remembered; notes that it has."""
        if self._highest is None:
            self._highest, self._mask = sequence, 1
            return True
        steps = sequences_between(self._highest, sequence)
        if steps > 0:
            self._mask = (self._mask << min(steps, _REMEMBERED) | 1) & ((1 << _REMEMBERED) - 1)
            self._highest = sequence
            return True
        if -steps >= _REMEMBERED:  # Too old to know, or the sender began anew.
            self._highest, self._mask = sequence, 1
            return True
        bit = 1 << -steps
        is_new = not self._mask & bit
        self._mask |= bit
        return is_new


@dataclass(frozen=True, slots=True)
class Reordered:
    """What can be passed on now, and what it cost."""

    packets: tuple[VoicePacket, ...] = ()
    """In the order in which they were sent."""
    late: int = 0
    """Packets that came after they had been given up."""
    mended: int = 0
    """Packets that came out of order, but in time."""


class ReorderBuffer:
    """Puts the packets of one source into order. Pure: the caller keeps the clock.

    A packet without Opus fills a place in the sequence, as bandwidth probes do. It is not given
    out, and the sequence that is given out has no gap there, so that nobody waits for it.
    """

    def __init__(self, window_s: float) -> None:
        """Wait for a missing packet for `window_s` seconds after the next one has come."""
        self._window_s = window_s
        self._last: VoicePacket | None = None
        self._fillers = 0
        self._held: dict[int, tuple[VoicePacket, float]] = {}

    def push(self, packet: VoicePacket, now_s: float) -> Reordered:
        """What can be passed on now that `packet` has come."""
        last = self._last
        if last is None:
            return Reordered(tuple(self._pass(packet)))
        steps = sequences_between(last.sequence, packet.sequence)
        if _began_anew(last, packet, steps):
            rest = self.flush()
            self._last, self._fillers = None, 0
            return Reordered((*rest, *self._pass(packet)))
        if steps <= 0 or packet.sequence in self._held:
            return Reordered(late=1)
        mended = int(any(sequences_between(packet.sequence, each) > 0 for each in self._held))
        self._held[packet.sequence] = (packet, now_s)
        ready = self._consecutive()
        if len(self._held) > _MOST_HELD:
            ready += self._skip_gap()
        return Reordered(tuple(ready), mended=mended)

    @property
    def due_s(self) -> float | None:
        """When to call `expire`; None while nothing is held."""
        if not self._held:
            return None
        return min(came_s for _, came_s in self._held.values()) + self._window_s

    def expire(self, now_s: float) -> tuple[VoicePacket, ...]:
        """What was held for packets that have not come in time."""
        ready: list[VoicePacket] = []
        while (due_s := self.due_s) is not None and due_s <= now_s:
            ready += self._skip_gap()
        return tuple(ready)

    def flush(self) -> tuple[VoicePacket, ...]:
        """All that is held, without further patience."""
        return self.expire(float("inf"))

    def _skip_gap(self) -> list[VoicePacket]:
        """Gives up what is missing before the first packet that is held."""
        last = self._last
        if last is None or not self._held:
            return []
        anchor = last.sequence
        first = min(self._held, key=lambda each: sequences_between(anchor, each))
        packet, _ = self._held.pop(first)
        return [*self._pass(packet), *self._consecutive()]

    def _consecutive(self) -> list[VoicePacket]:
        ready: list[VoicePacket] = []
        while self._last is not None:
            following = self._held.pop((self._last.sequence + 1) % _SEQUENCES, None)
            if following is None:
                break
            ready += self._pass(following[0])
        return ready

    def _pass(self, packet: VoicePacket) -> list[VoicePacket]:
        last, self._last = self._last, packet
        if not packet.opus:
            self._fillers += 1
            return []
        lost = 0 if last is None else sequences_between(last.sequence, packet.sequence) - 1
        sequence = (packet.sequence - self._fillers) % _SEQUENCES
        if lost or sequence != packet.sequence:
            return [replace(packet, sequence=sequence, lost_before=lost)]
        return [packet]


def _began_anew(last: VoicePacket, packet: VoicePacket, steps: int) -> bool:
    """Whether the two cannot be of one stream, whose sequence and time go on together."""
    elapsed = (packet.timestamp - last.timestamp) % _TIMESTAMPS
    goes_back = elapsed >= _TIMESTAMPS // 2
    if steps > 0:
        return steps > _RESTART or goes_back
    return steps < -_LATEST
