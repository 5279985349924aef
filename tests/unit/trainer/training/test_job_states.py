"""What may become of a job, and when."""

from __future__ import annotations

from dataclasses import replace

import pytest

from voicemesh_trainer.domain.jobs import (
    BackendName,
    Job,
    JobError,
    JobState,
    Progress,
    TrainingRun,
    TrainingSettings,
)
from voicemesh_trainer.training import states

pytestmark = pytest.mark.unit

PATIENCE = states.Patience(lease_s=30, most_setbacks=3, retry_s=10, longest_retry_s=25)
ERROR = JobError("UNAVAILABLE", "PROVIDER_UNAVAILABLE", "it is gone")
JOB = Job(
    job_id="01J00000000000000000000000",
    tenant="t",
    description="",
    dataset_id="d",
    backend=BackendName.LOCAL,
    base_model="gemma",
    settings=TrainingSettings(),
    state=JobState.QUEUED,
    progress=Progress(),
    run=TrainingRun(),
    create_time=1.0,
)


def at_work(state: JobState = JobState.RUNNING, setbacks: int = 0) -> Job:
    run = TrainingRun(setbacks=setbacks)
    return replace(JOB, state=state, worker_id="w", lease_until=130.0, attempts=1, run=run)


def test_a_worker_takes_a_waiting_job() -> None:
    taken = states.claimed(JOB, "w", 100, PATIENCE)

    assert taken.state is JobState.VALIDATING
    assert (taken.worker_id, taken.lease_until, taken.attempts) == ("w", 130, 1)
    assert taken.start_time == 100


def test_the_start_is_that_of_the_first_attempt() -> None:
    again = states.paused(states.claimed(JOB, "w", 100, PATIENCE))

    taken = states.claimed(again, "v", 200, PATIENCE)

    assert (taken.start_time, taken.attempts) == (100, 2)


def test_a_job_is_not_taken_while_its_worker_lives() -> None:
    with pytest.raises(ValueError, match="cannot be taken"):
        states.claimed(at_work(), "v", 129, PATIENCE)


@pytest.mark.parametrize("state", [JobState.VALIDATING, JobState.RUNNING])
def test_a_lost_workers_job_is_taken_over(state: JobState) -> None:
    taken = states.claimed(at_work(state), "v", 130, PATIENCE)

    assert taken.state is JobState.VALIDATING
    assert (taken.worker_id, taken.attempts, taken.run.setbacks) == ("v", 2, 1)


def test_a_job_that_loses_too_many_workers_fails() -> None:
    failed = states.claimed(at_work(setbacks=2), "v", 130, PATIENCE)

    assert failed.state is JobState.FAILED
    assert failed.error is not None
    assert failed.error.reason == "ATTEMPTS_EXHAUSTED"
    assert failed.lease_until == 130  # to be tidied up after


def test_a_pause_is_no_setback_and_lets_another_go_on_at_once() -> None:
    given_back = states.paused(at_work(setbacks=1))

    assert (given_back.state, given_back.worker_id) == (JobState.QUEUED, None)
    assert (given_back.lease_until, given_back.run.setbacks) == (None, 1)
    assert states.claimed(given_back, "v", 100, PATIENCE).run.setbacks == 1


@pytest.mark.parametrize(("setbacks", "wait_s"), [(0, 10), (1, 20)])
def test_what_may_pass_is_tried_again_after_a_growing_wait(setbacks: int, wait_s: float) -> None:
    waiting = states.set_back(at_work(setbacks=setbacks), ERROR, 100, PATIENCE)

    assert waiting.state is JobState.QUEUED
    assert waiting.lease_until == 100 + wait_s
    with pytest.raises(ValueError, match="cannot be taken"):
        states.claimed(waiting, "v", 99 + wait_s, PATIENCE)


def test_the_wait_is_as_long_as_the_provider_asks() -> None:
    assert states.set_back(at_work(), ERROR, 100, PATIENCE, least_wait_s=50).lease_until == 150


def test_what_does_not_pass_fails_the_job_with_its_own_words() -> None:
    failed = states.set_back(at_work(setbacks=2), ERROR, 100, PATIENCE)

    assert (failed.state, failed.error, failed.end_time) == (JobState.FAILED, ERROR, 100)


@pytest.mark.parametrize(
    ("job", "tidy_at"),
    [
        (JOB, None),  # nobody has begun: there is nothing to tidy up
        (states.paused(at_work()), 100),
        (at_work(JobState.VALIDATING), 130),  # by its own worker, or after its lease
        (at_work(), 130),
        (replace(at_work(), lease_until=50.0), 100),
    ],
)
def test_every_unfinished_job_can_be_cancelled(job: Job, tidy_at: float | None) -> None:
    cancelled = states.cancelled(job, 100)

    assert (cancelled.state, cancelled.end_time) == (JobState.CANCELLED, 100)
    assert cancelled.lease_until == tidy_at


@pytest.mark.parametrize(
    "job",
    [
        states.succeeded(at_work(), 90),
        states.failed(at_work(), ERROR, 90),
        states.cancelled(at_work(), 90),
    ],
)
def test_what_has_ended_stays_as_it_is(job: Job) -> None:
    assert states.cancelled(job, 100) is job
    with pytest.raises(ValueError, match="cannot be taken"):
        states.claimed(job, "v", 1000, PATIENCE)
    for transition in (states.running, states.paused):
        with pytest.raises(ValueError, match="cannot become"):
            transition(job)


def test_only_a_running_job_succeeds() -> None:
    with pytest.raises(ValueError, match="cannot become"):
        states.succeeded(at_work(JobState.VALIDATING), 100)


def test_tidying_up_leaves_nothing_to_do() -> None:
    run = TrainingRun(checkpoint_file="checkpoints/1", provider_files=("file-1",))
    ended = states.failed(replace(at_work(), run=run), ERROR, 100)

    tidied = states.tidied(states.tidying(ended, "v", 100, 60))

    assert (tidied.lease_until, tidied.run.checkpoint_file, tidied.run.provider_files) == (
        None,
        "",
        (),
    )
    with pytest.raises(ValueError, match="not tidied"):
        states.tidying(at_work(), "v", 100, 60)
