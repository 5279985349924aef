"""Opus packets in order."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicemesh_stt.domain import Lost, Packet, Silence
from voicemesh_stt.live.packets import (
    PACKET_SAMPLES,
    Ordered,
    PacketSequencer,
    is_silence,
    packet_samples,
)

pytestmark = pytest.mark.unit

SILENCE_FRAME = b"\xf8\xff\xfe"
TWENTY_MS = b"\x78"
"""First byte of a packet of 20 ms."""


def packet(number: int, extra_samples: int = 0, *, data: bytes | None = None) -> Packet:
    sequence = number % (1 << 16)
    timestamp = (number * PACKET_SAMPLES + extra_samples) % (1 << 32)
    return Packet(data or TWENTY_MS + b"%06d" % number, sequence, timestamp)


def played(*numbers: int) -> list[int | str]:
    """What comes out, by packet number or length of loss or silence."""
    sequencer = PacketSequencer()
    out: list[Ordered] = []
    for number in numbers:
        out += sequencer.push(packet(number))
    out += sequencer.flush()
    return shown(out)


def shown(items: list[Ordered]) -> list[int | str]:
    names: list[int | str] = []
    for item in items:
        match item:
            case Packet():
                names.append(int(item.data[1:]))
            case Lost():
                names.append(f"lost {item.samples // 48}")
            case Silence():
                names.append(f"silence {item.samples // 48}")
    return names


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ([1, 2, 3], [1, 2, 3]),
        ([1, 3, 2, 4], [1, 2, 3, 4]),  # reordered
        ([1, 4, 3, 2, 5], [1, 2, 3, 4, 5]),  # as far as the window reaches
        ([1, 2, 2, 3, 3, 1], [1, 2, 3]),  # duplicated
        ([1, 3, 3, 3, 2], [1, 2, 3]),  # duplicated while one is missing
        ([1, 3, 4, 5, 6], [1, "lost 20", 3, 4, 5, 6]),
        ([1, 3, 4, 5, 2, 6], [1, "lost 20", 3, 4, 5, 6]),  # too late
        ([1, 5], [1, "lost 60", 5]),  # lost at the end
        ([65534, 65535, 65536, 65537], [65534, 65535, 65536, 65537]),  # wrapping
        ([65535, 65537, 65536, 65538], [65535, 65536, 65537, 65538]),  # and reordered there
        ([65535, 65538, 65539, 65540], [65535, "lost 40", 65538, 65539, 65540]),
        ([1, 2, 40_000, 40_001], [1, 2, 40_000, 40_001]),  # the sender began anew
        ([5_000, 5_001, 3_000, 3_001], [5_000, 5_001, 3_000, 3_001]),  # and further back
    ],
)
def test_packets_come_out_in_order_of_time(given: list[int], expected: list[int | str]) -> None:
    assert played(*given) == expected


def after(sequencer: PacketSequencer, *packets: Packet) -> list[int | str]:
    """What comes out for some packets and at the end of them."""
    out: list[Ordered] = []
    for each in packets:
        out += sequencer.push(each)
    return shown(out + sequencer.flush())


def test_a_jump_of_the_timestamp_alone_is_silence_that_was_not_sent() -> None:
    out = after(PacketSequencer(), packet(1), packet(2, extra_samples=24_000))

    assert out == [1, "silence 500", 2]


def test_what_was_lost_before_a_pause_comes_before_it() -> None:
    out = after(PacketSequencer(), packet(1), packet(4, extra_samples=24_000))

    assert out == [1, "lost 40", "silence 500", 4]


def test_what_was_lost_after_a_sender_had_stopped_is_the_start_of_what_it_said_next() -> None:
    sequencer = PacketSequencer()
    sequencer.push(packet(1, data=SILENCE_FRAME))

    assert after(sequencer, packet(4, extra_samples=24_000)) == ["silence 500", "lost 40", 4]


def test_a_loss_too_long_to_be_made_up_is_silence_but_for_its_last_packet() -> None:
    out = after(PacketSequencer(), packet(1), packet(102))

    assert out == [1, "silence 1980", "lost 20", 102]


def test_a_lost_packet_knows_the_one_that_may_hold_its_copy() -> None:
    sequencer = PacketSequencer()
    sequencer.push(packet(1))
    sequencer.push(packet(3))

    assert sequencer.flush() == [Lost(PACKET_SAMPLES, packet(3)), packet(3)]


def test_timestamps_wrap() -> None:
    first = Packet(TWENTY_MS, 1, (1 << 32) - PACKET_SAMPLES)
    second = Packet(TWENTY_MS, 2, 0)
    later = Packet(TWENTY_MS, 3, 48_960)
    sequencer = PacketSequencer()

    out = [item for each in (first, second, later) for item in sequencer.push(each)]

    assert out == [first, second, Silence(48_000), later]


def test_a_sender_without_timestamps_is_understood() -> None:
    sequencer = PacketSequencer()
    sequencer.push(Packet(TWENTY_MS, 1, 0))

    assert sequencer.push(Packet(TWENTY_MS, 2, 0)) == [Packet(TWENTY_MS, 2, 0)]
    assert sequencer.push(Packet(TWENTY_MS, 5, 0)) == []
    assert sequencer.flush()[0] == Lost(2 * PACKET_SAMPLES, Packet(TWENTY_MS, 5, 0))


def test_silence_filled_in_by_the_clock_is_not_filled_in_again() -> None:
    sequencer = PacketSequencer()
    sequencer.push(packet(1))
    assert sequencer.fill(19_200) == Silence(19_200)

    assert sequencer.push(packet(2, extra_samples=24_000))[0] == Silence(4_800)


def test_silence_filled_in_for_packets_that_were_only_late_is_taken_back_at_the_next_pause() -> (
    None
):
    sequencer = PacketSequencer()
    sequencer.push(packet(1))
    sequencer.fill(4_800)

    late = sequencer.push(packet(2))
    lost = [*sequencer.push(packet(4)), *sequencer.flush()]
    paused = sequencer.push(packet(5, extra_samples=24_000))

    assert late == [packet(2)]
    assert lost[0] == Lost(PACKET_SAMPLES, packet(4))  # what was lost is made up all the same
    assert paused[0] == Silence(24_000 - 4_800)


def test_what_is_less_than_a_step_is_not_forgotten() -> None:
    sequencer = PacketSequencer()
    out: list[Ordered] = []
    for number in range(121):
        out += sequencer.push(packet(number, extra_samples=7 * number))
    silences = [item.samples for item in out if isinstance(item, Silence)]

    assert set(silences) == {120}
    assert sum(silences) == 7 * 120


@pytest.mark.parametrize("seconds", [1, 30, 3_000, 12 * 3_600])
def test_time_goes_on_through_a_pause_of_any_length(seconds: int) -> None:
    sequencer = PacketSequencer()
    sequencer.push(packet(1))

    out = sequencer.push(packet(2, extra_samples=48_000 * seconds))

    assert out[0] == Silence(48_000 * seconds)


def test_between_two_senders_the_clock_says_how_much_time_passed() -> None:
    sequencer = PacketSequencer()
    sequencer.push(packet(1), came_s=100.0)
    sequencer.fill(24_000)

    assert sequencer.push(packet(40_000), came_s=130.0) == [
        Silence(29 * 48_000 + 24_000),
        packet(40_000),
    ]


def test_a_later_sequence_with_an_earlier_time_is_another_sender() -> None:
    one, other = Packet(TWENTY_MS, 1, 500_000), Packet(TWENTY_MS, 300, 7)
    sequencer = PacketSequencer()
    sequencer.push(one)

    assert sequencer.push(other) == [other]


def test_a_sender_that_began_anew_just_behind_is_not_taken_for_late_packets() -> None:
    sequencer = PacketSequencer()
    sequencer.push(Packet(TWENTY_MS, 1_000, 500_000))
    other = Packet(TWENTY_MS, 990, 3_000_000)

    assert sequencer.push(other) == [other]


@pytest.mark.parametrize(
    ("data", "samples"),
    [
        (b"\x78", 960),
        (b"\xf8\xff\xfe", 960),
        (b"\x08" + b"x", 960),  # SILK, 20 ms
        (b"\x18" + b"x", 2_880),  # SILK, 60 ms
        (b"\xe0" + b"x", 120),  # CELT, 2.5 ms
        (b"\xf9" + b"xx", 1_920),  # two frames
        (b"\xfb\x06" + b"x", 5_760),  # six frames: 120 ms
        (b"\xfb\x07" + b"x", 960),  # 140 ms is longer than a packet may be
        (b"\xfb\x00", 960),  # no frames
        (b"\xfb", 960),
        (b"", 960),
    ],
)
def test_the_length_of_a_packet_is_in_its_first_bytes(data: bytes, samples: int) -> None:
    assert packet_samples(data) == samples


def test_packets_that_are_longer_keep_their_time() -> None:
    sequencer = PacketSequencer()
    long = [Packet(b"\x18" + b"x", number, number * 2_880) for number in range(5)]

    assert [item for each in long for item in sequencer.push(each)] == long


@pytest.mark.parametrize(
    ("data", "silent"), [(SILENCE_FRAME, True), (b"\x78", True), (b"\xf8\xff\xff", False)]
)
def test_a_packet_may_say_that_nobody_speaks(data: bytes, silent: bool) -> None:
    assert is_silence(data) is silent


@given(st.integers(0, 2**32))
def test_whatever_the_network_does_time_is_right(seed: int) -> None:
    """A tenth lost, some twice, all up to 60 ms late, over a wrap of both counters."""
    chance = random.Random(seed)
    sent = [packet(65_400 + number) for number in range(300)]
    kept = [each for each in sent if chance.random() > 0.1]
    kept += chance.sample(kept, 20)
    kept.sort(key=lambda each: (each.sequence - 65_400) % 65_536 + chance.uniform(0, 3))
    sequencer = PacketSequencer()

    out: list[Ordered] = []
    for each in kept:
        out += sequencer.push(each)
    out += sequencer.flush()

    numbers = [(i.sequence - 65_400) % 65_536 for i in out if isinstance(i, Packet)]
    assert numbers == sorted(set(numbers))
    length = sum(PACKET_SAMPLES if isinstance(item, Packet) else item.samples for item in out)
    assert length == (numbers[-1] - numbers[0] + 1) * PACKET_SAMPLES
