"""Training by OpenAI's fine-tuning, against a fake that checks every request by its schema."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from voicemesh_trainer.domain.jobs import BackendName, Job, JobState, TrainingSettings
from voicemesh_trainer.engines.openai_tuning.backend import OpenAITuning
from voicemesh_trainer.engines.openai_tuning.client import TuningClient, TuningOptions
from voicemesh_trainer.ports.jobs import Quotas
from voicemesh_trainer.ports.training import BaseModel

# The database is not what is tested here.
pytestmark = [
    pytest.mark.unit,
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),
]

KEY = "sk-secret-key-of-the-test"
BASE = BaseModel("gpt", BackendName.OPENAI, "gpt", provider_model="gpt")
New = Callable[..., Awaitable[Any]]


class Waits(list[float]):
    """Takes the place of `sleep`, and remembers for how long."""

    async def __call__(self, seconds: float) -> None:
        self.append(seconds)
        await asyncio.sleep(0)


@pytest.fixture
def waits() -> Waits:
    return Waits()


@pytest.fixture
def tune(waits: Waits) -> Callable[..., OpenAITuning]:
    """Makes backends for a fake."""

    def make(fake: Any, **options: Any) -> OpenAITuning:
        chosen = {"poll_s": 0.01, "longest_poll_s": 0.02, "attempts": 4, **options}
        return OpenAITuning(TuningClient(TuningOptions(KEY, fake.url, **chosen), sleep=waits))

    return make


@pytest.fixture
async def fake(new_openai: New) -> Any:
    return await new_openai()


async def queued(place: Any, good: int = 12, bad: int = 0, **settings: Any) -> Job:
    dataset_id = await place.add_dataset(good=good, bad=bad)
    wish = place.wish(dataset_id, settings=TrainingSettings(**settings))
    job: Job = await place.store.create(wish, BASE, Quotas(1000, 1000))
    return job


def tidy(job: Job) -> bool:
    return job.state.ended and job.lease_until is None


async def test_a_job_becomes_a_model_at_the_provider(place: Any, fake: Any, tune: Any) -> None:
    job = await queued(place, epoch_count=3, seed=7)
    await place.worker(tune(fake)).start()

    done = await place.until(job, tidy)

    assert (done.state, done.error) == (JobState.SUCCEEDED, None)
    (there,) = fake.jobs.values()
    (model,) = await place.models.models("t")
    assert model.provider_model == there["fine_tuned_model"]
    assert (model.backend, model.base_model, model.adapter_file) == ("openai", "gpt", None)
    assert there["method"] == {
        "type": "supervised",
        "supervised": {"hyperparameters": {"n_epochs": 3}},
    }
    assert (there["seed"], there["metadata"]["voicemesh_job"]) == (7, job.job_id)
    (content,) = fake.contents.values()
    first = json.loads(content.splitlines()[0])
    assert first["messages"] == [
        {"role": "user", "content": "question 0?"},
        {"role": "assistant", "content": "answer 0"},
    ]
    assert done.run.provider_job_id == there["id"]
    assert done.run.losses == ((1, 2.0), (2, 1.0), (3, 2 / 3))
    assert done.run.metrics["tokens"] == 1234
    assert (done.progress.step, done.progress.step_count) == (3, 3)
    assert fake.files == {}  # what was uploaded is deleted
    lines = await place.lines(job)
    assert "provider: Fine-tuning job started" in lines
    assert "the provider keeps a checkpoint of step 3" in lines
    assert done.curve_file is not None


async def test_pairs_are_trained_by_preference_from_the_first_stages_model(
    place: Any, fake: Any, tune: Any
) -> None:
    job = await queued(place, good=10, bad=10, preference_strength=0.2)
    await place.worker(tune(fake)).start()

    done = await place.until(job, tidy)

    supervised, preference = fake.jobs.values()
    assert done.state is JobState.SUCCEEDED
    assert preference["model"] == supervised["fine_tuned_model"]
    assert preference["method"] == {"type": "dpo", "dpo": {"hyperparameters": {"beta": 0.2}}}
    (model,) = await place.models.models("t")
    assert model.provider_model == preference["fine_tuned_model"]
    assert fake.files == {}


@pytest.mark.parametrize(
    ("good", "settings", "message"),
    [
        (9, {}, "at least 10 examples with a question; the dataset has 9"),
        (12, {"preference_strength": 5.0}, "OpenAI takes at most 2"),
        (12, {"seed": -1}, "OpenAI takes 0 to"),
    ],
)
async def test_what_openai_would_refuse_is_refused_before_anything_is_sent(
    place: Any, fake: Any, tune: Any, good: int, settings: dict[str, Any], message: str
) -> None:
    job = await queued(place, good=good, **settings)
    await place.worker(tune(fake)).start()

    done = await place.ended(job)

    assert done.error.reason == "TRAINING_DATA_UNUSABLE"
    assert message in done.error.message
    assert not [call for call in fake.calls if call.startswith("POST")]


async def test_settings_that_openai_has_not_are_told(place: Any, fake: Any, tune: Any) -> None:
    job = await queued(place, bad=2, lora_rank=8, learning_rate=0.1)
    await place.worker(tune(fake)).start()

    done = await place.ended(job)

    lines = await place.lines(job)
    assert "settings.lora_rank is not used: OpenAI chooses it" in lines
    assert any("2 pairs of a good and a bad answer are left out" in line for line in lines)
    assert done.run.settings == TrainingSettings()


async def test_a_failure_at_the_provider_is_told_in_its_words(
    place: Any, fake: Any, tune: Any
) -> None:
    fake.failing = "the file is unsafe"
    job = await queued(place)
    await place.worker(tune(fake)).start()

    done = await place.until(job, tidy)

    assert (done.state, done.error.reason) == (JobState.FAILED, "TRAINING_FAILED")
    assert done.error.message == "fine-tuning failed at the provider: the file is unsafe"
    assert fake.files == {}


CALLS = ("POST files", "POST jobs", "GET jobs", "GET events", "GET checkpoints", "GET files")


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 429, "headers": {"retry-after": "3"}},
        {"status": 500},
        {"lose_answer": True},
        {"body": b"<html>"},
        {"body": b"[]"},
        {"body": b'{"object": "list", "data": [{"id": 7}]}'},
    ],
    ids=["429", "500", "lost", "no json", "another shape", "wrong types"],
)
async def test_what_passes_is_tried_again_and_makes_nothing_twice(
    place: Any, fake: Any, tune: Any, openai_fakes: Any, waits: Waits, fault: Any
) -> None:
    for call in CALLS:
        fake.fail(call, openai_fakes.Fault(**fault))
    job = await queued(place)
    await place.worker(tune(fake)).start()

    done = await place.until(job, tidy)

    assert (done.state, done.attempts) == (JobState.SUCCEEDED, 1)
    assert len(fake.jobs) == len(fake.uploads) == 1
    assert len(waits) == len(CALLS)
    if "headers" in fault:
        assert set(waits) == {3.0}
    assert fake.files == {}


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ({"status": 401}, "PROVIDER_REFUSED"),
        ({"status": 404}, "MODEL_NOT_FOUND"),
        ({"status": 400}, "PROVIDER_REFUSED"),
        ({"status": 429, "code": "insufficient_quota"}, "PROVIDER_REFUSED"),
    ],
)
async def test_what_does_not_pass_fails_the_job_and_tells_no_secret(
    place: Any, fake: Any, tune: Any, openai_fakes: Any, fault: Any, reason: str
) -> None:
    fake.fail("POST jobs", openai_fakes.Fault(**fault))
    job = await queued(place)
    await place.worker(tune(fake)).start()

    done = await place.until(job, tidy)

    assert (done.state, done.error.reason, done.attempts) == (JobState.FAILED, reason, 1)
    assert KEY not in done.error.message
    assert KEY not in "".join(await place.lines(job))
    assert (fake.files, fake.jobs) == ({}, {})


async def test_a_provider_that_stays_away_makes_the_job_wait(
    place: Any, fake: Any, tune: Any, openai_fakes: Any
) -> None:
    fake.fail("POST jobs", *[openai_fakes.Fault(status=503)] * 4)
    job = await queued(place)
    await place.worker(tune(fake)).start()

    waiting = await place.until(job, lambda job: job.attempts == 1 and job.state is JobState.QUEUED)
    place.clock.time = waiting.lease_until
    done = await place.until(job, tidy)

    assert (done.state, done.attempts) == (JobState.SUCCEEDED, 2)
    assert len(fake.uploads) == 1


async def test_a_slow_provider_counts_as_away(
    place: Any, fake: Any, tune: Any, openai_fakes: Any, waits: Waits
) -> None:
    fake.fail("GET events", openai_fakes.Fault(wait_s=5.0))
    job = await queued(place)
    await place.worker(tune(fake, read_timeout_s=0.3)).start()

    done = await place.ended(job)

    assert (done.state, len(waits)) == (JobState.SUCCEEDED, 1)


async def test_cancelling_ends_the_job_there_too(place: Any, fake: Any, tune: Any) -> None:
    fake.held = True
    job = await queued(place)
    await place.worker(tune(fake)).start()
    await place.until(job, lambda job: job.progress.step == 3)

    await place.jobs.cancel("t", job.job_id)
    await place.until(job, tidy)

    assert [there["status"] for there in fake.jobs.values()] == ["cancelled"]
    assert fake.files == {}
    assert await place.models.models("t") == ()


async def test_another_worker_goes_on_with_the_same_job_there(
    place: Any, fake: Any, tune: Any
) -> None:
    fake.held = True
    job = await queued(place)
    first = place.worker(tune(fake))
    await first.start()
    await place.until(job, lambda job: job.progress.step == 3)
    await first.aclose()
    assert fake.unfinished
    fake.held = False
    # It is found by its metadata even if nothing was written of it.
    stored = await place.store.current(job)
    run = replace(stored.run, provider_job_id="", provider_files=())
    await place.store.save(replace(stored, run=run), now=1.0)

    await place.worker(tune(fake)).start()
    done = await place.until(job, tidy)

    assert (done.state, done.attempts) == (JobState.SUCCEEDED, 2)
    assert len(fake.jobs) == len(fake.uploads) == 1
    assert fake.files == {}


async def test_of_two_jobs_there_one_is_ended(place: Any, fake: Any, tune: Any) -> None:
    fake.held = True
    job = await queued(place)
    first = place.worker(tune(fake))
    await first.start()
    await place.until(job, lambda job: job.progress.step == 3)
    await first.aclose()
    (there,) = list(fake.jobs.values())
    fake.jobs["ftjob-0"] = {**there, "id": "ftjob-0", "created_at": 9999}
    fake.events["ftjob-0"] = []
    fake.held = False

    await place.worker(tune(fake)).start()
    done = await place.until(job, tidy)

    assert done.run.provider_job_id == there["id"]
    assert fake.jobs["ftjob-0"]["status"] == "cancelled"


async def test_context_and_system_prompt_become_messages(place: Any, fake: Any, tune: Any) -> None:
    from voicemesh_trainer.domain.training_data import TrainingExample
    from voicemesh_trainer.engines.openai_tuning.records import planned
    from voicemesh_trainer.training.assembly import assembled

    one = TrainingExample("And why?", "So.", "Be kind.", "user: Who?\nassistant: Ann,\nof us.")
    plain = TrainingExample("", "a plain text")
    many = [TrainingExample(f"q {number}", "a") for number in range(9)]

    plan = planned(assembled([one, plain, *many], []), TrainingSettings())

    (stage,) = plan.stages
    assert json.loads(stage.records.splitlines()[0])["messages"] == [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": "Who?"},
        {"role": "assistant", "content": "Ann,\nof us."},
        {"role": "user", "content": "And why?"},
        {"role": "assistant", "content": "So."},
    ]
    assert plan.warnings == ("1 plain texts without a question are left out",)
