"""Jobs in the database: made once, within quotas, and changed by one hand only."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from voicemesh_trainer.domain.jobs import BackendName, Job, JobState, TrainingSettings
from voicemesh_trainer.domain.models import NewModel
from voicemesh_trainer.errors import (
    DatasetNotFoundError,
    DatasetNotTrainableError,
    JobNotFoundError,
    NoDatasetSelectedError,
    QuotaExceededError,
    RequestReusedError,
)
from voicemesh_trainer.ports.jobs import JobLostError, Quotas
from voicemesh_trainer.ports.training import BaseModel
from voicemesh_trainer.stores.schema import models
from voicemesh_trainer.training import states

pytestmark = pytest.mark.unit

BASE = BaseModel("gemma", BackendName.LOCAL, "gemma")
PATIENCE = states.Patience(30, 3, 10)
QUOTAS = Quotas(2, 3)
LOCAL = (BackendName.LOCAL,)


async def claimed(place: Any, worker_id: str = "W" * 26) -> Any:
    now = place.clock()
    return await place.store.claim(
        LOCAL, now, lambda job: states.claimed(job, worker_id, now, PATIENCE)
    )


async def test_a_job_is_stored_as_it_was_asked_for(place: Any) -> None:
    settings = TrainingSettings(epoch_count=3, learning_rate=0.5, seed=-7)
    dataset_id = await place.add_dataset()
    wish = place.wish(dataset_id, description="the guild", settings=settings)

    job = await place.store.create(wish, BASE, QUOTAS)

    found = await place.store.find("t", job.job_id)
    assert found == job
    assert (found.state, found.settings) == (JobState.QUEUED, settings)
    assert (found.dataset_id, found.description, found.base_model) == (
        dataset_id,
        "the guild",
        "gemma",
    )


async def test_the_selected_dataset_is_meant_where_none_is_named(place: Any) -> None:
    dataset_id = await place.add_dataset()
    with pytest.raises(NoDatasetSelectedError):
        await place.store.create(place.wish(), BASE, QUOTAS)
    await place.select_dataset(dataset_id)

    assert (await place.store.create(place.wish(), BASE, QUOTAS)).dataset_id == dataset_id


async def test_datasets_that_cannot_be_trained_on_are_refused(place: Any) -> None:
    archived = await place.add_dataset(archived=True)
    negative = await place.add_dataset(example_count=3, negative_example_count=3)
    foreign = await place.add_dataset("another tenant")

    for dataset_id, error in (
        (archived, DatasetNotTrainableError),
        (negative, DatasetNotTrainableError),
        (foreign, DatasetNotFoundError),
        ("01J00000000000000000000000", DatasetNotFoundError),
    ):
        with pytest.raises(error):
            await place.store.create(place.wish(dataset_id), BASE, QUOTAS)
    assert await place.store.page("t", None, 10) == []


async def test_a_repeated_request_makes_one_job(place: Any) -> None:
    wish = place.wish(await place.add_dataset(), request_id="r")

    first = await place.store.create(wish, BASE, QUOTAS)
    second = await place.store.create(wish, BASE, Quotas(1, 1))

    assert second == first == await place.store.requested(wish)
    assert await place.store.requested(replace(wish, request_id="s")) is None
    changed = replace(wish, settings=TrainingSettings(seed=1))
    with pytest.raises(RequestReusedError):
        await place.store.create(changed, BASE, QUOTAS)
    with pytest.raises(RequestReusedError):
        await place.store.requested(changed)


async def test_quotas_bound_unfinished_jobs_and_jobs_a_day(place: Any) -> None:
    wish = place.wish(await place.add_dataset())
    one, _ = [await place.store.create(wish, BASE, QUOTAS) for _ in range(2)]

    with pytest.raises(QuotaExceededError, match="wait or run"):
        await place.store.create(wish, BASE, QUOTAS)
    await place.store.cancel("t", one.job_id)
    await place.store.create(wish, BASE, QUOTAS)
    await place.store.cancel("t", (await place.store.page("t", None, 1))[0].job_id)
    with pytest.raises(QuotaExceededError, match="24 hours"):
        await place.store.create(wish, BASE, QUOTAS)
    place.clock.time += 86_401
    await place.store.create(wish, BASE, QUOTAS)
    other = place.wish(await place.add_dataset("u"), tenant="u")
    await place.store.create(other, BASE, QUOTAS)


async def test_requests_at_the_same_time_do_not_exceed_a_quota(place: Any) -> None:
    wish = place.wish(await place.add_dataset())

    made = await asyncio.gather(
        *(place.store.create(wish, BASE, QUOTAS) for _ in range(6)), return_exceptions=True
    )

    assert sum(isinstance(each, Job) for each in made) == 2
    assert sum(isinstance(each, QuotaExceededError) for each in made) == 4


async def test_tenants_see_their_own_jobs_only(place: Any) -> None:
    job = await place.queued("t")

    for call in (place.store.find, place.store.cancel):
        with pytest.raises(JobNotFoundError):
            await call("u", job.job_id)
    assert await place.store.page("u", None, 10) == []
    assert (await place.store.find("t", job.job_id)).state is JobState.QUEUED


async def test_pages_go_from_the_newest_to_the_oldest(place: Any) -> None:
    made = [(await place.queued()).job_id for _ in range(5)]

    first = await place.store.page("t", None, 3)
    rest = await place.store.page("t", first[-1].job_id, 3)

    assert [job.job_id for job in (*first, *rest)] == made[::-1]


async def test_workers_that_look_at_once_get_different_jobs(place: Any) -> None:
    made = {(await place.queued()).job_id for _ in range(4)}

    taken = await asyncio.gather(*(claimed(place, f"{number:026}") for number in range(6)))

    got = [job.job_id for job in taken if job is not None]
    assert sorted(got) == sorted(made)


async def test_a_job_is_taken_over_only_after_its_lease(place: Any) -> None:
    await place.queued()
    first = await claimed(place, "A" * 26)
    assert await claimed(place, "B" * 26) is None

    place.clock.time += 20
    await place.store.renew(first, place.clock() + 30)
    place.clock.time += 29
    assert await claimed(place, "B" * 26) is None
    place.clock.time += 1
    second = await claimed(place, "B" * 26)

    assert second is not None
    assert (second.worker_id, second.attempts) == ("B" * 26, 2)


async def test_a_worker_that_lost_its_job_writes_nothing_more(place: Any) -> None:
    await place.queued()
    first = await claimed(place, "A" * 26)
    place.clock.time += 31
    second = await claimed(place, "B" * 26)
    model = NewModel("t", "gemma-1", "local", "gemma", first.job_id, "adapters/a", "0" * 64)

    running = states.running(first)
    for write in (
        place.store.save(running, ["mine"], now=1.0),
        place.store.succeed(states.succeeded(running, 1.0), model, ["mine"], now=1.0),
        place.store.renew(first, 9e9),
    ):
        with pytest.raises(JobLostError):
            await write

    assert await place.store.current(first) == second
    assert await place.lines(first) == []
    async with place.database.reading() as connection:
        assert (await connection.execute(select(models))).all() == []


async def test_success_and_model_are_one(place: Any) -> None:
    await place.queued()
    job = await place.store.save(states.running(await claimed(place)), now=1.0)
    model = NewModel("t", "gemma-1", "local", "gemma", job.job_id, "adapters/a", "0" * 64)

    done = await place.store.succeed(states.succeeded(job, 5.0), model, ["done"], now=5.0)

    assert done == await place.store.current(job)
    assert (done.state, done.result_model) == (JobState.SUCCEEDED, "gemma-1")
    (row,) = await place.models.models("t")
    assert (row.name, row.job_id, row.adapter_file) == ("gemma-1", job.job_id, "adapters/a")


async def test_success_is_nothing_if_the_model_cannot_be_written(place: Any) -> None:
    await place.queued()
    job = await place.store.save(states.running(await claimed(place)), now=1.0)
    model = NewModel("t", "gemma-1", "local", "gemma", job.job_id, "adapters/a", "0" * 64)
    broken = replace(model, base_model=None)  # type: ignore[arg-type]

    with pytest.raises(Exception, match=r"(?i)null"):
        await place.store.succeed(states.succeeded(job, 5.0), broken, ["done"], now=5.0)

    assert await place.store.current(job) == job


async def test_cancelling_is_one_change_and_once(place: Any) -> None:
    job = await place.queued()
    place.clock.time += 5

    cancelled = await place.store.cancel("t", job.job_id)

    assert (cancelled.state, cancelled.end_time) == (JobState.CANCELLED, place.clock())
    assert await place.store.cancel("t", job.job_id) == cancelled
    assert await place.lines(job) == ["cancelled"]
    assert await claimed(place) is None


async def test_a_log_keeps_its_newest_lines_in_order(place: Any) -> None:
    job, other = await place.queued(), await place.queued()
    for number in range(7):
        lines = [f"{number}.{index}" for index in range(10)]
        job = await place.store.save(job, lines, now=1.0)
        other = await place.store.save(other, ["other"], now=1.0)

    kept = await place.lines(job)

    assert len(kept) == 50
    assert (kept[0], kept[-1]) == ("2.0", "6.9")
    assert kept == sorted(kept)
    assert len(await place.lines(other)) == 7


async def test_jobs_are_counted_by_state(place: Any) -> None:
    await place.queued()
    await place.queued("u")
    await claimed(place)

    assert await place.store.count_by_state() == {
        ("local", "queued"): 1,
        ("local", "validating"): 1,
    }


async def test_workers_are_alive_while_they_say_so(place: Any) -> None:
    table = place.worker_table
    await table.announce("A" * 26, LOCAL, 100.0)
    await table.announce("A" * 26, LOCAL, 110.0)

    assert await table.alive(BackendName.LOCAL, 110.0)
    assert not await table.alive(BackendName.LOCAL, 110.5)
    assert not await table.alive(BackendName.OPENAI, 0.0)
    await table.forget(110.5)
    assert not await table.alive(BackendName.LOCAL, 0.0)
    await table.announce("A" * 26, LOCAL, 120.0)
    await table.leave("A" * 26)
    assert not await table.alive(BackendName.LOCAL, 0.0)
