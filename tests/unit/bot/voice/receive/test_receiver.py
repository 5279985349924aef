"""From datagrams to packets of speech: what is passed on, what waits, and what is counted."""

from __future__ import annotations

from typing import Any

import pytest

from voicemesh_bot.voice.receive.packets import Outcome
from voicemesh_bot.voice.receive.recovery import RecoveryStep
from voicemesh_bot.voice.receive.rtp import SILENCE

pytestmark = pytest.mark.unit

ANN, BEN = 11, 12


def test_a_frame_of_a_member_is_heard(ear: Any) -> None:
    ear.group.members = {ANN}
    ear.names(ANN, 7)
    ear.says(ANN, b"hello", sequence=5, padding=3, extension=bytes(8))
    ear.receiver.receive(ear.wire(SILENCE, sequence=6))

    assert ear.heard() == [b"hello", SILENCE]
    assert (ear.packets[0].user_id, ear.packets[0].sequence) == (ANN, 5)
    assert ear.packets[0].timestamp == 5 * 960
    assert ear.receiver.counters.of(ANN) == {Outcome.HEARD: 1, Outcome.SILENCE: 1}


def test_frames_of_a_source_that_nobody_named_wait_for_its_name(ear: Any) -> None:
    ear.group.members = {ANN}
    for number in range(5):
        ear.says(ANN, b"%d" % number, sequence=number)
    assert ear.heard() == []
    ear.names(ANN, 7)
    assert ear.heard() == [b"0", b"1", b"2", b"3", b"4"]


def test_a_camera_names_its_microphone_too(ear: Any) -> None:
    ear.group.members = {ANN}
    ear.receiver.message(12, {"user_id": str(ANN), "audio_ssrc": 7, "video_ssrc": 8})
    ear.receiver.message(12, {"user_id": str(BEN), "audio_ssrc": 0, "video_ssrc": 9})
    ear.says(ANN, b"hello")
    assert ear.heard() == [b"hello"]


def test_only_the_newest_frames_wait_and_not_for_ever(ear: Any) -> None:
    ear.group = None
    for number in range(130):
        ear.says(ANN, b"%d" % number, sequence=number)
    assert ear.receiver.counters.totals == {Outcome.UNKNOWN_SOURCE: 30}
    ear.now_s += 6
    ear.heard()
    assert ear.receiver.counters.totals == {Outcome.UNKNOWN_SOURCE: 130}
    assert ear.receiver.due_s is None


def test_a_source_that_is_never_named_is_known_by_its_key(ear: Any) -> None:
    ear.group.members = {ANN, BEN}
    ear.names(BEN, 3)
    for number in range(12):
        ear.says(ANN, b"%d" % number, sequence=number)
    assert ear.heard() == [b"%d" % number for number in range(12)]
    assert {each.user_id for each in ear.packets} == {ANN}


def test_a_key_says_nothing_about_a_frame_in_the_clear(ear: Any) -> None:
    ear.group.members = {ANN}
    for number in range(30):
        ear.receiver.receive(ear.wire(b"in the clear", sequence=number))
    assert ear.heard() == []


def test_frames_said_before_the_group_is_there_are_heard_in_order(ear: Any) -> None:
    ear.group.ready = False
    ear.names(ANN, 7)
    for number in range(3):
        ear.says(ANN, b"%d" % number, sequence=number)
    ear.receiver.receive(ear.wire(SILENCE, sequence=3))
    assert ear.heard() == []
    ear.group.ready, ear.group.epoch, ear.group.members = True, 2, {ANN}
    ear.says(ANN, b"4", sequence=4)
    assert ear.heard() == [b"0", b"1", b"2", SILENCE, b"4"]


def test_frames_of_somebody_who_is_not_in_the_group_yet_are_heard_when_they_are(ear: Any) -> None:
    ear.names(ANN, 7)
    ear.says(ANN, b"0", sequence=0)
    assert ear.heard() == []
    ear.group.members, ear.group.epoch = {ANN}, 2
    ear.now_s += 0.2
    assert ear.receiver.due_s is not None
    assert ear.heard() == [b"0"]


def test_damaged_frames_are_lost_and_those_after_them_are_not(ear: Any) -> None:
    ear.group.members, ear.group.wrong = {ANN}, {b"1"}
    ear.names(ANN, 7)
    for number in range(3):
        ear.says(ANN, b"%d" % number, sequence=number)
    assert ear.heard() == [b"0"]
    ear.now_s += 0.1
    assert ear.heard() == [b"0", b"2"]
    assert ear.packets[-1].lost_before == 1
    assert ear.receiver.counters.of(ANN)[Outcome.UNDECRYPTABLE] == 1


def test_frames_in_the_clear_are_heard_only_where_nobody_encrypts(ear: Any) -> None:
    ear.group.members = {ANN}
    ear.names(ANN, 7)
    ear.receiver.receive(ear.wire(b"clear", sequence=1))
    assert ear.heard() == []
    ear.receiver.message(21, {"transition_id": 9, "protocol_version": 0})
    ear.receiver.message(22, {"transition_id": 9})
    ear.receiver.receive(ear.wire(b"clear", sequence=2))
    ear.says(ANN, b"a straggler", sequence=3)
    assert ear.heard() == [b"clear", b"a straggler"]
    ear.receiver.message(21, {"transition_id": 0, "protocol_version": 1})
    ear.receiver.receive(ear.wire(b"clear again", sequence=4))
    assert len(ear.heard()) == 2
    assert ear.receiver.counters.of(ANN)[Outcome.UNENCRYPTED] == 2


