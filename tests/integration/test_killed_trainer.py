"""A trainer that is killed again and again loses nothing that it acknowledged.

A real process on SQLite, with a worker of its own, is killed (SIGKILL) at random moments while
callers import examples, queue jobs, cancel some, and follow others. The jobs train at a fake of
OpenAI, which lives through it all. `VOICEMESH_TEST_KILLS=50` does it as often as that.
"""

from __future__ import annotations

import asyncio
import logging
import os
import random
import signal
import socket
import sqlite3
import sys
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from voicemesh.trainer.v1 import dataset_service_pb2 as datasets_pb
from voicemesh.trainer.v1 import model_service_pb2 as models_pb
from voicemesh.trainer.v1 import training_job_service_pb2 as jobs_pb
from voicemesh.trainer.v1.dataset_service_pb2_grpc import DatasetServiceStub
from voicemesh.trainer.v1.model_service_pb2_grpc import ModelServiceStub
from voicemesh.trainer.v1.training_job_service_pb2_grpc import TrainingJobServiceStub

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]

KILLS = int(os.environ.get("VOICEMESH_TEST_KILLS", "4"))
SEED = int(os.environ.get("VOICEMESH_TEST_SEED", "1"))
COMMAND = str(Path(sys.executable).parent / "voicemesh-trainer")
KEY = "sk-secret-key-of-the-test"
TENANT = "guild"
ROWS = 40
LIVES_S = 1.2
PATIENCE_S = 60.0
ENDED = {
    jobs_pb.TRAINING_JOB_STATE_SUCCEEDED,
    jobs_pb.TRAINING_JOB_STATE_FAILED,
    jobs_pb.TRAINING_JOB_STATE_CANCELLED,
}
TRANSIENT = {
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.RESOURCE_EXHAUSTED,
}
# What grpc.aio makes of a connection that breaks while it sends.
BROKEN_OFF = "Internal error from Core"


