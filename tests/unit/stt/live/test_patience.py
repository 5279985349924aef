"""How long silence may be the network's, by scripts of arrivals in virtual time."""

from __future__ import annotations

import math
import random
from collections.abc import Callable

import pytest

from voicemesh_stt.domain import Packet
from voicemesh_stt.live.patience import Patience

pytestmark = pytest.mark.unit

VOICE = b"\x78voice"


def network(late_s: Callable[[float], float], *, packets: int = 500, first: int = 0) -> Patience:
    """What was learnt of a network that gives a packet sent at some time so much later."""
    patience = Patience()
    for number in range(packets):
        sent_s = number * 0.02
        packet = Packet(VOICE, (first + number) % 65_536, (first + number) * 960 % (1 << 32))
        patience.packet(packet, 1_000.0 + sent_s + late_s(sent_s))
    return patience


def burst(length_s: float) -> Callable[[float], float]:
    """Packets are kept back and given together every so often."""
    return lambda sent_s: math.ceil(round(sent_s / length_s, 6)) * length_s - sent_s


def test_an_unknown_network_is_given_a_tenth_of_a_second() -> None:
    assert Patience().wait_s == pytest.approx(0.1)


def test_a_steady_network_is_trusted_after_some_seconds() -> None:
    assert network(lambda _: 0.03).wait_s == pytest.approx(0.06)


@pytest.mark.parametrize("length_s", [0.04, 0.08, 0.12, 0.16])
def test_bursts_are_waited_for(length_s: float) -> None:
    wait_s = network(burst(length_s)).wait_s

    assert length_s < wait_s <= max(0.06, length_s + 0.02)


def test_nothing_is_waited_for_longer_than_a_fifth_of_a_second() -> None:
    assert network(burst(0.8)).wait_s == pytest.approx(0.2)


def test_one_late_packet_is_forgotten_again() -> None:
    patience = network(lambda sent_s: 0.15 if sent_s == 1.0 else 0.0, packets=60)
    later = network(lambda sent_s: 0.15 if sent_s == 1.0 else 0.0, packets=1_500)

    assert patience.wait_s > 0.15
    assert later.wait_s == pytest.approx(0.06)


def test_random_delays_are_waited_for() -> None:
    chance = random.Random(1)
    wait_s = network(lambda _: chance.uniform(0, 0.06)).wait_s

    assert 0.07 < wait_s < 0.1


def test_after_a_silence_frame_hardly_anything_is_waited_for() -> None:
    patience = network(burst(0.12))
    patience.packet(Packet(b"\xf8\xff\xfe", 500, 500 * 960), 1_010.0)

    assert patience.wait_s == pytest.approx(0.04)


@pytest.mark.parametrize("first", [0, 65_300, (1 << 32) // 960 - 200])
def test_counters_that_wrap_and_clocks_that_drift_are_not_lateness(first: int) -> None:
    assert network(lambda sent_s: sent_s * 0.001, first=first).wait_s == pytest.approx(0.06)


def test_a_sender_that_begins_anew_is_not_late() -> None:
    patience = network(lambda _: 0.0)
    patience.packet(Packet(VOICE, 9, 3_000_000_000), 1_010.0)
    patience.packet(Packet(VOICE, 10, 3_000_000_960), 1_010.02)

    assert patience.wait_s == pytest.approx(0.06)


def test_a_pause_of_the_speaker_is_not_lateness() -> None:
    patience = network(lambda _: 0.0)
    patience.packet(Packet(VOICE, 500, 500 * 960 + 48_000 * 30), 1_040.0)

    assert patience.wait_s == pytest.approx(0.06)


def test_a_recording_sent_faster_than_real_time_is_not_late() -> None:
    assert network(lambda sent_s: -0.99 * sent_s).wait_s == pytest.approx(0.06)
