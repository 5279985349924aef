"""The turn machine, by scripts in virtual time: `v` is a voiced frame, `.` a silent one."""

from __future__ import annotations

import pytest

from voicemesh_stt.domain import TurnDetection
from voicemesh_stt.events import EndReason
from voicemesh_stt.live.turns import (
    Decision,
    Resumed,
    SoftStopped,
    TurnMachine,
    TurnOpened,
    TurnOver,
    Verdict,
)
from voicemesh_stt.ports import FRAME_S

pytestmark = pytest.mark.unit

# In frames: pre-roll 3, shortest voice 4, soft stop 2, gates 5, 8 and 12, longest turn 40.
DETECTION = TurnDetection(
    pre_roll_s=3 * FRAME_S,
    min_speech_s=4 * FRAME_S,
    soft_stop_s=2 * FRAME_S,
    complete_silence_s=5 * FRAME_S,
    unsure_silence_s=8 * FRAME_S,
    incomplete_silence_s=12 * FRAME_S,
    max_turn_s=40 * FRAME_S,
)
PROBABILITY = {"v": 0.9, "~": 0.4, ".": 0.05}


def play(machine: TurnMachine, script: str, verdict: Verdict | None = None) -> list[Decision]:
    """All decisions; each soft stop is judged at once if a verdict is given."""
    decisions: list[Decision] = []
    for frame in script:
        found = machine.frame(PROBABILITY[frame])
        for decision in found:
            if isinstance(decision, SoftStopped) and verdict is not None:
                machine.judge(decision.turn_id, decision.revision, verdict)
        decisions += found
    return decisions


def names(decisions: list[Decision]) -> list[str]:
    return [type(decision).__name__ for decision in decisions]


def over(decisions: list[Decision]) -> TurnOver:
    (found,) = [decision for decision in decisions if isinstance(decision, TurnOver)]
    return found


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("." * 50, []),
        ("vvv" + "." * 50, []),  # shorter than the shortest voice
        ("~" * 50, []),  # never reaches the start threshold
        ("v" * 4, ["TurnOpened"]),
        ("vv..vv", ["TurnOpened"]),  # a gap shorter than a forgotten voice
        ("vv...vv", []),
        ("v~~~", ["TurnOpened"]),  # to stay a voice takes less than to become one
        ("vvvv" + "." * 2, ["TurnOpened", "SoftStopped"]),
        ("vvvv" + "." * 8, ["TurnOpened", "SoftStopped", "TurnOver"]),
        ("vvvv.v.v.v.v", ["TurnOpened"]),  # dips shorter than the soft stop
        ("vvvv..v.v.", ["TurnOpened", "SoftStopped"]),  # clicks do not resume a turn
        ("vvvv..vv", ["TurnOpened", "SoftStopped", "Resumed"]),
        ("vvvv..~~", ["TurnOpened", "SoftStopped"]),  # nor does what is not quite a voice
    ],
)
def test_decisions_follow_from_the_voice_alone(script: str, expected: list[str]) -> None:
    assert names(play(TurnMachine(DETECTION), script)) == expected


@pytest.mark.parametrize(
    ("verdict", "silence"),
    [(Verdict.COMPLETE, 5), (Verdict.UNSURE, 8), (Verdict.INCOMPLETE, 12), (None, 8)],
)
def test_the_words_decide_how_much_silence_ends_a_turn(
    verdict: Verdict | None, silence: int
) -> None:
    machine = TurnMachine(DETECTION)

    before = play(machine, "v" * 10 + "." * (silence - 1), verdict)
    last = play(machine, ".", verdict)

    assert names(before) == ["TurnOpened", "SoftStopped"]
    assert over(last).reason is EndReason.SILENCE


def test_a_late_verdict_ends_the_turn_at_the_next_silent_frame() -> None:
    machine = TurnMachine(DETECTION)
    play(machine, "v" * 10 + "." * 6)

    machine.judge(1, 1, Verdict.COMPLETE)

    assert names(play(machine, ".")) == ["TurnOver"]


def test_a_verdict_on_words_taken_back_is_ignored() -> None:
    machine = TurnMachine(DETECTION)
    play(machine, "v" * 10 + ".." + "vv" + "..")

    machine.judge(1, 1, Verdict.COMPLETE)

    assert names(play(machine, "....")) == []


def test_a_turn_over_by_silence_has_the_revision_and_the_audio_of_its_soft_stop() -> None:
    decisions = play(TurnMachine(DETECTION), "." * 10 + "v" * 6 + "." * 8)

    opened, stopped, ended = decisions
    assert opened == TurnOpened(turn_id=1, first_frame=7, voice_frame=10)
    assert stopped == SoftStopped(1, 1, 7, 18, voice_end_frame=16)
    assert ended == TurnOver(1, 1, 7, 18, 10, 16, EndReason.SILENCE)


def test_a_resumed_turn_takes_its_soft_stop_back_and_makes_a_new_revision() -> None:
    decisions = play(TurnMachine(DETECTION), "v" * 6 + "..." + "v" * 6 + "." * 8)

    assert names(decisions) == ["TurnOpened", "SoftStopped", "Resumed", "SoftStopped", "TurnOver"]
    assert decisions[2] == Resumed(1, 1, voice_frame=9)
    assert over(decisions).revision == 2