@dataclass
class Trainer:
    """A trainer process that can be killed and started again, with the same data."""

    directory: Path
    provider_url: str
    process: asyncio.subprocess.Process | None = None
    port: int = 0
    channel: Any = None

    def __post_init__(self) -> None:
        with socket.socket() as one, socket.socket() as two:
            one.bind(("127.0.0.1", 0))
            two.bind(("127.0.0.1", 0))
            self.port, self.metrics_port = one.getsockname()[1], two.getsockname()[1]
        backoff = [
            ("grpc.initial_reconnect_backoff_ms", 50),
            ("grpc.min_reconnect_backoff_ms", 50),
            ("grpc.max_reconnect_backoff_ms", 200),
        ]
        self.channel = grpc.aio.insecure_channel(f"127.0.0.1:{self.port}", options=backoff)

    @property
    def log(self) -> Path:
        return self.directory.with_suffix(".log")

    async def start(self) -> None:
        clean = {name: value for name, value in os.environ.items() if "OPENAI" not in name}
        with self.log.open("wb") as log:
            self.process = await asyncio.create_subprocess_exec(
                COMMAND,
                env={
                    **clean,
                    "OPENAI_API_KEY": KEY,
                    "OPENAI_BASE_URL": self.provider_url,
                    "VOICEMESH_TRAINER_BACKEND": "openai",
                    "VOICEMESH_TRAINER_OPENAI__MODEL": "gpt",
                    "VOICEMESH_TRAINER_SERVER__PORT": str(self.port),
                    "VOICEMESH_TRAINER_SERVER__METRICS_PORT": str(self.metrics_port),
                    "VOICEMESH_TRAINER_STORAGE__DATA_DIR": str(self.directory),
                    "VOICEMESH_TRAINER_TRAINING__WORKERS": "2",
                    "VOICEMESH_TRAINER_TRAINING__LEASE_S": "2",
                    "VOICEMESH_TRAINER_TRAINING__POLL_S": "0.1",
                    "VOICEMESH_TRAINER_TRAINING__ATTEMPTS": "100",
                    "VOICEMESH_TRAINER_TRAINING__UNFINISHED_JOBS": "1000",
                    "VOICEMESH_TRAINER_TRAINING__JOBS_A_DAY": "100000",
                    "VOICEMESH_TRAINER_TRAINING__PROVIDER_POLL_S": "0.05",
                    "VOICEMESH_TRAINER_TRAINING__PROVIDER_LONGEST_POLL_S": "0.1",
                },
                stderr=log,
            )
        health = health_pb2_grpc.HealthStub(self.channel)
        async with asyncio.timeout(PATIENCE_S):
            while True:
                assert self.process.returncode is None, self.log.read_text()
                with suppress(grpc.aio.AioRpcError):
                    answer = await health.Check(health_pb2.HealthCheckRequest(), timeout=5)
                    if answer.status == health_pb2.HealthCheckResponse.SERVING:
                        return
                await asyncio.sleep(0.05)

    async def kill(self) -> None:
        if self.process is not None and self.process.returncode is None:
            self.process.send_signal(signal.SIGKILL)
            await self.process.wait()

    async def aclose(self) -> None:
        await self.kill()
        await self.channel.close()

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What is in the database of a trainer that was killed."""
        path = self.directory / "trainer.db"
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as connection:
            return connection.execute(query).fetchall()


@dataclass
class Callers:
    """Those who use the trainer, and what it has acknowledged to them."""

    trainer: Trainer
    dice: random.Random
    imports: dict[str, int] = field(default_factory=dict)
    """Rows of acknowledged imports, by request id."""
    begun_imports: int = 0
    jobs: dict[str, str] = field(default_factory=dict)
    """Ids of acknowledged jobs, by request id."""
    cancelled: dict[str, int] = field(default_factory=dict)
    """States that acknowledged cancellations told."""
    seen_ended: dict[str, int] = field(default_factory=dict)
    """States of jobs that someone was told have ended."""
    watched: int = 0

    def __post_init__(self) -> None:
        channel = self.trainer.channel
        self.datasets = DatasetServiceStub(channel)
        self.training = TrainingJobServiceStub(channel)
        self.models = ModelServiceStub(channel)

    async def insist(self, call: Callable[[], Awaitable[Any]]) -> Any:
        """Calls until there is an answer, as a caller does whose server went away."""
        while True:
            try:
                return await call()
            except grpc.aio.AioRpcError as error:
                if error.code() not in TRANSIENT and error.details() != BROKEN_OFF:
                    raise
                await asyncio.sleep(0.05)

    async def make_dataset(self, name: str) -> str:
        request = datasets_pb.CreateDatasetRequest(tenant=TENANT, name=name)
        answer = await self.datasets.CreateDataset(request, wait_for_ready=True)
        return str(answer.dataset.dataset_id)

    async def import_rows(self, dataset_id: str, number: int) -> None:
        """Uploads a file, piece by piece, until it is acknowledged."""
        config = datasets_pb.ImportDatasetConfig(
            tenant=TENANT,
            dataset_id=dataset_id,
            file_name="facts.csv",
            polarity=datasets_pb.POLARITY_POSITIVE,
            request_id=f"import-{number}",
        )
        rows = [f"question {number}-{row}?,answer {number}-{row}\n" for row in range(ROWS)]

        async def parts() -> Any:
            yield datasets_pb.ImportDatasetRequest(config=config)
            for row in ("prompt,completion\n", *rows):
                yield datasets_pb.ImportDatasetRequest(content=row.encode())

        async def call() -> Any:
            self.begun_imports += 1
            return await self.datasets.ImportDataset(parts(), timeout=20)

        answer = await self.insist(call)
        assert answer.imported_count == ROWS
        self.imports[config.request_id] = ROWS

    async def keep_importing(self, dataset_id: str, end: asyncio.Event) -> None:
        number = 0
        while not end.is_set():
            number += 1
            await self.import_rows(dataset_id, number)

    async def keep_training(self, dataset_id: str, name: str, end: asyncio.Event) -> None:
        number = 0
        while not end.is_set():
            number += 1
            request = jobs_pb.CreateTrainingJobRequest(
                tenant=TENANT, dataset_id=dataset_id, request_id=f"{name}-{number}"
            )

            async def call(request: Any = request) -> Any:
                return await self.training.CreateTrainingJob(request, timeout=10)

            answer = await self.insist(call)
            self.jobs[request.request_id] = answer.job.job_id
            if self.dice.random() < 0.3:
                await asyncio.sleep(self.dice.random() * 0.5)
                await self.cancel(answer.job.job_id)
            else:
                await self.watch(answer.job.job_id)

    async def cancel(self, job_id: str) -> None:
        request = jobs_pb.CancelTrainingJobRequest(tenant=TENANT, job_id=job_id)
        answer = await self.insist(lambda: self.training.CancelTrainingJob(request, timeout=10))
        self.cancelled[job_id] = answer.job.state

    async def watch(self, job_id: str) -> None:
        """Follows a job for a while, or to its end."""
        request = jobs_pb.WatchTrainingJobRequest(tenant=TENANT, job_id=job_id)
        with suppress(grpc.aio.AioRpcError):
            async for event in self.training.WatchTrainingJob(request, timeout=3):
                if event.HasField("job") and event.job.state in ENDED:
                    self.seen_ended[job_id] = event.job.state
                    self.watched += 1

    async def job(self, job_id: str) -> Any:
        request = jobs_pb.GetTrainingJobRequest(tenant=TENANT, job_id=job_id)
        return (await self.training.GetTrainingJob(request, timeout=10)).job


async def lives(trainer: Trainer, callers: Callers, busy: list[asyncio.Task[None]]) -> Counter[str]:
    """Kills the trainer again and again; counts the states in which that found its jobs."""
    found: Counter[str] = Counter()
    dice = callers.dice
    for _ in range(KILLS):
        await asyncio.sleep(dice.random() * LIVES_S)
        assert not any(task.done() for task in busy), "a caller was told what it did not expect"
        before = callers.begun_imports, len(callers.imports)
        await trainer.kill()
        for state, lease in trainer.rows("SELECT state, lease_until FROM training_jobs"):
            ended = state in {"succeeded", "failed", "cancelled"}
            if not ended:
                found[state] += 1
            elif lease is not None:
                found[f"{state}, not tidied up"] += 1
        found["an import"] += before[0] > before[1]
        assert trainer.rows("PRAGMA integrity_check") == [("ok",)]
        await trainer.start()
    return found


async def check_jobs(trainer: Trainer, callers: Callers, fake: Any) -> Counter[Any]:
    """Every acknowledged job ends, once, and is what callers were told."""
    states: Counter[Any] = Counter()
    models = {}
    listed = await callers.models.ListModels(
        models_pb.ListModelsRequest(tenant=TENANT, page_size=500)
    )
    for model in listed.models:
        if model.job_id:
            models[model.job_id] = model
    for job_id in callers.jobs.values():
        job = await callers.job(job_id)
        states[job.state] += 1
        assert job.state in ENDED
        assert callers.cancelled.get(job_id, job.state) == job.state
        assert callers.seen_ended.get(job_id, job.state) == job.state
        there = [each for each in fake.jobs.values() if each["metadata"]["voicemesh_job"] == job_id]
        assert len(there) <= 1
        assert (job.state == jobs_pb.TRAINING_JOB_STATE_SUCCEEDED) == (job_id in models)
        if job_id in models:
            assert job.result_model == models[job_id].name
            assert there[0]["status"] == "succeeded"
    provider_models = {row[0] for row in trainer.rows("SELECT provider_model FROM models")}
    assert provider_models <= {each["fine_tuned_model"] for each in fake.jobs.values()}
    assert len(models) == states[jobs_pb.TRAINING_JOB_STATE_SUCCEEDED]
    return states


async def test_killing_a_trainer_loses_nothing(
    tmp_path: Path, new_openai: Callable[..., Awaitable[Any]]
) -> None:
    dice = random.Random(SEED)
    fake = await new_openai(slow_s=0.02, steps=2)
    trainer = Trainer(tmp_path / "data", fake.url)
    callers = Callers(trainer, dice)
    end = asyncio.Event()
    busy: list[asyncio.Task[None]] = []
    try:
        await trainer.start()
        trained, filled = [await callers.make_dataset(name) for name in ("trained", "filled")]
        await callers.import_rows(trained, 0)
        callers.imports.clear()
        busy = [
            asyncio.create_task(callers.keep_importing(filled, end)),
            *(
                asyncio.create_task(callers.keep_training(trained, name, end))
                for name in ("Ann", "Bob", "Cid")
            ),
        ]
        found = await lives(trainer, callers, busy)
        end.set()
        async with asyncio.timeout(PATIENCE_S):
            await asyncio.gather(*busy)

        # No job is stuck, and nothing is left at the provider.
        async with asyncio.timeout(PATIENCE_S):
            while trainer.rows(
                "SELECT 1 FROM training_jobs WHERE lease_until IS NOT NULL"
                " OR state IN ('queued', 'validating', 'running')"
            ):
                await asyncio.sleep(0.1)
        states = await check_jobs(trainer, callers, fake)
        assert (fake.files, fake.unfinished) == ({}, [])
        # Imports are there as they were acknowledged: completely, and once.
        counted = trainer.rows(
            "SELECT dataset_id, example_count,"
            " (SELECT count(*) FROM examples WHERE examples.dataset_id = datasets.dataset_id)"
            " FROM datasets"
        )
        assert sorted(counted) == sorted(
            [(trained, ROWS, ROWS), (filled, *[sum(callers.imports.values())] * 2)]
        )
        told = {jobs_pb.TrainingJobState.Name(state)[19:]: n for state, n in states.items()}
        summary = f"{KILLS} kills found {dict(found)}; jobs {told}; {len(callers.imports)} imports"
        logging.getLogger(__name__).info(summary)
        assert states[jobs_pb.TRAINING_JOB_STATE_FAILED] == 0
        assert states[jobs_pb.TRAINING_JOB_STATE_SUCCEEDED] > 0
        assert callers.imports
    finally:
        for task in busy:
            task.cancel()
        await asyncio.gather(*busy, return_exceptions=True)
        await trainer.aclose()
