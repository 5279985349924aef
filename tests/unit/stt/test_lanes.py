"""The queue in front of the engine."""

from __future__ import annotations

import pytest

from voicemesh_stt.lanes import Lanes
from voicemesh_stt.ports import Lane

pytestmark = pytest.mark.unit


def filled(*jobs: tuple[str, Lane], bound: int = 10) -> Lanes[str]:
    lanes: Lanes[str] = Lanes(bound)
    for job, lane in jobs:
        assert lanes.offer(job, lane)
    return lanes


def drained(lanes: Lanes[str]) -> list[str]:
    taken = []
    while (job := lanes.take()) is not None:
        taken.append(job)
    return taken


def test_live_work_goes_before_bulk_and_in_order() -> None:
    lanes = filled(("b1", Lane.BULK), ("l1", Lane.LIVE), ("b2", Lane.BULK), ("l2", Lane.LIVE))

    assert drained(lanes) == ["l1", "l2", "b1", "b2"]


def test_bulk_does_not_starve() -> None:
    lanes = filled(("b", Lane.BULK), *[(f"l{number}", Lane.LIVE) for number in range(8)])

    assert drained(lanes).index("b") == 4


def test_no_more_than_the_bound_wait() -> None:
    lanes = filled(("a", Lane.LIVE), ("b", Lane.BULK), bound=2)

    assert not lanes.offer("c", Lane.LIVE)
    assert len(lanes) == 2


def test_a_partial_is_refused_as_soon_as_anything_waits() -> None:
    assert filled().offer("p", Lane.PARTIAL)
    assert not filled(("b", Lane.BULK)).offer("p", Lane.PARTIAL)


def test_a_discarded_job_is_not_taken() -> None:
    lanes = filled(("a", Lane.LIVE), ("b", Lane.LIVE))

    lanes.discard("a", Lane.LIVE)
    lanes.discard("never there", Lane.BULK)

    assert drained(lanes) == ["b"]
