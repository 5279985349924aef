"""The queue in front of the engines: order, fairness, bounds and batches, with virtual time."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import pytest

from voicemesh_stt.ports import Lane
from voicemesh_stt.schedule import Schedule, Ticket

pytestmark = pytest.mark.unit

LIVE, PARTIAL, BULK = Lane.LIVE, Lane.PARTIAL, Lane.BULK
LONG_AGO, NOW = -1000.0, 0.0


def ticket(
    name: str,
    lane: Lane = LIVE,
    *,
    caller: Hashable | None = None,
    turn: Hashable | None = None,
    key: Hashable = "key",
    deadline_s: float = 60.0,
    model: str = "model",
    workers: int = 8,
    most: int = 1,
    work_s: float = 1.0,
) -> Ticket[str]:
    """A ticket of a caller of its own, that shares no batch, unless told otherwise."""
    return Ticket(
        name,
        lane,
        caller or object(),
        deadline_s,
        model,
        workers=workers,
        most=most,
        turn=turn,
        work_s=work_s,
        key=key,
    )


def filled(*tickets: Ticket[str], bound: int = 100, workers: int = 1) -> Schedule[str]:
    """A queue to which these were offered long ago, so that live work is not recent."""
    schedule: Schedule[str] = Schedule(bound, workers)
    for each in tickets:
        assert schedule.offer(each, LONG_AGO).taken
    return schedule


def names(tickets: Sequence[Ticket[str]]) -> list[str]:
    return [each.item for each in tickets]


def drained(schedule: Schedule[str], now_s: float = NOW) -> list[list[str]]:
    """All batches, one at a time."""
    batches = []
    while batch := schedule.take(now_s).batch:
        schedule.done(batch)
        batches.append(names(batch))
    return batches


def flat(batches: list[list[str]]) -> list[str]:
    return [name for batch in batches for name in batch]


def test_live_work_goes_before_partials_and_those_before_bulk() -> None:
    schedule = filled(ticket("p", PARTIAL), ticket("b1", BULK), ticket("l1"), ticket("b2", BULK))

    assert flat(drained(schedule)) == ["l1", "p", "b1", "b2"]


def test_bulk_does_not_starve() -> None:
    schedule = filled(ticket("b", BULK), *[ticket(f"l{number}") for number in range(8)])

    assert flat(drained(schedule)).index("b") == 4


def test_live_work_does_not_count_as_going_first_while_no_bulk_waits() -> None:
    schedule = filled(*[ticket(f"l{number}") for number in range(8)])
    for _ in range(6):
        schedule.done(schedule.take(NOW).batch)
    schedule.offer(ticket("b", BULK), NOW)

    assert flat(drained(schedule)) == ["l6", "l7", "b"]


@pytest.mark.parametrize("lane", [LIVE, BULK])
def test_callers_take_turns_whatever_each_has_waiting(lane: Lane) -> None:
    greedy = [ticket(f"a{number}", lane, caller="a") for number in range(4)]
    modest = [ticket("b0", lane, caller="b"), ticket("c0", lane, caller="c")]

    assert flat(drained(filled(*greedy, *modest))) == ["a0", "b0", "c0", "a1", "a2", "a3"]


def test_turns_go_on_where_they_were_when_more_work_comes() -> None:
    schedule = filled(*[ticket(name, BULK, caller=name[0]) for name in ("a0", "a1", "b0", "b1")])
    schedule.done(schedule.take(NOW).batch)

    schedule.offer(ticket("c0", BULK, caller="c"), NOW)

    assert flat(drained(schedule)) == ["b0", "c0", "a1", "b1"]


def test_callers_get_equal_shares_of_the_work_and_not_of_the_jobs() -> None:
    long = [ticket(f"long{number}", BULK, caller="a", work_s=30.0) for number in range(4)]
    short = [ticket(f"short{number}", BULK, caller="b", work_s=10.0) for number in range(9)]

    order = flat(drained(filled(*long, *short)))

    assert [sum("short" in name for name in order[: order.index(each.item)]) for each in long] == [
        2,
        5,
        8,
        9,
    ]


def test_a_short_recording_goes_before_what_waits_of_long_ones() -> None:
    pieces = [
        ticket(f"{caller}{number}", BULK, caller=caller, work_s=30.0, most=8)
        for caller in "abcd"
        for number in range(8)
    ]
    schedule = filled(*pieces, workers=2)
    first = schedule.take(NOW).batch
    schedule.take(NOW)

    schedule.offer(ticket("short", BULK, key="other", work_s=12.5, most=8), NOW)
    schedule.done(first)

    assert names(schedule.take(NOW).batch) == ["short"]


def test_a_long_recording_is_not_passed_over_for_ever_by_ever_new_callers() -> None:
    schedule = filled(ticket("long", BULK, work_s=30.0))
    for number in range(200):
        schedule.offer(ticket(f"new{number}", BULK, work_s=5.0), NOW)
        batch = schedule.take(NOW).batch
        schedule.done(batch)
        if names(batch) == ["long"]:
            break

    assert 5 <= number <= 20


def test_what_a_caller_has_had_counts_though_nothing_of_it_waited_for_a_moment() -> None:
    schedule = filled(
        *[ticket(f"a{number}", BULK, caller="a", most=8, key="a") for number in range(4)],
        *[ticket(f"b{number}", BULK, caller="b") for number in range(4)],
    )
    first = schedule.take(NOW).batch
    assert len(first) == 4
    schedule.done(first)

    schedule.offer(ticket("a4", BULK, caller="a"), NOW)
    schedule.offer(ticket("c", BULK, caller="c"), NOW)

    assert flat(drained(schedule)) == ["b0", "b1", "b2", "c", "b3", "a4"]


def test_nothing_is_kept_of_callers_who_have_had_no_more_than_others() -> None:
    schedule = filled(*[ticket(f"b{number}", BULK) for number in range(9)])
    drained(schedule)
    gone = ticket("gone", BULK)
    schedule.offer(gone, NOW)
    schedule.discard(gone)

    assert len(schedule._lanes[BULK].starts_s) <= 9
    for number in range(50):
        schedule.offer(ticket(f"one at a time {number}", BULK), NOW)
        drained(schedule)
    assert not schedule._lanes[BULK].starts_s


def test_a_new_caller_waits_for_live_work_and_its_turn_but_not_for_all_of_a_long_recording() -> (
    None
):
    schedule = filled(
        ticket("live"),
        *[ticket(f"a{number}", BULK, caller="a", work_s=30.0) for number in range(8)],
        ticket("b", BULK, caller="b", work_s=5.0),
    )

    assert sorted(names(list(schedule.ahead(10.0)))) == ["b", "live"]
    assert sorted(names(list(schedule.ahead(30.0)))) == ["a0", "b", "live"]


def test_a_newer_job_of_a_turn_takes_the_place_of_one_that_waits() -> None:
    schedule = filled(ticket("old", turn="t"), ticket("other", turn="u"), ticket("none"))

    offer = schedule.offer(ticket("new", turn="t"), NOW)

    assert names(offer.superseded) == ["old"]
    assert sorted(flat(drained(schedule))) == ["new", "none", "other"]


def test_a_partial_takes_no_place_of_words_at_a_pause() -> None:
    schedule = filled(ticket("words", turn="t"))

    offer = schedule.offer(ticket("partial", PARTIAL, turn="t"), NOW)

    assert not offer.taken
    assert not offer.superseded


def test_words_at_a_pause_take_the_place_of_a_partial() -> None:
    schedule = filled(ticket("partial", PARTIAL, turn="t"))

    offer = schedule.offer(ticket("words", turn="t"), NOW)

    assert names(offer.superseded) == ["partial"]
    assert flat(drained(schedule)) == ["words"]


def test_what_runs_is_not_superseded() -> None:
    schedule = filled(ticket("runs", turn="t"))
    schedule.take(NOW)

    assert not schedule.offer(ticket("new", turn="t"), NOW).superseded


def test_no_more_than_the_bound_wait() -> None:
    schedule = filled(ticket("a"), ticket("b", BULK), bound=2)

    assert not schedule.offer(ticket("c"), NOW).taken
    assert len(schedule) == 2


def test_bulk_leaves_room_for_live_work() -> None:
    schedule = filled(*[ticket(f"b{number}", BULK) for number in range(6)], bound=8)

    assert not schedule.offer(ticket("b6", BULK), NOW).taken
    assert schedule.offer(ticket("l0"), NOW).taken
    assert schedule.offer(ticket("l1"), NOW).taken
    assert not schedule.offer(ticket("l2"), NOW).taken


@pytest.mark.parametrize("lane", [LIVE, BULK])
def test_a_partial_is_refused_as_soon_as_anything_else_waits(lane: Lane) -> None:
    assert filled().offer(ticket("p", PARTIAL), NOW).taken
    assert not filled(ticket("other", lane)).offer(ticket("p", PARTIAL), NOW).taken


def test_partials_wait_together_but_not_more_than_make_a_batch() -> None:
    schedule = filled(*[ticket(f"p{number}", PARTIAL, most=2) for number in range(2)])

    assert not schedule.offer(ticket("p2", PARTIAL, most=2), NOW).taken


def test_a_partial_makes_room_in_a_full_queue() -> None:
    schedule = filled(ticket("p", PARTIAL), ticket("l0"), bound=2)

    offer = schedule.offer(ticket("l1"), NOW)

    assert names(offer.dropped) == ["p"]
    assert flat(drained(schedule)) == ["l0", "l1"]


def test_what_cannot_be_done_in_time_is_not_begun() -> None:
    schedule = filled(
        ticket("past", deadline_s=-1.0),
        ticket("tight", BULK, deadline_s=0.4),
        ticket("fine", deadline_s=0.6),
    )

    taken = schedule.take(NOW, lambda ticket: 0.5 * ticket.work_s)

    assert sorted(names(taken.late)) == ["past", "tight"]
    assert names(taken.batch) == ["fine"]
    assert len(schedule) == 0


def test_a_job_without_features_does_not_hold_up_those_behind_it() -> None:
    slow = ticket("slow", caller="a", key=None)
    schedule = filled(slow, ticket("next", caller="a"), ticket("other"))

    assert flat(drained(schedule)) == ["other", "next"]
    slow.key = "key"
    assert flat(drained(schedule)) == ["slow"]


def test_a_discarded_job_is_not_taken() -> None:
    gone, never = ticket("gone"), ticket("never")
    schedule = filled(gone, ticket("stays"))

    schedule.discard(gone)
    schedule.discard(never)

    assert flat(drained(schedule)) == ["stays"]


def test_what_is_put_back_goes_first_even_into_a_full_queue() -> None:
    again = ticket("again", BULK)
    schedule = filled(again, bound=2)
    schedule.done(schedule.take(NOW).batch)
    schedule.offer(ticket("b", BULK), NOW)
    schedule.offer(ticket("l"), NOW)

    schedule.put_first(again)

    assert flat(drained(schedule)) == ["l", "again", "b"]


def test_what_is_put_back_can_be_discarded() -> None:
    again = ticket("again")
    schedule = filled(again)
    schedule.done(schedule.take(NOW).batch)
    schedule.put_first(again)

    schedule.discard(again)

    assert drained(schedule) == []


def test_a_batch_holds_what_has_the_same_key_and_model_by_turns() -> None:
    schedule = filled(
        ticket("a0", caller="a", most=3),
        ticket("a1", caller="a", most=3),
        ticket("x", key="other", most=3),
        ticket("y", model="other", most=3),
        ticket("b0", caller="b", most=3),
    )

    assert drained(schedule) == [["a0", "b0", "a1"], ["x"], ["y"]]


def test_a_batch_holds_no_more_than_it_may() -> None:
    schedule = filled(*[ticket(f"l{number}", most=8) for number in range(10)])

    assert [len(batch) for batch in drained(schedule)] == [8, 2]


def test_more_than_a_few_are_shared_out_among_the_workers() -> None:
    schedule = filled(*[ticket(f"l{number}", most=8) for number in range(10)], workers=2)

    assert [len(batch) for batch in drained(schedule)] == [5, 4, 1]


def test_a_live_batch_takes_no_bulk_with_it() -> None:
    schedule = filled(ticket("l", most=8), ticket("b", BULK, most=8))

    assert drained(schedule) == [["l"], ["b"]]


def test_live_work_joins_a_batch_of_bulk_before_other_bulk() -> None:
    lives = [ticket(f"l{number}", key=f"k{number}", most=2) for number in range(4)]
    late = ticket("l4", key="k", most=2)
    bulk = [ticket(f"b{number}", BULK, caller="a", key="k", most=2) for number in range(2)]
    schedule = filled(*lives, late, *bulk)

    assert drained(schedule)[4] == ["b0", "l4"]


def test_bulk_takes_small_batches_and_leaves_a_worker_free_while_live_work_comes_in() -> None:
    schedule = filled(*[ticket(f"b{number}", BULK, most=8) for number in range(12)], workers=2)
    schedule.offer(ticket("l", most=8), NOW)
    schedule.done(schedule.take(NOW).batch)

    assert len(schedule.take(NOW).batch) == 2
    assert not schedule.take(NOW + 1).batch
    assert len(schedule.take(NOW + 60).batch) > 2


@pytest.mark.parametrize(("work_s", "most"), [(30.0, 4), (20.0, 6), (15.0, 8), (10.0, 8)])
def test_bulk_of_several_callers_takes_batches_of_half_the_greatest_work(
    work_s: float, most: int
) -> None:
    def batches(*callers: str) -> list[int]:
        pieces = [ticket("b", BULK, caller=caller, most=8, work_s=work_s) for caller in callers * 8]
        return [len(batch) for batch in drained(filled(*pieces))]

    assert batches("a") == [8]
    assert batches("a", "b")[:2] == [most, most]


def test_a_partial_says_that_words_at_a_pause_will_follow() -> None:
    schedule = filled(*[ticket(f"b{number}", BULK, most=8) for number in range(12)], workers=2)

    assert not schedule.offer(ticket("p", PARTIAL), NOW).taken

    assert len(schedule.take(NOW).batch) == 2
    assert not schedule.take(NOW).batch


def test_a_lone_worker_takes_bulk_even_while_live_work_comes_in() -> None:
    schedule = filled(ticket("b", BULK))
    schedule.offer(ticket("l"), NOW)

    assert flat(drained(schedule)) == ["l", "b"]


def test_no_more_batches_of_a_model_run_than_it_has_workers() -> None:
    schedule = filled(
        ticket("a0", model="a", workers=1),
        ticket("a1", model="a", workers=1),
        ticket("b", model="b", workers=1),
        workers=3,
    )
    first = schedule.take(NOW).batch

    assert names(first) == ["a0"]
    assert names(schedule.take(NOW).batch) == ["b"]
    assert not schedule.take(NOW).batch
    schedule.done(first)
    assert names(schedule.take(NOW).batch) == ["a1"]
