"""`TrainingJobs` against a real trainer with a fake provider, and scripts that break off."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import pytest

from voicemesh.trainer.v1 import training_job_service_pb2 as pb
from voicemesh_chassis.errors import UnavailableError
from voicemesh_chassis.testing import RunningService
from voicemesh_client import (
    Connection,
    Datasets,
    DeadlineExceededError,
    FailedPreconditionError,
    ImportOptions,
    NewTrainingJob,
    NotFoundError,
    TrainingJob,
    TrainingJobs,
    TrainingJobState,
    TrainingLogLine,
    TrainingProgress,
    TrainingSettings,
)

pytestmark = pytest.mark.contract

FAILURES = 5
"""In a row: gRPC makes a call that failed at once up to four times by itself."""
ROWS = b"prompt,completion\n" + b"".join(b"q %d?,a %d\n" % (n, n) for n in range(12))
QUEUED = pb.WatchTrainingJobResponse(
    job=pb.TrainingJob(job_id="j", state=pb.TRAINING_JOB_STATE_QUEUED)
)
RUNNING = pb.WatchTrainingJobResponse(
    job=pb.TrainingJob(job_id="j", state=pb.TRAINING_JOB_STATE_RUNNING, attempt_count=1)
)
DONE = pb.WatchTrainingJobResponse(
    job=pb.TrainingJob(job_id="j", state=pb.TRAINING_JOB_STATE_SUCCEEDED, attempt_count=1)
)


def line(text: str) -> pb.TrainingLogLine:
    return pb.TrainingLogLine(text=text)


@pytest.fixture
async def jobs(trainer: RunningService) -> AsyncIterator[TrainingJobs]:
    async with TrainingJobs(trainer.target) as client:
        yield client


@pytest.fixture
async def facts(trainer: RunningService) -> str:
    async with Datasets(trainer.target) as datasets:
        facts = (await datasets.create("facts", tenant="t")).id
        options = ImportOptions(file_name="facts.csv")
        await datasets.import_file(facts, ROWS, tenant="t", options=options)
    return facts


async def test_a_job_is_made_and_followed_to_its_model(jobs: TrainingJobs, facts: str) -> None:
    wanted = NewTrainingJob(
        facts, "the facts", settings=TrainingSettings(epoch_count=3, seed=0), request_id="r"
    )
    made = await jobs.create(wanted, tenant="t")
    events = [event async for event in jobs.watch(made.id, tenant="t")]

    assert (made.state, made.description) == (TrainingJobState.QUEUED, "the facts")
    done = events[-1]
    assert isinstance(events[0], TrainingJob)
    assert isinstance(done, TrainingJob)
    assert done.state is TrainingJobState.SUCCEEDED
    assert done.result_model
    assert done.run is not None
    assert done.run.settings.epoch_count == 3
    log = [each async for each in jobs.log(made.id, tenant="t")]
    assert [each for each in events if isinstance(each, TrainingLogLine)] == log
    assert log
    assert await jobs.get(made.id, tenant="t") == done
    assert (await jobs.create(wanted, tenant="t")).id == made.id
    assert [each.id async for each in jobs.list(tenant="t")] == [made.id]
    assert (await jobs.loss_curve(made.id, tenant="t")).startswith(b"\x89PNG")
    again = [event async for event in jobs.watch(made.id, tenant="t")]
    assert again[-1] == done
    assert again[: len(log)] == log


async def test_a_job_is_cancelled(jobs: TrainingJobs, facts: str, openai: Any) -> None:
    openai.held = True
    made = await jobs.create(NewTrainingJob(facts), tenant="t")
    async with aclosing(jobs.watch(made.id, tenant="t")) as events:
        await anext(events)
        await jobs.cancel(made.id, tenant="t")
        rest = [event async for event in events]

    last = rest[-1]
    assert isinstance(last, TrainingJob)
    assert last.state is TrainingJobState.CANCELLED
    with pytest.raises(FailedPreconditionError):
        await jobs.loss_curve(made.id, tenant="t")
    openai.held = False


async def test_what_is_not_there_is_an_error_of_its_kind(jobs: TrainingJobs, facts: str) -> None:
    nobodys = "01J00000000000000000000000"

    with pytest.raises(NotFoundError):
        await jobs.get(nobodys, tenant="t")
    with pytest.raises(NotFoundError):
        await jobs.cancel(nobodys, tenant="t")
    with pytest.raises(NotFoundError):
        await anext(jobs.watch(nobodys, tenant="t"))
    with pytest.raises(NotFoundError):
        await anext(jobs.log(nobodys, tenant="t"))
    with pytest.raises(FailedPreconditionError):
        await jobs.create(tenant="t")
    with pytest.raises(NotFoundError):
        await jobs.create(NewTrainingJob(facts), tenant="somebody-else")


async def test_a_job_is_followed_again_where_the_service_broke_off(script: Any) -> None:
    progress = pb.TrainingProgress(step=1, step_count=2, loss=0.5)
    running = pb.TrainingJob()
    running.CopyFrom(RUNNING.job)
    running.progress.CopyFrom(progress)
    stories: list[list[Any]] = [
        [QUEUED, pb.WatchTrainingJobResponse(log=line("one")), None],
        [None],
        [
            pb.WatchTrainingJobResponse(job=running),
            pb.WatchTrainingJobResponse(log=line("three")),
            pb.WatchTrainingJobResponse(progress=progress),
            None,
        ],
        [DONE],
    ]
    logs = [["zero"], ["zero", "one", "two"], ["zero", "one", "two", "three", "four"]]

    async def watch(_request: Any, _context: Any) -> AsyncIterator[pb.WatchTrainingJobResponse]:
        for event in stories.pop(0):
            if event is None:
                raise UnavailableError("the service stops", retry_after_s=0.01)
            yield event

    async def log(_request: Any, _context: Any) -> pb.ListTrainingLogLinesResponse:
        return pb.ListTrainingLogLinesResponse(lines=[line(text) for text in logs.pop(0)])

    script.WatchTrainingJob, script.ListTrainingLogLines = watch, log
    async with TrainingJobs(script.target) as jobs:
        events = [event async for event in jobs.watch("j", tenant="t")]

    told = [
        event.state if isinstance(event, TrainingJob)
        else event.text if isinstance(event, TrainingLogLine) else event.step
        for event in events
    ]  # fmt: skip
    assert told == [
        TrainingJobState.QUEUED, "zero", "one",
        TrainingJobState.RUNNING, "two", 1, "three",
        "four", TrainingJobState.SUCCEEDED,
    ]  # fmt: skip


async def test_a_service_that_stays_away_is_an_error(script: Any) -> None:
    calls: list[None] = []

    async def watch(_request: Any, _context: Any) -> AsyncIterator[pb.WatchTrainingJobResponse]:
        calls.append(None)
        for _ in calls:
            raise UnavailableError("the service stops", retry_after_s=0.01)
        yield QUEUED

    script.WatchTrainingJob = watch
    async with TrainingJobs(script.target) as jobs:
        with pytest.raises(UnavailableError, match="the service stops"):
            await anext(jobs.watch("j", tenant="t", retries=0))
        at_once = len(calls)  # by gRPC itself
        with pytest.raises(UnavailableError, match="the service stops"):
            await anext(jobs.watch("j", tenant="t", retries=2))
    assert len(calls) == 4 * at_once


async def test_a_silent_job_is_told_from_a_silent_service(script: Any) -> None:
    """Between two events a job may take its time; a call that is not answered may not."""
    calls: list[None] = []

    async def watch(_request: Any, _context: Any) -> AsyncIterator[pb.WatchTrainingJobResponse]:
        calls.append(None)
        if len(calls) < 3:
            yield QUEUED
            await asyncio.Event().wait()
        elif len(calls) == 3:
            yield DONE
        else:
            await asyncio.Event().wait()

    async def log(_request: Any, _context: Any) -> pb.ListTrainingLogLinesResponse:
        return pb.ListTrainingLogLinesResponse()

    script.WatchTrainingJob, script.ListTrainingLogLines = watch, log
    async with TrainingJobs(Connection(script.target, timeout_s=0.3)) as jobs:
        events = [event async for event in jobs.watch("j", tenant="t")]
        assert [event.state for event in events if isinstance(event, TrainingJob)] == [
            TrainingJobState.QUEUED, TrainingJobState.SUCCEEDED,
        ]  # fmt: skip
        with pytest.raises(DeadlineExceededError):
            await anext(jobs.watch("j", tenant="t", retries=0))


async def test_a_job_whose_answer_is_lost_is_made_once(script: Any) -> None:
    async def create(request: Any, _context: Any) -> pb.CreateTrainingJobResponse:
        if len(script.requests) <= FAILURES:
            raise UnavailableError("the service stops", retry_after_s=0.01)
        return pb.CreateTrainingJobResponse(job=pb.TrainingJob(job_id=request.request_id))

    script.CreateTrainingJob = create
    async with TrainingJobs(script.target) as jobs:
        made = await jobs.create(tenant="t")

    assert len(script.requests) == FAILURES + 1
    assert {request.request_id for request in script.requests} == {made.id}
    assert made.id
    assert made.progress == TrainingProgress(0, 0, 0.0, 0.0, 0.0, None)
