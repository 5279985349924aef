"""Packets in the order in which they were sent."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicemesh_bot.voice.receive.packets import VoicePacket
from voicemesh_bot.voice.receive.reorder import ReorderBuffer, SeenSequences

pytestmark = pytest.mark.unit

WINDOW_S = 0.06


def packet(number: int, first: int = 0, opus: bytes = b"x") -> VoicePacket:
    time = (first + number) * 960 % (1 << 32)
    return VoicePacket(1, opus, (first + number) % 65_536, time)


def pushed(buffer: ReorderBuffer, *numbers: int, first: int = 0) -> list[int]:
    out: list[int] = []
    for number in numbers:
        out += [each.sequence for each in buffer.push(packet(number, first), 0.0).packets]
    return out


@pytest.mark.parametrize("first", [0, 65_534, 65_535])
def test_packets_in_order_pass_at_once(first: int) -> None:
    wanted = [(first + number) % 65_536 for number in range(5)]
    assert pushed(ReorderBuffer(WINDOW_S), 0, 1, 2, 3, 4, first=first) == wanted


@pytest.mark.parametrize("first", [0, 65_534])
def test_packets_that_overtook_each_other_are_put_back(first: int) -> None:
    buffer = ReorderBuffer(WINDOW_S)
    wanted = [(first + number) % 65_536 for number in range(5)]
    assert pushed(buffer, 0, 2, 3, 1, 4, first=first) == wanted
    assert buffer.due_s is None


def test_what_does_not_come_is_waited_for_and_then_counted_as_lost() -> None:
    buffer = ReorderBuffer(WINDOW_S)
    buffer.push(packet(0), 10.0)
    assert buffer.push(packet(3), 10.02).packets == ()
    assert buffer.due_s == pytest.approx(10.08)
    assert buffer.expire(10.07) == ()
    (late,) = buffer.expire(10.08)
    assert (late.sequence, late.lost_before) == (3, 2)
    assert buffer.push(packet(1), 10.1).late == 1


def test_only_the_gap_whose_time_is_up_is_given_up() -> None:
    buffer = ReorderBuffer(WINDOW_S)
    buffer.push(packet(0), 0.0)
    buffer.push(packet(2), 0.0)
    buffer.push(packet(4), 0.05)
    assert [each.sequence for each in buffer.expire(0.07)] == [2]
    assert buffer.push(packet(3), 0.08).packets[-1].sequence == 4


def test_a_flood_behind_a_gap_is_bounded() -> None:
    buffer = ReorderBuffer(WINDOW_S)
    buffer.push(packet(0), 0.0)
    out = [each for number in range(2, 60) for each in buffer.push(packet(number), 0.0).packets]
    assert [each.sequence for each in out] == list(range(2, 60))
    assert out[0].lost_before == 1


@pytest.mark.parametrize("jump", [5_000, -5_000])
def test_a_sender_that_begins_anew_is_followed(jump: int) -> None:
    buffer = ReorderBuffer(WINDOW_S)
    pushed(buffer, 10_000)
    (begun,) = buffer.push(packet(10_000 + jump), 0.0).packets
    assert begun.lost_before == 0


def test_a_clock_that_goes_back_is_a_new_beginning() -> None:
    buffer = ReorderBuffer(WINDOW_S)
    buffer.push(VoicePacket(1, b"x", 10, 96_000), 0.0)
    assert buffer.push(VoicePacket(1, b"x", 12, 5), 0.0).packets[0].lost_before == 0


def test_silence_that_was_not_sent_is_no_loss() -> None:
    buffer = ReorderBuffer(WINDOW_S)
    buffer.push(VoicePacket(1, b"x", 1, 0), 0.0)
    (after,) = buffer.push(VoicePacket(1, b"x", 2, 480_000), 10.0).packets
    assert (after.lost_before, after.timestamp) == (0, 480_000)


def test_packets_without_sound_fill_their_place_and_leave_no_gap() -> None:
    buffer = ReorderBuffer(WINDOW_S)
    out = [*buffer.push(packet(0), 0.0).packets]
    out += buffer.push(packet(1, opus=b""), 0.0).packets
    out += buffer.push(packet(3), 0.0).packets
    out += buffer.push(packet(2), 0.0).packets
    assert [(each.sequence, each.lost_before) for each in out] == [(0, 0), (1, 0), (2, 0)]


@given(
    first=st.integers(0, 65_535),
    seed=st.integers(0, 10_000),
    jitter_s=st.sampled_from([0.0, 0.03, 0.06]),
    lost=st.sets(st.integers(1, 198)),
)
def test_whatever_the_network_does_within_the_window_is_mended(
    first: int, seed: int, jitter_s: float, lost: set[int]
) -> None:
    rng = random.Random(seed)
    arrivals = sorted(
        (number * 0.02 + rng.uniform(0, jitter_s), number) for number in range(1, 200)
    )
    buffer = ReorderBuffer(WINDOW_S)
    out = [*buffer.push(packet(0, first), 0.0).packets]
    for now_s, number in arrivals:
        if number not in lost:
            out += buffer.expire(now_s)
            out += buffer.push(packet(number, first), now_s).packets
    out += buffer.flush()

    kept = [number for number in range(200) if number not in lost]
    assert [each.sequence for each in out] == [(first + number) % 65_536 for number in kept]
    assert sum(each.lost_before for each in out) == len([n for n in lost if n < kept[-1]])


def test_a_number_that_came_before_is_not_new() -> None:
    seen = SeenSequences()
    numbers = [65_534, 65_535, 1, 0, 1, 65_534, 2, 0, 3]
    assert [seen.is_new(number) for number in numbers] == [
        True, True, True, True, False, False, True, False, True,
    ]  # fmt: skip
    assert seen.is_new(40_000)
    assert seen.is_new(3)
