"""Opus packets in order."""

from __future__ import annotations

import pytest

from voicemesh_stt.domain import Packet, Silence
from voicemesh_stt.packets import PACKET_SAMPLES, Ordered, PacketSequencer

pytestmark = pytest.mark.unit


def packet(number: int, extra_samples: int = 0) -> Packet:
    sequence = number % (1 << 16)
    timestamp = (number * PACKET_SAMPLES + extra_samples) % (1 << 32)
    return Packet(str(number).encode(), sequence, timestamp)


def played(*numbers: int) -> list[int | str]:
    """What comes out, by packet number or `Nms` of silence."""
    sequencer = PacketSequencer()
    out: list[Ordered] = []
    for number in numbers:
        out += sequencer.push(packet(number))
    out += sequencer.flush()
    return [shown(item) for item in out]


def shown(item: Ordered) -> int | str:
    return int(item.data) if isinstance(item, Packet) else f"{item.samples // 48}ms"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ([1, 2, 3], [1, 2, 3]),
        ([1, 3, 2, 4], [1, 2, 3, 4]),  # reordered
        ([1, 2, 2, 3], [1, 2, 3]),  # duplicated
        ([1, 3, 4, 5, 6], [1, "20ms", 3, 4, 5, 6]),  # lost
        ([1, 3, 4, 5, 2, 6], [1, "20ms", 3, 4, 5, 6]),  # too late
        ([1, 5], [1, "60ms", 5]),  # lost at the end
        ([65534, 65535, 65536, 65537], [65534, 65535, 65536, 65537]),  # wrapping
        ([1, 2, 40_000, 40_001], [1, 2, 40_000, 40_001]),  # the sender began anew
        ([5_000, 5_001, 3_000, 3_001], [5_000, 5_001, 3_000, 3_001]),  # and further back
    ],
)
def test_packets_come_out_in_order_of_time(given: list[int], expected: list[int | str]) -> None:
    assert played(*given) == expected


def test_a_jump_of_the_timestamp_alone_is_silence_that_was_not_sent() -> None:
    sequencer = PacketSequencer()
    sequencer.push(packet(1))

    out = sequencer.push(packet(2, extra_samples=24_000))

    assert [shown(item) for item in out] == ["500ms", 2]


def test_timestamps_wrap() -> None:
    sequencer = PacketSequencer()
    sequencer.push(Packet(b"1", 1, (1 << 32) - PACKET_SAMPLES))

    assert sequencer.push(Packet(b"2", 2, 0)) == [Packet(b"2", 2, 0)]


def test_a_sender_without_timestamps_is_understood() -> None:
    sequencer = PacketSequencer()
    sequencer.push(Packet(b"1", 1, 0))

    assert sequencer.push(Packet(b"2", 2, 0)) == [Packet(b"2", 2, 0)]


def test_silence_filled_in_by_the_clock_is_not_filled_in_again() -> None:
    sequencer = PacketSequencer()
    sequencer.push(packet(1))
    assert sequencer.fill(20_000) == Silence(20_000)

    out = sequencer.push(packet(2, extra_samples=24_000))

    assert out[0] == Silence(4_000)


def test_one_gap_ends_every_turn_and_is_not_endless() -> None:
    sequencer = PacketSequencer()
    sequencer.push(packet(1))

    out = sequencer.push(packet(2, extra_samples=48_000 * 3600))

    assert out[0] == Silence(48_000 * 11)
