"""Workers see jobs through, whatever happens to them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from voicemesh_trainer.domain.jobs import BackendName, JobState
from voicemesh_trainer.errors import (
    DatabaseUnavailableError,
    ProviderOverloadedError,
    ProviderUnavailableError,
    TrainingDataError,
)

# What workers ask of the database is tested on both in test_job_store.py.
pytestmark = [
    pytest.mark.unit,
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),
]

New = Callable[..., Any]


async def test_a_job_becomes_a_model(place: Any, new_backend: New) -> None:
    job = await place.queued()
    await place.worker(new_backend(steps=3)).start()

    done = await place.until(job, lambda job: job.state.ended and job.lease_until is None)

    assert done.state is JobState.SUCCEEDED
    assert (done.progress.step, done.progress.step_count) == (3, 3)
    assert (done.attempts, done.error) == (1, None)
    assert done.run.settings.epoch_count == 2
    assert (done.run.versions, done.run.metrics) == ({"backend": "1"}, {"loss": 0.5})
    assert (done.run.positive_example_count, len(done.run.data_sha256)) == (3, 64)
    assert [step for step, _ in done.run.losses] == [1, 2, 3]
    (model,) = await place.models.models("t")
    assert (done.result_model, model.license) == (model.name, "Gemma")
    adapter = await place.files.local_path(model.adapter_file)
    assert adapter.read_bytes() == b"GGUF" + job.job_id.encode()
    curve = await place.files.local_path(done.curve_file)
    assert curve.read_bytes().startswith(b"\x89PNG")
    assert await place.lines(job) == [
        "mind the gap",
        "step 1",
        "step 2",
        "step 3",
        "the model is registered",
    ]
    assert sorted(await place.files.names()) == sorted([model.adapter_file, done.curve_file])


async def test_corrections_and_negative_examples_are_part_of_the_data(
    place: Any, new_backend: New
) -> None:
    backend = new_backend()
    await place.correct("who leads?", "Ann", "Bob")
    await place.correct("whose is it?", "Cid's", "Dan's", tenant="u")
    job = await place.queued(dataset_id=await place.add_dataset(good=2, bad=1))
    await place.worker(backend).start()

    done = await place.ended(job)

    (data,) = backend.data
    assert [each.completion for each in data.examples] == ["answer 0", "answer 1", "Ann"]
    assert {(pair.chosen, pair.rejected) for pair in data.pairs} == {
        ("answer 0", "answer 2"),
        ("Ann", "Bob"),
    }
    assert (done.run.positive_example_count, done.run.preference_pair_count) == (3, 2)


async def test_several_hands_work_at_once_and_no_job_is_done_twice(
    place: Any, new_backend: New
) -> None:
    backends = [new_backend(steps=2) for _ in range(3)]
    jobs = [await place.queued() for _ in range(6)]

    for backend in backends:
        await place.worker(backend, hands=2).start()
    done = [await place.ended(job) for job in jobs]

    assert {job.state for job in done} == {JobState.SUCCEEDED}
    assert [job.attempts for job in done] == [1] * 6
    assert sum(len(backend.resumed) for backend in backends) == 6
    assert len(await place.models.models("t")) == 6


async def test_a_cancelled_run_stops_and_leaves_nothing(place: Any, new_backend: New) -> None:
    backend = new_backend(checkpoint_at=1)
    backend.hold(1)
    job = await place.queued()
    await place.worker(backend).start()
    await backend.stepped.wait()

    cancelled = await place.jobs.cancel("t", job.job_id)

    assert cancelled.state is JobState.CANCELLED
    done = await place.until(job, lambda job: job.lease_until is None)
    assert done.state is JobState.CANCELLED
    assert backend.stopped == 1
    assert backend.discarded == [job.job_id]
    assert await place.files.names() == []
    assert await place.models.models("t") == ()
    assert not [path for each in place.directory.iterdir() for path in each.iterdir()]


async def test_another_replica_hears_of_a_cancellation(place: Any, new_backend: New) -> None:
    backend = new_backend()
    backend.hold()
    job = await place.queued()
    await place.worker(backend).start()
    await place.until(job, lambda job: job.state is JobState.RUNNING)

    await place.store.cancel("t", job.job_id)  # no bell of this process rings

    await place.until(job, lambda job: job.lease_until is None)
    assert backend.discarded == [job.job_id]


async def test_a_silent_workers_job_is_resumed_from_its_checkpoint_by_another(
    place: Any, new_backend: New
) -> None:
    lost, saved = new_backend(checkpoint_at=2), new_backend()
    lost.hold(2)
    job = await place.queued()
    gone = place.worker(lost)
    await gone.start()
    await place.until(job, lambda job: job.run.checkpoint_step == 2)
    place.clock.time += 31
    await place.worker(saved).start()

    done = await place.ended(job)

    assert (done.state, done.attempts) == (JobState.SUCCEEDED, 2)
    (resume,) = saved.resumed
    assert (resume.step, saved.contents) == (2, [b"at 2"])
    assert [step for step, _ in done.run.losses] == [1, 2, 3]
    assert len(await place.models.models("t")) == 1
    await gone.aclose()
    assert (await place.store.current(done)).state is JobState.SUCCEEDED


async def test_other_data_begin_anew(place: Any, new_backend: New) -> None:
    first, second = new_backend(checkpoint_at=2), new_backend()
    first.hold(2)
    job = await place.queued()
    worker = place.worker(first)
    await worker.start()
    await place.until(job, lambda job: job.run.checkpoint_step == 2)
    await worker.aclose()
    await place.correct("who leads?", "Ann", "Bob")

    await place.worker(second).start()
    done = await place.ended(job)

    assert done.state is JobState.SUCCEEDED
    assert second.resumed == [None]
    assert "the data changed since the last attempt; it begins anew" in await place.lines(job)


async def test_a_worker_that_ends_gives_its_job_to_another_at_once(
    place: Any, new_backend: New
) -> None:
    first, second = new_backend(), new_backend()
    first.hold(1)
    job = await place.queued()
    worker = place.worker(first)
    await worker.start()
    await first.stepped.wait()

    await worker.aclose()

    waiting = await place.store.current(job)
    assert (waiting.state, waiting.lease_until) == (JobState.QUEUED, None)
    assert (waiting.run.checkpoint_step, waiting.run.setbacks) == (1, 0)
    assert first.closed
    assert not await place.worker_table.alive(BackendName.LOCAL, 0.0)
    await place.worker(second).start()
    done = await place.ended(job)
    assert (done.state, done.attempts, second.contents) == (JobState.SUCCEEDED, 2, [b"at 1"])


async def test_a_run_that_does_not_pause_is_stopped_and_given_back(
    place: Any, new_backend: New
) -> None:
    backend = new_backend()
    job = await place.queued()

    async def stubborn(task: Any, report: Any) -> Any:
        try:
            await asyncio.Event().wait()
        finally:
            backend.stopped += 1

    backend.run = stubborn
    worker = place.worker(backend, pause_s=0.05)
    await worker.start()
    await place.until(job, lambda job: job.state is JobState.RUNNING)

    await worker.aclose()

    waiting = await place.store.current(job)
    assert (waiting.state, waiting.lease_until, backend.stopped) == (JobState.QUEUED, None, 1)


@pytest.mark.parametrize(
    ("failure", "reason", "attempts"),
    [
        (TrainingDataError("too few"), "TRAINING_DATA_UNUSABLE", 1),
        (ProviderUnavailableError("it is gone"), "PROVIDER_UNAVAILABLE", 3),
        (ProviderOverloadedError("later", retry_after_s=100.0), "PROVIDER_OVERLOADED", 3),
        (ZeroDivisionError("a fault"), "INTERNAL", 1),
    ],
)
async def test_failures_end_a_job_with_their_reason(
    place: Any, new_backend: New, failure: Exception, reason: str, attempts: int
) -> None:
    backend = new_backend(failure=failure)
    job = await place.queued()
    await place.worker(backend).start()

    for attempt in range(1, attempts):
        waiting = await place.until(
            job, lambda job, at=attempt: job.attempts == at and job.state is JobState.QUEUED
        )
        assert waiting.lease_until > place.clock()
        place.clock.time = waiting.lease_until
    done = await place.until(job, lambda job: job.state.ended and job.lease_until is None)

    assert (done.state, done.attempts) == (JobState.FAILED, attempts)
    assert done.error is not None
    assert done.error.reason == reason
    assert "a fault" not in done.error.message
    assert backend.discarded == [job.job_id]
    assert await place.files.names() == []


async def test_a_deleted_dataset_fails_the_job(place: Any, new_backend: New) -> None:
    dataset_id = await place.add_dataset()
    job = await place.queued(dataset_id=dataset_id)
    await place.archive(dataset_id)
    await place.worker(new_backend()).start()

    done = await place.ended(job)

    assert done.error.reason == "DATASET_NOT_TRAINABLE"


async def test_too_much_data_fail_the_job(place: Any, new_backend: New) -> None:
    job = await place.queued(dataset_id=await place.add_dataset(good=101))
    await place.worker(new_backend()).start()

    done = await place.ended(job)

    assert "more than 100 examples" in done.error.message


async def test_a_job_that_kills_its_workers_fails_in_the_end(place: Any, new_backend: New) -> None:
    job = await place.queued()
    poisoned = replace(
        job,
        state=JobState.RUNNING,
        worker_id="X" * 26,
        lease_until=place.clock(),
        attempts=3,
        run=replace(job.run, setbacks=2),
    )
    await place.store.save(poisoned, now=1.0)
    backend = new_backend()
    await place.worker(backend).start()

    done = await place.until(job, lambda job: job.state.ended and job.lease_until is None)

    assert done.error.reason == "ATTEMPTS_EXHAUSTED"
    assert (backend.resumed, backend.discarded) == ([], [job.job_id])


async def test_a_run_outlives_an_outage_of_the_database(
    place: Any, new_backend: New, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend = new_backend(steps=5, checkpoint_at=3)
    backend.hold(2)
    job = await place.queued()
    await place.worker(backend).start()
    await place.until(job, lambda job: job.progress.step == 2)
    gone = asyncio.Event()
    failed = asyncio.Event()
    writing = place.store.save

    async def save(*arguments: Any, **named: Any) -> Any:
        if not gone.is_set():
            failed.set()
            raise DatabaseUnavailableError("it is gone")
        return await writing(*arguments, **named)

    monkeypatch.setattr(place.store, "save", save)
    for _ in range(3):
        backend.gate.release()
    await failed.wait()
    gone.set()

    done = await place.ended(job)

    assert (done.state, done.attempts) == (JobState.SUCCEEDED, 1)
    assert (await place.lines(job))[-6:] == [
        "step 2",
        "step 3",
        "saved a checkpoint at step 3",
        "step 4",
        "step 5",
        "the model is registered",
    ]


async def test_a_write_whose_answer_was_lost_is_known_for_its_own(
    place: Any, new_backend: New, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost: list[Any] = []
    writing = place.store.succeed

    async def succeed(*arguments: Any, **named: Any) -> Any:
        done = await writing(*arguments, **named)
        if not lost:
            lost.append(done)
            raise DatabaseUnavailableError("it is gone")
        return done

    monkeypatch.setattr(place.store, "succeed", succeed)
    job = await place.queued()
    await place.worker(new_backend()).start()

    done = await place.until(job, lambda job: job.state.ended and job.lease_until is None)

    assert (done.state, done.attempts) == (JobState.SUCCEEDED, 1)
    (model,) = await place.models.models("t")
    await place.files.local_path(model.adapter_file)


async def test_what_is_measured(place: Any, new_backend: New) -> None:
    job = await place.queued()
    worker = place.worker(new_backend())
    await worker.start()
    await place.ended(job)
    labels = {"backend": "local", "state": "succeeded"}

    def sample(name: str, **labels: str) -> float | None:
        value: float | None = place.registry.get_sample_value(f"voicemesh_trainer_{name}", labels)
        return value

    while sample("jobs", **labels) != 1:
        await asyncio.sleep(0.01)
    assert sample("job_attempts_total", backend="local") == 1
    assert sample("job_wait_seconds_count", backend="local") == 1
    assert sample("job_duration_seconds_count", **labels) == 1
    assert sample("training_tokens_per_second", backend="local") == 0