def test_ciphertext_is_never_passed_on_as_opus(ear: Any) -> None:
    ear.receiver.message(21, {"transition_id": 0, "protocol_version": 0})
    ear.group = None
    ear.names(ANN, 7)
    ear.says(ANN, b"secret")
    assert ear.heard() == []


def test_who_is_not_wanted_is_not_decrypted_not_even_what_waited(ear: Any) -> None:
    ear.group.members = {ANN}
    ear.says(ANN, b"0", sequence=0)
    ear.wanted = lambda _: False
    ear.names(ANN, 7)
    ear.says(ANN, b"1", sequence=1)
    assert ear.heard() == []
    assert ear.receiver.counters.of(ANN) == {Outcome.UNWANTED: 2}
    assert ear.group.wrong == set()
    ear.wanted = lambda _: True
    ear.says(ANN, b"2", sequence=2)
    assert ear.heard() == [b"2"]


def test_duplicates_go_before_they_look_like_an_attack(ear: Any) -> None:
    ear.group.members = {ANN}
    ear.names(ANN, 7)
    for _ in range(3):
        ear.says(ANN, b"once", sequence=9)
    assert ear.heard() == [b"once"]
    assert ear.receiver.counters.of(ANN) == {Outcome.HEARD: 1, Outcome.DUPLICATE: 2}


def test_a_new_session_forgets_sources_and_uses_the_new_key(ear: Any) -> None:
    ear.group.members = {ANN, BEN}
    ear.names(ANN, 7)
    ear.says(ANN, b"before", sequence=1)
    ear.receiver.message(2, {"ssrc": 1})
    ear.wire.key = ear.secret_key = bytes(32)
    ear.receiver.message(4, {"dave_protocol_version": 1})
    ear.names(BEN, 7)
    ear.says(BEN, b"after", sequence=1)
    assert ear.heard() == [b"before", b"after"]
    assert [each.user_id for each in ear.packets] == [ANN, BEN]


def test_what_was_held_for_its_order_is_passed_on_when_somebody_leaves(ear: Any) -> None:
    ear.group.members = {ANN}
    ear.names(ANN, 7)
    ear.says(ANN, b"0", sequence=0)
    ear.says(ANN, b"2", sequence=2)
    ear.receiver.message(13, {"user_id": str(ANN)})
    assert ear.heard() == [b"0", b"2"]
    ear.says(ANN, b"3", sequence=3)
    assert ear.heard() == [b"0", b"2"]


@pytest.mark.parametrize(
    ("opcode", "data"),
    [(5, None), (5, {"ssrc": "x", "user_id": 1}), (5, {"ssrc": 5}), (11, {}), (12, []), (13, {}),
     (22, 3), (21, {"transition_id": True, "protocol_version": 1})],
)  # fmt: skip
def test_messages_without_their_fields_are_counted_and_do_no_harm(
    ear: Any, opcode: int, data: Any
) -> None:
    ear.receiver.message(opcode, data)
    assert ear.receiver.counters.totals == {Outcome.BAD_MESSAGE: 1}


@pytest.mark.parametrize("opcode", [0, 6, 8, 9, 15, 18, 20, 24, 999])
def test_messages_that_mean_nothing_here_are_left_alone(ear: Any, opcode: int) -> None:
    ear.receiver.message(opcode, {"anything": 1})
    assert ear.receiver.counters.totals == {}


def test_nothing_that_comes_on_the_socket_raises(ear: Any) -> None:
    ear.names(ANN, 7)
    good = ear.wire(b"frame")
    for size in range(len(good)):
        ear.receiver.receive(good[:size])
    ear.receiver.receive(ear.wire(b"x" * 20, sequence=1)[:-1] + b"?")
    ear.secret_key = None
    ear.receiver.receive(good)
    totals = ear.receiver.counters.totals
    assert totals[Outcome.NO_KEY] == 1
    assert totals[Outcome.FORGED] >= 1
    assert Outcome.FAULT not in totals


def test_a_fault_of_its_own_is_counted_and_the_thread_goes_on(ear: Any) -> None:
    def wanted(_: int) -> bool:
        msg = "a fault"
        raise RuntimeError(msg)

    ear.names(ANN, 7)
    ear.wanted = wanted
    ear.says(ANN, b"0")
    ear.wanted = lambda _: True
    ear.group.members = {ANN}
    ear.says(ANN, b"1", sequence=2)
    assert ear.heard() == [b"1"]
    assert ear.receiver.counters.totals[Outcome.FAULT] == 1


def test_frames_that_go_on_failing_ask_for_a_new_group_and_then_a_new_connection(
    ear: Any,
) -> None:
    ear.receiver.message(22, {"transition_id": 4})
    ear.names(ANN, 7)
    for number in range(200):
        ear.now_s += 0.1
        ear.says(ANN, b"%d" % number, sequence=number)
        ear.heard()
    assert ear.steps == [RecoveryStep.REINITIALISE, RecoveryStep.RECONNECT]
