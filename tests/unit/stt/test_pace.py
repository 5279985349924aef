"""How long what waits will take, by what ran."""

from __future__ import annotations

import pytest

from voicemesh_stt.pace import Pace

pytestmark = pytest.mark.unit


def test_an_estimate_follows_what_was_measured() -> None:
    pace = Pace()
    for _ in range(50):
        pace.ran("small", work_s=10.0, spent_s=1.0)
        pace.ran("large", work_s=10.0, spent_s=5.0)

    assert pace.cost("small") == pytest.approx(0.1, rel=0.01)
    waits = pace.clears_in_s([("small", 2, 20.0), ("large", 1, 10.0)])
    assert waits == pytest.approx(20.0 * 0.1 / 2 + 10.0 * 0.5, rel=0.01)


def test_there_is_an_estimate_before_anything_ran() -> None:
    assert Pace().clears_in_s([("new", 1, 100.0)]) > 0


def test_a_job_needs_what_as_much_work_took_in_the_quickest_of_the_last_runs() -> None:
    pace = Pace()
    for spent_s in (0.5, 0.2, 0.9):
        pace.ran("model", 10.0, spent_s)

    assert pace.needed_s("model", 10.0) == pytest.approx(0.2)
    assert pace.needed_s("model", 5.0) == pytest.approx(0.1)


def test_big_batches_and_slow_models_are_not_held_against_a_small_job() -> None:
    pace = Pace()
    for _ in range(20):
        pace.ran("small", 8 * 30.0, 2.4)
        pace.ran("large", 8 * 30.0, 240.0)

    assert pace.needed_s("small", 12.5) < 0.2
    assert pace.needed_s("new", 12.5) == 0.0


def test_one_slow_time_is_not_held_against_jobs_for_ever() -> None:
    pace = Pace()
    pace.ran("model", 10.0, 60.0)
    for _ in range(100):
        pace.gave_up("model")

    assert pace.needed_s("model", 10.0) < 0.01


def test_the_wait_of_live_work_is_smoothed_and_fades() -> None:
    pace = Pace()
    for second in range(20):
        pace.live_waited(2.0, now_s=float(second))

    assert 1.0 < pace.live_wait_s(19.0) < 2.0
    assert pace.live_wait_s(60.0) < 0.01
    assert Pace().live_wait_s(0.0) == 0.0
