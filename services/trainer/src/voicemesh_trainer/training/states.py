"""The life of a job: what may become of it, and when. Pure; times are seconds since 1970.

    queued ──► validating ──► running ──► succeeded
      ▲            │             │
      └────────────┴─────────────┤  its worker was lost, or may do better later
                                 ├──► failed
    any of the first three ──────┴──► cancelled

`lease_until` tells what is to be done with a job and when: a queued one may be taken from then on
(None: at once), one that is worked on is taken over after it, and one that has ended is tidied up
after from then on (None: that is done).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from voicemesh_trainer.domain.jobs import Job, JobError, JobState

__all__ = (
    "Patience",
    "cancelled",
    "claimed",
    "failed",
    "paused",
    "running",
    "set_back",
    "succeeded",
    "tidied",
    "tidying",
)

_ATTEMPTS_REASON = "ATTEMPTS_EXHAUSTED"


@dataclass(frozen=True)
class Patience:
    """How long to wait, and how often to try."""

    lease_s: float
    """How long a worker may be silent before its job is taken over."""
    most_setbacks: int
    """Attempts in a row that may end badly without a new checkpoint between them."""
    retry_s: float
    """The wait after the first of them; doubled after each further one."""
    longest_retry_s: float = 600.0
    """The longest such wait."""


def claimed(job: Job, worker_id: str, now: float, patience: Patience) -> Job:
    """A worker takes a job that waits, or one whose worker is lost.

    Too many lost workers fail it instead: the job itself may be what ends them.
    """
    if job.state.ended or not _is_free(job, now):
        msg = f"a job that is {job.state} until {job.lease_until} cannot be taken at {now}"
        raise ValueError(msg)
    if job.state is not JobState.QUEUED:
        job = _with_setback(job)
        if job.run.setbacks >= patience.most_setbacks:
            told = (
                f"its worker was lost {job.run.setbacks} times in a row; the process may have run "
                "out of memory, see its logs"
            )
            return failed(job, JobError("ABORTED", _ATTEMPTS_REASON, told), now)
    return replace(
        job,
        state=JobState.VALIDATING,
        worker_id=worker_id,
        lease_until=now + patience.lease_s,
        attempts=job.attempts + 1,
        start_time=now if job.start_time is None else job.start_time,
    )


def running(job: Job) -> Job:
    """The data are good and training begins, or goes on."""
    _require(job, JobState.VALIDATING)
    return replace(job, state=JobState.RUNNING)


def paused(job: Job) -> Job:
    """Its worker gives it back in good order: another one may go on at once."""
    _require(job, JobState.VALIDATING, JobState.RUNNING)
    return replace(job, state=JobState.QUEUED, worker_id=None, lease_until=None)


def set_back(
    job: Job, error: JobError, now: float, patience: Patience, *, least_wait_s: float = 0.0
) -> Job:
    """An attempt failed by what may pass: the job waits and is tried again, unless too often."""
    _require(job, JobState.VALIDATING, JobState.RUNNING)
    job = _with_setback(job)
    if job.run.setbacks >= patience.most_setbacks:
        return failed(job, error, now)
    wait_s = patience.retry_s * 2.0 ** (job.run.setbacks - 1)
    until = now + max(least_wait_s, min(wait_s, patience.longest_retry_s))
    return replace(job, state=JobState.QUEUED, worker_id=None, lease_until=until)


def failed(job: Job, error: JobError, now: float) -> Job:
    """The job ends by an error."""
    _require(job, JobState.QUEUED, JobState.VALIDATING, JobState.RUNNING)
    return replace(job, state=JobState.FAILED, error=error, end_time=now, lease_until=now)


def succeeded(job: Job, now: float) -> Job:
    """The job ends with a model."""
    _require(job, JobState.RUNNING)
    return replace(job, state=JobState.SUCCEEDED, end_time=now, lease_until=now)


def cancelled(job: Job, now: float) -> Job:
    """Someone ends the job; one that has ended stays as it is.

    Its worker, if there is one, learns of it when it next looks, and tidies up then. Only where
    that does not happen another one does, when the first can no longer be at work.
    """
    if job.state.ended:
        return job
    if job.attempts == 0:
        until = None
    elif job.worker_id is None or job.lease_until is None:
        until = now
    else:
        until = max(now, job.lease_until)
    return replace(job, state=JobState.CANCELLED, end_time=now, lease_until=until)


def tidying(job: Job, worker_id: str, now: float, lease_s: float) -> Job:
    """A worker begins to tidy up after a job that has ended."""
    if not job.state.ended:
        msg = f"a job that is {job.state} is not tidied up after"
        raise ValueError(msg)
    return replace(job, worker_id=worker_id, lease_until=now + lease_s)


def tidied(job: Job) -> Job:
    """Nothing of a job that has ended is left outside of the database but its results."""
    run = replace(job.run, checkpoint_file="", provider_files=())
    return replace(job, run=run, lease_until=None)


def _is_free(job: Job, now: float) -> bool:
    return job.lease_until is None or job.lease_until <= now


def _with_setback(job: Job) -> Job:
    return replace(job, run=replace(job.run, setbacks=job.run.setbacks + 1))


def _require(job: Job, *states: JobState) -> None:
    if job.state not in states:
        msg = f"a job that is {job.state} cannot become so"
        raise ValueError(msg)
