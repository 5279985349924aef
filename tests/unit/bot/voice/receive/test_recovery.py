"""When a voice connection is taken for broken, and what is done about it; in virtual time."""

from __future__ import annotations

from itertools import pairwise

import pytest

from voicemesh_bot.voice.receive.ports import FrameRefusal
from voicemesh_bot.voice.receive.recovery import (
    DecryptionWatch,
    RecoveryOptions,
    RecoveryStep,
    Rejoining,
    why_closed,
)

pytestmark = pytest.mark.unit

OPTIONS = RecoveryOptions()
ANN, BEN = 1, 2
NONE, REINITIALISE, RECONNECT = RecoveryStep


def fails(watch: DecryptionWatch, user_id: int, times: int, now_s: float = 0.0) -> None:
    for _ in range(times):
        watch.failed(user_id, FrameRefusal.UNDECRYPTABLE, now_s)


def step(
    watch: DecryptionWatch, now_s: float, *, pending: bool = False, can: bool = True
) -> RecoveryStep:
    return watch.step(now_s, transition_pending=pending, can_reinitialise=can)


def test_a_few_failures_are_usual() -> None:
    watch = DecryptionWatch(OPTIONS)
    fails(watch, ANN, 35)
    watch.opened(ANN)
    fails(watch, ANN, 35)
    assert step(watch, 0.0) is NONE


def test_failures_in_a_row_ask_for_a_new_group_once() -> None:
    watch = DecryptionWatch(OPTIONS)
    fails(watch, ANN, 36)
    assert step(watch, 0.0) is REINITIALISE
    fails(watch, ANN, 36)
    assert step(watch, 5.0) is NONE
    assert step(watch, 10.0) is RECONNECT


def test_without_a_transition_there_is_nothing_to_call_damaged() -> None:
    watch = DecryptionWatch(OPTIONS)
    fails(watch, ANN, 36)
    assert step(watch, 0.0, can=False) is RECONNECT


def test_failures_while_the_group_changes_are_to_be_expected() -> None:
    watch = DecryptionWatch(OPTIONS)
    fails(watch, ANN, 50)
    assert step(watch, 0.0, pending=True) is NONE
    watch.group_changed()
    assert step(watch, 0.1) is NONE


def test_who_sends_in_the_clear_breaks_nothing_for_others() -> None:
    watch = DecryptionWatch(OPTIONS)
    for _ in range(500):
        watch.failed(ANN, FrameRefusal.UNENCRYPTED, 0.0)
    assert step(watch, 100.0) is NONE


def test_one_who_cannot_be_understood_costs_the_others_no_connection() -> None:
    watch = DecryptionWatch(OPTIONS)
    fails(watch, ANN, 36)
    assert step(watch, 0.0) is REINITIALISE
    for second in range(60):
        fails(watch, ANN, 50)
        watch.opened(BEN)
        assert step(watch, 11.0 + second) is NONE


def test_a_recovery_that_helped_is_forgotten() -> None:
    watch = DecryptionWatch(OPTIONS)
    fails(watch, ANN, 36)
    assert step(watch, 0.0) is REINITIALISE
    watch.opened(ANN)
    fails(watch, ANN, 36)
    assert step(watch, 11.0) is REINITIALISE


def test_a_group_that_does_not_come_about_is_asked_for_and_then_connected_anew() -> None:
    watch = DecryptionWatch(OPTIONS)
    watch.failed(ANN, FrameRefusal.NOT_READY, 0.0)
    assert step(watch, 7.9) is NONE
    assert step(watch, 8.0, pending=True) is REINITIALISE
    watch.failed(ANN, FrameRefusal.NOT_READY, 9.0)
    assert step(watch, 17.9) is NONE
    assert step(watch, 18.0) is RECONNECT


def test_steps_in_vain_come_more_and_more_rarely() -> None:
    watch = DecryptionWatch(OPTIONS)
    times: list[float] = []
    for tenth in range(20_000):
        now_s = tenth / 10
        fails(watch, ANN, 5)
        if step(watch, now_s) is not NONE:
            times.append(now_s)
    pauses = [round(b - a) for a, b in pairwise(times)]
    assert pauses == sorted(pauses)
    assert pauses[0] == OPTIONS.settle_s
    assert pauses[-1] == OPTIONS.longest_settle_s


def test_who_has_left_is_no_trouble() -> None:
    watch = DecryptionWatch(OPTIONS)
    fails(watch, ANN, 100)
    watch.forget(ANN)
    assert step(watch, 0.0) is NONE


@pytest.mark.parametrize("code", [4001, 4002, 4012, 4014, 4016, 4017, 4020, 4021, 4022])
def test_where_coming_back_is_no_use_there_is_a_sentence(code: int) -> None:
    why = why_closed(code)
    assert not why.comes_back
    assert why.sentence.endswith(".")


@pytest.mark.parametrize("code", [None, 1000, 1001, 1006, 4006, 4009, 4011, 4015, 4999])
def test_where_coming_back_can_help_it_is_tried(code: int | None) -> None:
    assert why_closed(code).comes_back


def test_what_the_library_is_trying_is_waited_for_but_not_for_long() -> None:
    rejoining = Rejoining(OPTIONS, 0.0)
    rejoining.lost(10.0)
    assert not rejoining.is_due(10.0, given_up=False)
    assert not rejoining.is_due(15.9, given_up=False)
    assert rejoining.is_due(16.0, given_up=False)
    rejoining.connected(20.0)
    rejoining.lost(40.0)
    assert not rejoining.is_due(40.0, given_up=False)
    assert rejoining.is_due(40.0, given_up=True)


def test_connections_that_fail_are_tried_with_longer_and_longer_pauses_and_then_no_more() -> None:
    rejoining, now_s, times = Rejoining(OPTIONS, 0.0), 100.0, list[float]()
    rejoining.lost(now_s)
    while not rejoining.is_hopeless:
        if rejoining.is_due(now_s, given_up=True):
            rejoining.failed(now_s)
            times.append(now_s)
        now_s += 0.1
    assert len(times) == OPTIONS.most_retries
    assert 200 < times[-1] < 300
    rejoining.connected(now_s)
    rejoining.lost(now_s + OPTIONS.stable_s)
    assert not rejoining.is_hopeless


def test_a_server_that_lets_the_bot_in_and_closes_again_is_not_asked_without_end() -> None:
    rejoining, now_s, pauses = Rejoining(OPTIONS, 0.0), 1.0, list[float]()
    while not rejoining.is_hopeless:
        rejoining.lost(now_s)
        lost_s = now_s
        while not rejoining.is_due(now_s, given_up=True):
            now_s += 0.125
        pauses.append(now_s - lost_s)
        rejoining.connected(now_s)
        now_s += 1.0
    assert pauses[:4] == [0.0, 0.5, 1.0, 2.0]
    assert len(pauses) == OPTIONS.most_retries
