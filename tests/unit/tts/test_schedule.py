"""Whose turn it is, with scripted callers."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicemesh_tts.schedule import Lane, Schedule, Ticket

pytestmark = pytest.mark.unit

LIVE, BULK = Lane.LIVE, Lane.BULK


def asked(schedule: Schedule[str], *names: str, lane: Lane = LIVE) -> list[Ticket[str]]:
    """Tickets of callers who are named by the first letter of what they want."""
    tickets = [Ticket(name, lane, name[0]) for name in names]
    for ticket in tickets:
        schedule.add(ticket)
    return tickets


def served(schedule: Schedule[str], cost_s: dict[str, float] | None = None) -> list[str]:
    """What one worker does until nothing waits; each turn costs 0.1 s unless its caller's does."""
    order = []
    now_s = 0.0
    while (ticket := schedule.take(now_s)) is not None:
        worked_s = (cost_s or {}).get(str(ticket.caller), 0.1)
        now_s += worked_s
        schedule.done(ticket, worked_s)
        order.append(ticket.item)
    return order


def test_callers_alternate_and_each_ones_turns_stay_in_order() -> None:
    schedule: Schedule[str] = Schedule(10, 1)
    asked(schedule, "a1", "a2", "a3", "b1", "b2", "c1")

    assert served(schedule) == ["a1", "b1", "c1", "a2", "b2", "a3"]


def test_shares_are_of_time_and_not_of_turns() -> None:
    schedule: Schedule[str] = Schedule(100, 1)
    asked(schedule, *(f"a{n}" for n in range(4)), *(f"b{n}" for n in range(40)))

    order = served(schedule, {"a": 1.0, "b": 0.1})

    # While both have something, b has about ten short turns for each long one of a.
    last_of_a = order.index("a3")
    assert Counter(item[0] for item in order[:last_of_a]) == pytest.approx({"a": 3, "b": 30}, abs=4)


def test_who_comes_new_is_next_and_cannot_save_up() -> None:
    schedule: Schedule[str] = Schedule(100, 1)
    asked(schedule, *(f"a{n}" for n in range(20)))
    for _ in range(10):
        ticket = schedule.take(0.0)
        assert ticket is not None
        schedule.done(ticket, 1.0)
    asked(schedule, *(f"b{n}" for n in range(5)))

    order = served(schedule, {"a": 1.0, "b": 1.0})

    assert order[0] in {"b0", "a10"}
    assert order[:2].count("b0") == 1
    assert order[:6] != ["b0", "b1", "b2", "b3", "b4", "a10"]


def test_live_goes_before_bulk_which_has_every_fifth_turn() -> None:
    schedule: Schedule[str] = Schedule(100, 1)
    asked(schedule, *(f"a{n}" for n in range(9)))
    asked(schedule, "x1", "x2", "x3", lane=BULK)

    order = served(schedule)

    assert order == ["a0", "a1", "a2", "a3", "x1", "a4", "a5", "a6", "a7", "x2", "a8", "x3"]


def test_bulk_leaves_a_worker_free_while_somebody_speaks_live() -> None:
    schedule: Schedule[str] = Schedule(10, 2)
    (live,) = asked(schedule, "a1")
    asked(schedule, "x1", "y1", lane=BULK)
    assert schedule.take(0.0) is live
    schedule.done(live, 0.1)

    first = schedule.take(0.1)
    assert first is not None
    assert first.item == "x1"
    assert schedule.take(0.2) is None
    later = schedule.take(10.0)

    assert later is not None
    assert later.item == "y1"


def test_a_single_worker_does_bulk_though_somebody_speaks_live() -> None:
    schedule: Schedule[str] = Schedule(10, 1)
    (live,) = asked(schedule, "a1")
    asked(schedule, "x1", lane=BULK)
    assert schedule.take(0.0) is live
    schedule.done(live, 0.1)

    assert schedule.take(0.1) is not None


def test_the_last_quarter_of_the_room_is_for_new_live_callers() -> None:
    schedule: Schedule[str] = Schedule(8, 1)
    asked(schedule, "a1", "a2", "a3", "a4", "a5", "a6")

    assert not schedule.has_room(LIVE, "a")
    assert not schedule.has_room(BULK, "x")
    assert schedule.has_room(LIVE, "b")
    asked(schedule, "b1", "c1")
    assert not schedule.has_room(LIVE, "d")


def test_no_room_at_all_takes_nobody_and_room_for_one_takes_one() -> None:
    assert not Schedule[str](0, 1).has_room(LIVE, "a")
    one: Schedule[str] = Schedule(1, 1)
    assert one.has_room(BULK, "a")
    asked(one, "a1")
    assert not one.has_room(LIVE, "b")


def test_what_is_discarded_is_not_served() -> None:
    schedule: Schedule[str] = Schedule(10, 1)
    first, _ = asked(schedule, "a1", "a2")

    assert schedule.discard(first)
    assert not schedule.discard(first)
    assert served(schedule) == ["a2"]
    assert len(schedule) == 0


@given(
    st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from(list(Lane))), max_size=60),
    st.integers(1, 4),
)
def test_whatever_is_asked_for_is_served_once(wishes: list[tuple[str, Lane]], workers: int) -> None:
    schedule: Schedule[str] = Schedule(100, workers)
    for number, (caller, lane) in enumerate(wishes):
        schedule.add(Ticket(f"{caller}{number}", lane, caller))

    order = served(schedule)

    assert sorted(order) == sorted(f"{caller}{n}" for n, (caller, _) in enumerate(wishes))
    for caller in "abcd":
        for lane in Lane:
            own = [f"{caller}{n}" for n, wish in enumerate(wishes) if wish == (caller, lane)]
            assert [item for item in order if item in own] == own
