"""The supervision, by tables of scripted events in virtual time."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from voicemesh_launcher.actions import (
    Action,
    AllReady,
    Died,
    Kill,
    Ready,
    Start,
    Stopped,
    Stopping,
    Terminate,
    TooSlow,
)
from voicemesh_launcher.supervision import Planned, Policy, Supervision

pytestmark = pytest.mark.unit

PLANS = [Planned("stt"), Planned("tts"), Planned("bot", needs=("stt", "tts"))]
POLICY = Policy(start_s=10, stop_s=5, first_pause_s=1, longest_pause_s=4, steady_s=60)


@dataclass(frozen=True)
class Exited:
    name: str
    status: int = 0


@dataclass(frozen=True)
class IsReady:
    name: str


BEGIN, STOP, TICK = "begin", "stop", "tick"
Event = str | Exited | IsReady
Step = tuple[float, Event, list[Action]]


def play(steps: list[Step]) -> Supervision:
    """Feeds the events and compares what is decided with what the table says."""
    supervision = Supervision(PLANS, POLICY)
    for now, event, expected in steps:
        match event:
            case Exited():
                decided = supervision.exited(event.name, event.status, now)
            case IsReady():
                decided = supervision.became_ready(event.name, now)
            case _:
                decided = getattr(supervision, event)(now)
        assert decided == expected, (now, event)
    return supervision


START: list[Step] = [
    (0, BEGIN, [Start("stt"), Start("tts")]),
    (1, IsReady("tts"), [Ready("tts", 1, again=False)]),
    (3, IsReady("stt"), [Ready("stt", 3, again=False), Start("bot")]),
    (4, IsReady("bot"), [Ready("bot", 1, again=False), AllReady()]),
]


def test_a_program_is_started_once_all_that_it_needs_is_ready() -> None:
    supervision = play(START)

    assert supervision.outcome is None
    assert supervision.next_deadline is None


def test_stopping_goes_backwards_and_ends_with_0() -> None:
    supervision = play([
        *START,
        (10, STOP, [Stopping(), Terminate("bot")]),
        (11, Exited("bot"), [Stopped("bot", killed=False), Terminate("tts"), Terminate("stt")]),
        (12, Exited("stt"), [Stopped("stt", killed=False)]),
        (13, Exited("tts"), [Stopped("tts", killed=False)]),
    ])  # fmt: skip

    assert supervision.outcome == 0


def test_stopping_twice_kills_at_once() -> None:
    supervision = play([
        *START,
        (10, STOP, [Stopping(), Terminate("bot")]),
        (10.5, STOP, [Kill("stt"), Kill("tts"), Kill("bot")]),
        (10.6, Exited("bot", -9), [Stopped("bot", killed=True)]),
        (10.6, Exited("stt", -9), [Stopped("stt", killed=True)]),
        (10.6, Exited("tts", -9), [Stopped("tts", killed=True)]),
    ])  # fmt: skip

    assert supervision.outcome == 0


def test_what_does_not_stop_in_time_is_killed() -> None:
    play([
        *START,
        (10, STOP, [Stopping(), Terminate("bot")]),
        (14, TICK, []),
        (15, TICK, [Kill("bot")]),
        (15, Exited("bot", -9), [
            Stopped("bot", killed=True), Terminate("tts"), Terminate("stt"),
        ]),
        (20, TICK, [Kill("stt"), Kill("tts")]),
    ])  # fmt: skip


def test_the_end_of_a_program_during_the_start_ends_everything_with_1() -> None:
    supervision = play([
        (0, BEGIN, [Start("stt"), Start("tts")]),
        (1, IsReady("stt"), [Ready("stt", 1, again=False)]),
        (2, Exited("tts", 78), [Died("tts", 78, restart_s=None), Stopping(), Terminate("stt")]),
        (3, Exited("stt"), [Stopped("stt", killed=False)]),
    ])  # fmt: skip

    assert supervision.outcome == 1


def test_a_program_that_ends_after_being_ready_while_others_start_ends_everything() -> None:
    supervision = play([
        *START[:3],
        (3.5, Exited("stt", 1), [
            Died("stt", 1, restart_s=None), Stopping(), Terminate("bot"),
        ]),
        (4, Exited("bot"), [Stopped("bot", killed=False), Terminate("tts")]),
        (5, Exited("tts"), [Stopped("tts", killed=False)]),
    ])  # fmt: skip

    assert supervision.outcome == 1


def test_a_program_that_does_not_get_ready_is_killed_and_ends_everything() -> None:
    supervision = play([
        (0, BEGIN, [Start("stt"), Start("tts")]),
        (1, IsReady("stt"), [Ready("stt", 1, again=False)]),
        (10, TICK, [TooSlow("tts", 10), Kill("tts")]),
        (10, Exited("tts", -9), [Died("tts", -9, restart_s=None), Stopping(), Terminate("stt")]),
        (11, Exited("stt"), [Stopped("stt", killed=False)]),
    ])  # fmt: skip

    assert supervision.outcome == 1


def test_a_program_that_dies_later_is_started_again_later_each_time() -> None:
    play([
        *START,
        (5, Exited("stt", -11), [Died("stt", -11, restart_s=1)]),
        (6, TICK, [Start("stt")]),
        (7, Exited("stt", 1), [Died("stt", 1, restart_s=2)]),
        (8, TICK, []),
        (9, TICK, [Start("stt")]),
        (9, Exited("stt", 1), [Died("stt", 1, restart_s=4)]),
        (13, TICK, [Start("stt")]),
        (13, Exited("stt", 1), [Died("stt", 1, restart_s=4)]),
        (17, TICK, [Start("stt")]),
        (18, IsReady("stt"), [Ready("stt", 1, again=True)]),
        (19, Exited("stt", 1), [Died("stt", 1, restart_s=4)]),
    ])  # fmt: skip


def test_a_program_that_was_steady_starts_with_the_first_pause_again() -> None:
    play([
        *START,
        (5, Exited("stt", 1), [Died("stt", 1, restart_s=1)]),
        (6, TICK, [Start("stt")]),
        (7, IsReady("stt"), [Ready("stt", 1, again=True)]),
        (67, Exited("stt", 1), [Died("stt", 1, restart_s=1)]),
    ])  # fmt: skip


def test_a_restart_that_is_too_slow_is_tried_again() -> None:
    play([
        *START,
        (5, Exited("stt", 1), [Died("stt", 1, restart_s=1)]),
        (6, TICK, [Start("stt")]),
        (16, TICK, [TooSlow("stt", 10), Kill("stt")]),
        (16, Exited("stt", -9), [Died("stt", -9, restart_s=2)]),
    ])  # fmt: skip


def test_stopping_during_the_start_stops_what_has_been_started() -> None:
    supervision = play([
        (0, BEGIN, [Start("stt"), Start("tts")]),
        (1, STOP, [Stopping(), Terminate("tts"), Terminate("stt")]),
        (1.5, IsReady("stt"), []),
        (2, Exited("stt"), [Stopped("stt", killed=False)]),
        (2, Exited("tts", -15), [Stopped("tts", killed=False)]),
    ])  # fmt: skip

    assert supervision.outcome == 0


def test_stopping_while_a_program_waits_for_its_restart_does_not_wait_for_it() -> None:
    supervision = play([
        *START,
        (5, Exited("stt", 1), [Died("stt", 1, restart_s=1)]),
        (5.5, STOP, [Stopping(), Terminate("bot")]),
        (6, TICK, []),
        (6, Exited("bot"), [Stopped("bot", killed=False), Terminate("tts")]),
        (7, Exited("tts"), [Stopped("tts", killed=False)]),
    ])  # fmt: skip

    assert supervision.outcome == 0


def test_the_next_deadline_is_the_earliest() -> None:
    supervision = Supervision(PLANS, POLICY)
    supervision.begin(0)
    supervision.became_ready("stt", 3)

    assert supervision.next_deadline == 10
