"""Opus packets in the order they were sent, with what was lost or not sent in its place.

The RTP rules used here (RFC 3550 section 5.1): sequence numbers count packets and wrap at 2^16;
timestamps count samples at 48 kHz and wrap at 2^32. A jump of the timestamp without one of the
sequence is silence that the sender did not send, as Discord does; a jump of the sequence is loss.

Time follows the timestamps. Where silence was filled in because packets were late, that much is
left out of the next silence, so that no offset stays wrong.
"""

from __future__ import annotations

from typing import TypeAlias

from voicemesh_stt.domain import Lost, Packet, Silence

__all__ = (
    "PACKET_SAMPLES",
    "Ordered",
    "PacketSequencer",
    "elapsed_samples",
    "is_silence",
    "packet_samples",
)

PACKET_SAMPLES = 960
"""Samples of a packet at 48 kHz as a rule: 20 ms."""

_SEQUENCES = 1 << 16
_TIMESTAMPS = 1 << 32
_STEP = 120
"""Samples of 2.5 ms, of which every packet has a whole number."""
_LONGEST_PACKET = 5_760
_WINDOW = 2_880
"""Samples that may overtake a missing packet before it is given up: 60 ms, three packets."""
_RESTART = 3_000
"""A jump ahead of the sequence, in packets, that no network makes: the sender began anew."""
_LATEST = 100
"""Packets by which one may come too late (RFC 3550 appendix A.1); further back, the sender began
anew."""
_LONGEST_LOSS = 24_000
"""Samples lost at once of which anything can be made up; more are as good as silence."""
_LEAST_PAUSE_S = 0.1
"""The least time between two senders that counts as a pause."""
_SILENCE_FRAME = b"\xf8\xff\xfe"
"""What Discord's clients send five times before they stop sending."""
_LONGEST_DTX = 2
"""Bytes of a packet that only says that nothing is sent (libopus, `OPUS_SET_DTX`)."""

Ordered: TypeAlias = Packet | Lost | Silence
"""What comes out, in order of time."""


class PacketSequencer:
    """Orders the packets of one sender. Duplicates and packets that come too late are dropped."""

    def __init__(self) -> None:
        self._last: Packet | None = None
        self._came_s = 0.0
        self._early: dict[int, Packet] = {}  # by sequence, while one before them is missing
        self._filled = 0  # samples of silence given out since the last packet
        self._ahead = 0  # samples by which what was given out before is longer than what was sent

    def push(self, packet: Packet, came_s: float = 0.0) -> list[Ordered]:
        """What can be played now that `packet` has come.

        Args:
            packet: the packet.
            came_s: when it came, on any clock that runs on; the only measure of the time between
                two senders, whose timestamps have nothing to do with each other.
        """
        before_s, self._came_s = self._came_s, came_s
        if self._last is None:
            return self._take(packet)
        if self._began_anew(self._last, packet):
            return self._restart(packet, came_s - before_s)
        if _steps(self._last, packet) <= 0:
            return []
        self._early[packet.sequence] = packet
        ready = self._consecutive()
        if len(self._early) > 1 and self._waiting_samples() >= _WINDOW:
            ready += self.flush()
        return ready

    def fill(self, samples: int) -> Silence:
        """Silence for time in which no packet came; the gap it is part of is that much shorter."""
        self._filled += samples
        return Silence(samples)

    def flush(self) -> list[Ordered]:
        """Everything that still waits for a missing packet, which is lost."""
        ready: list[Ordered] = []
        last = self._last
        if last is not None:
            for packet in sorted(self._early.values(), key=lambda early: _steps(last, early)):
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

    def _waiting_samples(self) -> int:
        return sum(packet_samples(packet.data) for packet in self._early.values())

    def _began_anew(self, last: Packet, packet: Packet) -> bool:
        """Whether the two cannot be of one sender, whose sequence and time go on together."""
        steps, elapsed = _steps(last, packet), elapsed_samples(last, packet)
        if steps > 0:
            return steps > _RESTART or elapsed < 0
        return steps < -_LATEST or not -_LATEST * _LONGEST_PACKET <= elapsed <= 0

    def _restart(self, packet: Packet, waited_s: float) -> list[Ordered]:
        ready = self.flush()
        silence = (round(waited_s * 48_000) - self._filled) // _STEP * _STEP
        self._last, self._filled, self._ahead = packet, 0, 0
        if silence >= _LEAST_PAUSE_S * 48_000:
            ready.append(Silence(silence))
        return [*ready, packet]

    def _take(self, packet: Packet) -> list[Ordered]:
        last, self._last = self._last, packet
        filled, self._filled = self._filled, 0
        if last is None:
            return [packet]
        between = _between(last, packet) - filled
        length = packet_samples(last.data)
        lost = min(max(0, between), ((_steps(last, packet) - 1) * length)) // _STEP * _STEP
        wanted = between - lost - self._ahead
        silence = max(0, wanted) // _STEP * _STEP
        self._ahead = silence - wanted  # less than a step behind, or ahead
        return [*_gap(last, packet, lost, silence), packet]


def packet_samples(data: bytes) -> int:
    """The length of a packet in samples at 48 kHz, by RFC 6716 section 3.1.

    That of a usual packet for one that is damaged.
    """
    if not data:
        return PACKET_SAMPLES
    config, code = data[0] >> 3, data[0] & 3
    if config < 12:  # SILK
        frame = (480, 960, 1_920, 2_880)[config % 4]
    elif config < 16:  # SILK and CELT
        frame = (480, 960)[config % 2]
    else:  # CELT
        frame = (120, 240, 480, 960)[config % 4]
    count = (1, 2, 2, data[1] & 63 if len(data) > 1 else 0)[code]
    return frame * count if 0 < frame * count <= _LONGEST_PACKET else PACKET_SAMPLES


def is_silence(data: bytes) -> bool:
    """Whether a packet says by itself that nobody speaks."""
    return data == _SILENCE_FRAME or len(data) <= _LONGEST_DTX


def _steps(last: Packet, packet: Packet) -> int:
    """How many packets after `last` the other was sent; negative if before it."""
    return _signed(packet.sequence - last.sequence, _SEQUENCES)


def elapsed_samples(last: Packet, packet: Packet) -> int:
    """Samples from the start of `last` to that of the other; negative if before it."""
    return _signed(packet.timestamp - last.timestamp, _TIMESTAMPS)


def _signed(distance: int, modulus: int) -> int:
    distance %= modulus
    return distance - modulus if distance >= modulus // 2 else distance


def _between(last: Packet, packet: Packet) -> int:
    """Samples between the end of `last` and the start of the packet."""
    elapsed, length = elapsed_samples(last, packet), packet_samples(last.data)
    if elapsed == 0:  # a sender that does not keep timestamps
        return (_steps(last, packet) - 1) * length
    return elapsed - length


def _gap(last: Packet, packet: Packet, lost: int, silence: int) -> list[Ordered]:
    """What was lost and what was not sent, in the order that is likelier."""
    if lost > _LONGEST_LOSS:
        copied = packet_samples(last.data)
        lost, silence = copied, silence + lost - copied
        ended = True
    else:
        # A sender that had said that it stops lost the start of what it says next.
        ended = is_silence(last.data)
    parts: list[Ordered] = [Lost(lost, packet)] if lost else []
    if silence:
        parts.insert(0 if ended else len(parts), Silence(silence))
    return parts