@pytest.mark.parametrize("reason", [EndReason.FINISHED_BY_CALLER, EndReason.END_OF_STREAM])
def test_finishing_in_the_middle_of_a_voice_makes_words_of_a_revision_of_their_own(
    reason: EndReason,
) -> None:
    machine = TurnMachine(DETECTION)
    play(machine, "v" * 6 + ".." + "v" * 6)

    ended = over(machine.finish(reason))

    assert (ended.revision, ended.end_frame, ended.reason) == (2, 14, reason)


def test_finishing_in_a_pause_uses_the_words_made_ready_there() -> None:
    machine = TurnMachine(DETECTION)
    play(machine, "v" * 6 + "...")

    ended = over(machine.finish(EndReason.FINISHED_BY_CALLER))

    assert (ended.revision, ended.end_frame) == (1, 8)


def test_finishing_without_an_open_turn_does_nothing() -> None:
    machine = TurnMachine(DETECTION)
    play(machine, "....vv")

    assert machine.finish(EndReason.FINISHED_BY_CALLER) == []


def test_a_turn_that_is_too_long_is_cut_and_the_next_begins_where_it_ended() -> None:
    decisions = play(TurnMachine(DETECTION), "v" * 50)

    assert names(decisions) == ["TurnOpened", "TurnOver", "TurnOpened"]
    ended, opened = decisions[1], decisions[2]
    assert isinstance(ended, TurnOver)
    assert isinstance(opened, TurnOpened)
    assert ended.reason is EndReason.MAX_DURATION
    assert opened.first_frame == ended.end_frame == 40


def test_no_frame_is_in_two_turns() -> None:
    decisions = play(TurnMachine(DETECTION), ("v" * 6 + "." * 8) * 3)

    ends = [d.end_frame for d in decisions if isinstance(d, TurnOver)]
    firsts = [d.first_frame for d in decisions if isinstance(d, TurnOpened)]
    assert len(firsts) == 3
    assert all(first >= end for first, end in zip(firsts[1:], ends, strict=False))


def test_turns_are_numbered_from_one() -> None:
    decisions = play(TurnMachine(DETECTION), ("v" * 6 + "." * 8) * 3)

    assert [d.turn_id for d in decisions if isinstance(d, TurnOver)] == [1, 2, 3]


def test_a_soft_stop_is_never_later_than_the_first_gate() -> None:
    detection = TurnDetection(soft_stop_s=2.0, complete_silence_s=5 * FRAME_S)
    decisions = play(TurnMachine(detection), "v" * 10 + "." * 5, Verdict.COMPLETE)

    assert "SoftStopped" in names(decisions)


def test_it_says_when_a_verdict_would_decide() -> None:
    machine = TurnMachine(DETECTION)
    play(machine, "v" * 6 + "...")
    early = machine.awaits_verdict

    play(machine, ".")

    waited = machine.awaits_verdict
    play(machine, "vv")
    assert (early, waited, machine.awaits_verdict) == (False, True, False)


def test_the_last_verdict_on_a_soft_stop_counts() -> None:
    machine = TurnMachine(DETECTION)
    play(machine, "v" * 10 + "..", Verdict.COMPLETE)  # by the sound

    machine.judge(1, 1, Verdict.INCOMPLETE)  # by the words, which come later

    assert names(play(machine, "." * 9)) == []
    assert names(play(machine, ".")) == ["TurnOver"]


def test_a_verdict_that_comes_after_the_voice_went_on_is_ignored() -> None:
    machine = TurnMachine(DETECTION)
    play(machine, "v" * 10 + ".." + "vv")

    machine.judge(1, 1, Verdict.COMPLETE)

    assert names(play(machine, "." * 7)) == ["SoftStopped"]


def test_the_soft_stop_can_be_set_between_frames() -> None:
    machine = TurnMachine(DETECTION)
    play(machine, "v" * 10)

    machine.soft_stop(FRAME_S)
    sooner = play(machine, ".")
    play(machine, "vv")
    machine.soft_stop(4 * FRAME_S)

    assert names(sooner) == ["SoftStopped"]
    assert names(play(machine, "...")) == []
    assert names(play(machine, ".")) == ["SoftStopped"]


def test_silence_can_be_skipped_unless_a_turn_is_open() -> None:
    machine = TurnMachine(DETECTION)
    play(machine, "....")

    machine.skip(1_000)

    (opened,) = play(machine, "v" * 4)
    assert isinstance(opened, TurnOpened)
    assert opened.voice_frame == 1_004
    with pytest.raises(ValueError, match="open turn"):
        machine.skip(1)


def test_frames_that_no_turn_can_need_are_named() -> None:
    machine = TurnMachine(DETECTION)
    play(machine, "." * 20)
    assert machine.oldest_needed == 17

    play(machine, "v" * 6)

    assert machine.oldest_needed == 17
