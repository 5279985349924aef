"""The story of a training job over several calls: nothing twice, nothing left out."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from voicemesh_client import (
    TrainingBackend,
    TrainingJob,
    TrainingJobState,
    TrainingLogLine,
    TrainingProgress,
    TrainingSettings,
)
from voicemesh_client.following import Following

pytestmark = pytest.mark.unit

NO_STEP = TrainingProgress(0, 0, 0.0, 0.0, 0.0, None)
STEP = TrainingProgress(1, 2, 0.5, 1e-4, 9.0, 3.0)
QUEUED = TrainingJob(
    "j", "t", "", "d", TrainingBackend.LOCAL, "m", TrainingSettings(), TrainingJobState.QUEUED,
    NO_STEP, None, "", None, None, None, None, 0,
)  # fmt: skip
RUNNING = replace(QUEUED, state=TrainingJobState.RUNNING, progress=STEP, attempt_count=1)
DONE = replace(RUNNING, state=TrainingJobState.SUCCEEDED)
LINES = [
    TrainingLogLine(datetime(2026, 1, 1, 0, 0, second, tzinfo=UTC), f"line {second}")
    for second in range(4)
]


def test_a_second_call_tells_only_what_happened_between_the_two() -> None:
    told = Following()
    assert list(told.begun(QUEUED, LINES[:1])) == [QUEUED, LINES[0]]
    assert list(told.fresh(LINES[1])) == [LINES[1]]

    assert list(told.begun(RUNNING, LINES[:3])) == [RUNNING, LINES[2], STEP]
    assert list(told.fresh(STEP)) == []
    assert list(told.fresh(LINES[2])) == []
    assert not told.ended


def test_a_second_call_on_a_job_as_it_was_tells_nothing() -> None:
    told = Following()
    list(told.begun(RUNNING, LINES))

    assert list(told.begun(RUNNING, LINES)) == []


def test_of_a_job_that_has_ended_the_end_comes_last() -> None:
    told = Following()

    assert list(told.begun(DONE, LINES[:2])) == [*LINES[:2], STEP, DONE]
    assert told.ended


def test_a_second_attempt_is_told() -> None:
    told = Following()
    list(told.begun(RUNNING, []))
    again = replace(RUNNING, attempt_count=2)

    assert list(told.fresh(again)) == [again]
