"""Making jobs and following them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import replace
from typing import Any

import pytest

from voicemesh_chassis.errors import OverloadedError
from voicemesh_trainer.domain.jobs import BackendName, Job, JobState, LogEntry, Progress
from voicemesh_trainer.domain.models import NewModel
from voicemesh_trainer.errors import (
    JobNotFoundError,
    ModelNotFoundError,
    ModelUnusableError,
    NoLossCurveError,
    NoWorkerError,
)
from voicemesh_trainer.training import states

pytestmark = pytest.mark.unit

New = Callable[..., Any]


async def test_a_job_needs_a_worker_that_can_do_it(place: Any) -> None:
    wish = place.wish(await place.add_dataset())

    with pytest.raises(NoWorkerError):
        await place.jobs.create(wish)
    await place.worker_table.announce("A" * 26, (BackendName.OPENAI,), place.clock())
    with pytest.raises(NoWorkerError):
        await place.jobs.create(wish)
    assert await place.store.page("t", None, 10) == []
    job = await place.jobs.create(replace(wish, backend=BackendName.OPENAI, request_id="r"))

    assert (job.backend, job.base_model) == (BackendName.OPENAI, "gpt")
    place.clock.time += 30  # it is gone; the request was done nevertheless
    again = await place.jobs.create(replace(wish, backend=BackendName.OPENAI, request_id="r"))
    assert again == job


async def test_the_base_model_says_where_a_job_runs(place: Any) -> None:
    await place.worker_table.announce("A" * 26, tuple(BackendName), place.clock())
    await place.models.register(NewModel("t", "mine", "openai", "gpt", "J" * 26, license="L"))
    wish = place.wish(await place.add_dataset())

    async def made(**fields: Any) -> tuple[str, str]:
        job = await place.jobs.create(replace(wish, **fields))
        await place.store.cancel("t", job.job_id)
        return job.backend.value, job.base_model

    assert await made() == ("local", "gemma")
    assert await made(base_model="gpt") == ("openai", "gpt")
    assert await made(base_model="mine") == ("openai", "mine")
    assert await made(backend=BackendName.OPENAI) == ("openai", "gpt")
    with pytest.raises(ModelNotFoundError):
        await made(base_model="nobody's")
    with pytest.raises(ModelNotFoundError):
        await place.jobs.create(
            place.wish(await place.add_dataset("u"), tenant="u", base_model="mine")
        )
    with pytest.raises(ModelUnusableError):
        await made(base_model="gpt", backend=BackendName.LOCAL)


async def followed(place: Any, job: Job) -> list[Any]:
    return [event async for event in place.jobs.watch("t", job.job_id)]


async def test_a_job_is_followed_from_its_start_to_its_end(place: Any, new_backend: New) -> None:
    backend = new_backend(steps=4, checkpoint_at=2)
    backend.hold()
    job = await place.queued()
    watching = asyncio.create_task(followed(place, job))
    while not place.jobs._watchers:
        await asyncio.sleep(0)
    await place.worker(backend).start()
    for step in range(4):
        backend.gate.release()
        await place.until(job, lambda job, step=step: job.progress.step > step)

    events = await watching

    jobs = [event for event in events if isinstance(event, Job)]
    assert events[0] is jobs[0]
    assert events[-1] is jobs[-1]
    order = list(JobState)
    seen = [job.state for job in jobs]
    assert seen == sorted(set(seen), key=order.index)
    assert (seen[0], seen[-1]) == (JobState.QUEUED, JobState.SUCCEEDED)
    lines = [event.text for event in events if isinstance(event, LogEntry)]
    assert lines == await place.lines(job)
    steps = [event.step for event in events if isinstance(event, Progress)]
    assert steps == sorted(set(steps))
    assert steps[-1] == 4


async def test_every_line_comes_once_and_in_order_from_another_replica(place: Any) -> None:
    job = await place.queued()
    now = place.clock()
    job = await place.store.claim(
        (BackendName.LOCAL,),
        now,
        lambda job: states.claimed(job, "W" * 26, now, states.Patience(30, 3, 1)),
    )
    events: list[Any] = []

    async def follow() -> None:
        async with aclosing(place.jobs.watch("t", job.job_id)) as watching:
            async for event in watching:
                events.append(event)  # noqa: PERF401 - seen while it grows

    watching = asyncio.create_task(follow())
    while not events:
        await asyncio.sleep(0)
    for number in range(10):  # no bell of this process rings
        job = await place.store.save(job, [f"{number}.{part}" for part in range(3)], now=now)
    await place.store.save(states.succeeded(states.running(job), now), ["the end"], now=now)
    await watching

    lines = [event.text for event in events if isinstance(event, LogEntry)]
    assert lines == [*(f"{n}.{part}" for n in range(10) for part in range(3)), "the end"]
    assert events[-1].state is JobState.SUCCEEDED


async def test_a_job_that_has_ended_comes_once(place: Any) -> None:
    job = await place.queued()
    await place.store.cancel("t", job.job_id)

    (event,) = await followed(place, job)

    assert event.state is JobState.CANCELLED


async def test_unknown_jobs_are_not_followed(place: Any) -> None:
    job = await place.queued("u")

    with pytest.raises(JobNotFoundError):
        await followed(place, job)


async def test_watchers_are_bounded_and_those_who_leave_are_forgotten(place: Any) -> None:
    job = await place.queued()
    watching = [place.jobs.watch("t", job.job_id) for _ in range(4)]
    for each in watching[:3]:
        await anext(each)

    with pytest.raises(OverloadedError):
        await anext(watching[3])
    await watching[0].aclose()
    fresh = place.jobs.watch("t", job.job_id)
    await anext(fresh)

    for each in (*watching, fresh):
        await each.aclose()


async def test_a_curve_is_there_after_success_only(place: Any, new_backend: New) -> None:
    job = await place.queued()
    with pytest.raises(NoLossCurveError):
        await place.jobs.curve("t", job.job_id)
    await place.worker(new_backend()).start()
    await place.ended(job)

    pieces = [piece async for piece in await place.jobs.curve("t", job.job_id)]

    assert b"".join(pieces).startswith(b"\x89PNG")
