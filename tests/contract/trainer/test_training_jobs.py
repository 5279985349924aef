"""TrainingJobService over gRPC, with jobs that train at a fake of OpenAI."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from pydantic import SecretStr

from voicemesh.trainer.v1 import dataset_service_pb2 as datasets_pb
from voicemesh.trainer.v1 import training_job_service_pb2 as pb
from voicemesh.trainer.v1.dataset_service_pb2_grpc import DatasetServiceStub
from voicemesh.trainer.v1.training_job_service_pb2_grpc import TrainingJobServiceStub
from voicemesh_chassis.service import ConfigurationError
from voicemesh_chassis.testing import RunningService, running
from voicemesh_trainer.__main__ import build
from voicemesh_trainer.settings import (
    JobSettings,
    OpenAISettings,
    StorageSettings,
    TrainerSettings,
    WorkerSettings,
)
from voicemesh_trainer.wiring.worker import build as build_worker

pytestmark = pytest.mark.contract

KEY = "sk-secret-key-of-the-test"
Refusal = Callable[[grpc.aio.AioRpcError], tuple[str, str]]


def settings_for(
    fake: Any, directory: Path, kind: type[TrainerSettings] = TrainerSettings, **jobs: Any
) -> Any:
    return kind(
        openai_api_key=SecretStr(KEY),
        openai_base_url=fake.url,
        openai=OpenAISettings(model="gpt"),
        storage=StorageSettings(data_dir=directory),
        training=JobSettings(
            **{"poll_s": 0.05, "provider_poll_s": 0.02, "provider_longest_poll_s": 0.05, **jobs}
        ),
    )


@pytest.fixture
async def fake(new_openai: Callable[[], Awaitable[Any]]) -> Any:
    return await new_openai()


@pytest.fixture
async def service(fake: Any, tmp_path: Path) -> AsyncIterator[RunningService]:
    settings = settings_for(fake, tmp_path / "data")
    async with running(build(settings), settings) as service:
        yield service


@pytest.fixture
def jobs(service: RunningService) -> Any:
    return TrainingJobServiceStub(service.channel())


async def new_dataset(service: RunningService, rows: int = 12) -> str:
    stub = DatasetServiceStub(service.channel())
    made = await stub.CreateDataset(datasets_pb.CreateDatasetRequest(tenant="t", name="facts"))
    dataset_id = str(made.dataset.dataset_id)
    config = datasets_pb.ImportDatasetConfig(
        tenant="t",
        dataset_id=dataset_id,
        file_name="facts.csv",
        polarity=datasets_pb.POLARITY_POSITIVE,
    )
    table = "prompt,completion\n" + "".join(f"q {n}?,a {n}\n" for n in range(rows))
    parts = [
        datasets_pb.ImportDatasetRequest(config=config),
        datasets_pb.ImportDatasetRequest(content=table.encode()),
    ]
    answer = await stub.ImportDataset(iter(parts))
    assert answer.imported_count == rows
    return dataset_id


def wish(dataset_id: str, **fields: Any) -> pb.CreateTrainingJobRequest:
    return pb.CreateTrainingJobRequest(**{"tenant": "t", "dataset_id": dataset_id, **fields})


def named(job: pb.TrainingJob) -> dict[str, str]:
    return {"tenant": job.tenant, "job_id": job.job_id}


async def test_a_job_is_made_followed_and_shown(service: RunningService, jobs: Any) -> None:
    dataset_id = await new_dataset(service)
    settings = pb.TrainingSettings(epoch_count=3, seed=0)

    made = (
        await jobs.CreateTrainingJob(
            wish(dataset_id, description="the guild", settings=settings, request_id="r")
        )
    ).job
    events = [
        event async for event in jobs.WatchTrainingJob(pb.WatchTrainingJobRequest(**named(made)))
    ]

    assert made.state == pb.TRAINING_JOB_STATE_QUEUED
    assert (made.description, made.backend, made.base_model) == (
        "the guild",
        pb.TRAINING_BACKEND_OPENAI,
        "gpt",
    )
    kinds = [event.WhichOneof("event") for event in events]
    assert (kinds[0], kinds[-1]) == ("job", "job")
    done = events[-1].job
    assert done.state == pb.TRAINING_JOB_STATE_SUCCEEDED
    assert done.result_model.startswith("gpt-")
    assert (done.attempt_count, done.run.positive_example_count) == (1, 12)
    assert done.run.settings == settings
    assert done.run.provider_job_id.startswith("ftjob-")
    assert done.end_time.ToNanoseconds() >= done.start_time.ToNanoseconds() > 0
    assert not done.HasField("error")
    shown = (await jobs.GetTrainingJob(pb.GetTrainingJobRequest(**named(made)))).job
    assert shown == done
    again = await jobs.CreateTrainingJob(
        wish(dataset_id, description="the guild", settings=settings, request_id="r")
    )
    assert again.job.job_id == made.job_id
    cancelled = await jobs.CancelTrainingJob(pb.CancelTrainingJobRequest(**named(made)))
    assert cancelled.job == done
    picture = b"".join(
        [
            part.content
            async for part in jobs.DownloadLossCurve(pb.DownloadLossCurveRequest(**named(made)))
        ]
    )
    assert picture.startswith(b"\x89PNG")
    await service.check_well()


async def test_lists_are_paged(service: RunningService, jobs: Any, fake: Any) -> None:
    dataset_id = await new_dataset(service)
    fake.held = True
    made = [(await jobs.CreateTrainingJob(wish(dataset_id))).job for _ in range(3)]

    first = await jobs.ListTrainingJobs(pb.ListTrainingJobsRequest(tenant="t", page_size=2))
    rest = await jobs.ListTrainingJobs(
        pb.ListTrainingJobsRequest(tenant="t", page_size=2, page_token=first.next_page_token)
    )
    ids = [job.job_id for job in (*first.jobs, *rest.jobs)]
    assert ids == [job.job_id for job in made[::-1]]
    assert rest.next_page_token == ""

    for job in made:
        answer = await jobs.CancelTrainingJob(pb.CancelTrainingJobRequest(**named(job)))
        assert answer.job.state == pb.TRAINING_JOB_STATE_CANCELLED
    request = pb.ListTrainingLogLinesRequest(**named(made[2]), page_size=1)
    page = await jobs.ListTrainingLogLines(request)
    assert [line.text for line in page.lines] == ["cancelled"]
    assert page.lines[0].log_time.ToNanoseconds() > 0
    fake.held = False


@pytest.mark.parametrize(
    ("fields", "code", "reason", "field"),
    [
        ({"tenant": " "}, "INVALID_ARGUMENT", "INVALID_ARGUMENT", "tenant"),
        ({"description": "x" * 201}, "INVALID_ARGUMENT", "INVALID_ARGUMENT", "description"),
        ({"request_id": "x" * 65}, "INVALID_ARGUMENT", "INVALID_ARGUMENT", "request_id"),
        ({"backend": 9}, "INVALID_ARGUMENT", "INVALID_ARGUMENT", "backend"),
        (
            {"settings": pb.TrainingSettings(epoch_count=0)},
            "INVALID_ARGUMENT",
            "INVALID_ARGUMENT",
            "settings.epoch_count",
        ),
        (
            {"settings": pb.TrainingSettings(learning_rate=float("nan"))},
            "INVALID_ARGUMENT",
            "INVALID_ARGUMENT",
            "settings.learning_rate",
        ),
        ({"dataset_id": "01J0"}, "NOT_FOUND", "DATASET_NOT_FOUND", "dataset_id"),
        ({"dataset_id": ""}, "FAILED_PRECONDITION", "NO_DATASET_SELECTED", ""),
        ({"base_model": "nobody's"}, "NOT_FOUND", "MODEL_NOT_FOUND", "base_model"),
        ({"backend": pb.TRAINING_BACKEND_LOCAL}, "FAILED_PRECONDITION", "MODEL_UNUSABLE", ""),
    ],
)
async def test_bad_wishes_are_refused_in_words(
    service: RunningService,
    jobs: Any,
    refusal: Refusal,
    fields: dict[str, Any],
    code: str,
    reason: str,
    field: str,
) -> None:
    request = wish(**{"dataset_id": "01J00000000000000000000000", **fields})

    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await jobs.CreateTrainingJob(request)

    assert caught.value.code().name == code
    told, at = refusal(caught.value)
    assert told == reason
    assert at in ("", field)


async def test_foreign_ids_and_tokens_are_refused(
    service: RunningService, jobs: Any, refusal: Refusal
) -> None:
    job: dict[str, Any] = {"tenant": "t", "job_id": "01J00000000000000000000000"}
    calls = [
        (jobs.GetTrainingJob(pb.GetTrainingJobRequest(**job)), "JOB_NOT_FOUND"),
        (jobs.CancelTrainingJob(pb.CancelTrainingJobRequest(**job)), "JOB_NOT_FOUND"),
        (jobs.ListTrainingLogLines(pb.ListTrainingLogLinesRequest(**job)), "JOB_NOT_FOUND"),
        (
            jobs.ListTrainingJobs(pb.ListTrainingJobsRequest(tenant="t", page_token="?")),
            "INVALID_ARGUMENT",
        ),
        (
            jobs.ListTrainingLogLines(pb.ListTrainingLogLinesRequest(**job, page_token="-1")),
            "INVALID_ARGUMENT",
        ),
        (
            jobs.ListTrainingJobs(pb.ListTrainingJobsRequest(tenant="t", page_size=-1)),
            "INVALID_ARGUMENT",
        ),
    ]
    for call, reason in calls:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call
        assert refusal(caught.value)[0] == reason
    for stream in (
        jobs.WatchTrainingJob(pb.WatchTrainingJobRequest(**job)),
        jobs.DownloadLossCurve(pb.DownloadLossCurveRequest(**job)),
    ):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await anext(aiter(stream))
        assert refusal(caught.value)[0] == "JOB_NOT_FOUND"


async def test_a_quota_is_told(fake: Any, tmp_path: Path, refusal: Refusal) -> None:
    settings = settings_for(fake, tmp_path / "data", unfinished_jobs=1)
    fake.held = True
    async with running(build(settings), settings) as service:
        jobs = TrainingJobServiceStub(service.channel())
        dataset_id = await new_dataset(service)
        await jobs.CreateTrainingJob(wish(dataset_id))

        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await jobs.CreateTrainingJob(wish(dataset_id))

    assert caught.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    assert refusal(caught.value)[0] == "QUOTA_EXCEEDED"


async def test_workers_alone_do_the_jobs_of_a_service_that_has_none(
    fake: Any, tmp_path: Path, refusal: Refusal
) -> None:
    settings = settings_for(fake, tmp_path / "data", workers=0)
    alone = settings_for(fake, tmp_path / "data", WorkerSettings)
    async with running(build(settings), settings) as service:
        jobs = TrainingJobServiceStub(service.channel())
        dataset_id = await new_dataset(service)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await jobs.CreateTrainingJob(wish(dataset_id))
        assert refusal(caught.value)[0] == "NO_WORKER"

        async with running(build_worker(alone), alone) as worker:
            health = health_pb2_grpc.HealthStub(worker.channel())
            answer = await health.Check(health_pb2.HealthCheckRequest())
            assert answer.status == health_pb2.HealthCheckResponse.SERVING
            made = (await jobs.CreateTrainingJob(wish(dataset_id))).job
            request = pb.WatchTrainingJobRequest(**named(made))
            events = [event async for event in jobs.WatchTrainingJob(request)]
            assert events[-1].job.state == pb.TRAINING_JOB_STATE_SUCCEEDED
            assert await worker.metric("voicemesh_trainer_job_attempts_total") == 1

        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await jobs.CreateTrainingJob(wish(dataset_id))
        assert refusal(caught.value)[0] == "NO_WORKER"


async def test_a_drain_hands_the_job_to_the_next_service(fake: Any, tmp_path: Path) -> None:
    settings = settings_for(fake, tmp_path / "data")
    fake.held = True
    async with running(build(settings), settings) as service:
        dataset_id = await new_dataset(service)
        jobs = TrainingJobServiceStub(service.channel())
        made = (await jobs.CreateTrainingJob(wish(dataset_id))).job
        async for event in jobs.WatchTrainingJob(pb.WatchTrainingJobRequest(**named(made))):
            if event.HasField("progress") and event.progress.step == 3:
                break
    fake.held = False
    async with running(build(settings), settings) as service:
        jobs = TrainingJobServiceStub(service.channel())
        request = pb.WatchTrainingJobRequest(**named(made))
        async with asyncio.timeout(20):
            events = [event async for event in jobs.WatchTrainingJob(request)]

    done = events[-1].job
    assert (done.state, done.attempt_count) == (pb.TRAINING_JOB_STATE_SUCCEEDED, 2)
    assert len(fake.jobs) == 1


async def test_a_worker_that_could_do_nothing_does_not_start(tmp_path: Path, fake: Any) -> None:
    with pytest.raises(ConfigurationError, match="train nothing"):
        build_worker(settings_for(fake, tmp_path, WorkerSettings, workers=0))
