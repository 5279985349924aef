"""A place to train in: a database, files, a clock, and a backend that does what it is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import insert, update

from voicemesh_trainer.domain.conversations import ModelInfo
from voicemesh_trainer.domain.ids import new_id
from voicemesh_trainer.domain.jobs import BackendName, Job, Progress, TrainingSettings
from voicemesh_trainer.domain.training_data import TrainingData
from voicemesh_trainer.ports.jobs import NewJob, Quotas
from voicemesh_trainer.ports.training import (
    BaseModel,
    Checkpoint,
    CheckpointSaved,
    Facts,
    LogLine,
    Paused,
    TrainedModel,
    TrainingEvent,
    TrainingTask,
    ValidationReport,
)
from voicemesh_trainer.stores.database import Database
from voicemesh_trainer.stores.files import FileStore
from voicemesh_trainer.stores.jobs import JobTable
from voicemesh_trainer.stores.models import ModelTable
from voicemesh_trainer.stores.schema import datasets, examples, lessons, tenants
from voicemesh_trainer.stores.training_sources import TrainingSourceTables
from voicemesh_trainer.stores.workers import WorkerTable
from voicemesh_trainer.training.attempt import AttemptLimits, Workshop
from voicemesh_trainer.training.bases import TrainableModels
from voicemesh_trainer.training.bells import Bells
from voicemesh_trainer.training.jobs import JobOptions, TrainingJobs
from voicemesh_trainer.training.metrics import JobMetrics
from voicemesh_trainer.training.states import Patience
from voicemesh_trainer.training.worker import Worker, WorkerOptions

BASE = BaseModel("gemma", BackendName.LOCAL, "gemma", license="Gemma")


@dataclass
class Clock:
    """A time that moves when it is told to."""

    time: float = 1_000_000.0

    def __call__(self) -> float:
        return self.time


@dataclass
class Backend:
    """A `TrainingBackend` whose run takes `steps` steps, each when it is let."""

    steps: int = 3
    name: BackendName = BackendName.LOCAL
    failure: Exception | None = None
    """Raised after the last step."""
    checkpoint_at: int = 0
    gate: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(1_000_000))
    stepped: asyncio.Event = field(default_factory=asyncio.Event)
    resumed: list[Checkpoint | None] = field(default_factory=list)
    contents: list[bytes] = field(default_factory=list)
    data: list[TrainingData] = field(default_factory=list)
    discarded: list[str] = field(default_factory=list)
    stopped: int = 0
    closed: bool = False

    def hold(self, free_steps: int = 0) -> None:
        self.gate = asyncio.Semaphore(free_steps)

    async def validate(self, task: TrainingTask) -> ValidationReport:
        return ValidationReport(replace(task.job.settings, epoch_count=2), ("mind the gap",))

    async def run(
        self, task: TrainingTask, report: Callable[[TrainingEvent], Awaitable[None]]
    ) -> TrainedModel | Paused:
        self.resumed.append(task.resume)
        self.data.append(task.data)
        if task.resume is not None:
            self.contents.append(task.resume.path.read_bytes())
        await report(Facts(versions={"backend": "1"}))
        try:
            for step in range(1 + (task.resume.step if task.resume else 0), self.steps + 1):
                pausing = asyncio.create_task(task.pause.wait())
                going = asyncio.create_task(self.gate.acquire())
                await asyncio.wait({pausing, going}, return_when=asyncio.FIRST_COMPLETED)
                pausing.cancel()
                if task.pause.is_set():
                    going.cancel()
                    await self._save(task, step - 1, report)
                    return Paused()
                await report(Progress(step, self.steps, 1 / step, 1e-3, 50.0, 1.5))
                await report(LogLine(f"step {step}"))
                if step == self.checkpoint_at:
                    await self._save(task, step, report)
                self.stepped.set()
        except asyncio.CancelledError:
            self.stopped += 1
            raise
        if self.failure is not None:
            raise self.failure
        await report(Facts(metrics={"loss": 0.5, "bad": float("nan")}))
        adapter = task.directory / "adapter.gguf"
        adapter.write_bytes(b"GGUF" + task.job.job_id.encode())
        return TrainedModel(adapter=adapter)

    async def _save(
        self,
        task: TrainingTask,
        step: int,
        report: Callable[[TrainingEvent], Awaitable[None]],
    ) -> None:
        path = task.directory / "checkpoint"
        path.write_bytes(f"at {step}".encode())
        await report(CheckpointSaved(path, step))

    async def discard(self, job: Job) -> None:
        self.discarded.append(job.job_id)

    async def aclose(self) -> None:
        self.closed = True


@dataclass
class Place:
    """Everything that jobs need, on one database."""

    database: Database
    files: FileStore
    directory: Path
    clock: Clock = field(default_factory=Clock)
    quotas: Quotas = field(default_factory=lambda: Quotas(4, 50))
    bells: Bells = field(default_factory=Bells)
    workers: list[Worker] = field(default_factory=list)
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)

    def __post_init__(self) -> None:
        self.store = JobTable(self.database, most_lines=50, now=self.clock)
        self.models = ModelTable(self.database, now=self.clock)
        self.worker_table = WorkerTable(self.database)
        own = (ModelInfo("gemma", "local", "Gemma"), ModelInfo("gpt", "openai"))
        self.bases = TrainableModels(own, self.models)
        self.metrics = JobMetrics(self.registry)
        options = JobOptions(self.quotas, None, 20.0, 0.05, 3)
        self.jobs = TrainingJobs(
            self.store,
            self.worker_table,
            self.bases,
            self.files,
            options,
            self.bells,
            now=self.clock,
        )

    async def add_dataset(
        self, tenant: str = "t", good: int = 3, bad: int = 0, **columns: Any
    ) -> str:
        dataset_id = new_id()
        now = self.clock()
        async with self.database.transaction() as connection:
            await connection.execute(
                insert(datasets).values(
                    **{
                        "dataset_id": dataset_id,
                        "tenant": tenant,
                        "name": dataset_id,
                        "example_count": good + bad,
                        "negative_example_count": bad,
                        "content_sha256": "0" * 64,
                        "create_time": now,
                        "update_time": now,
                        **columns,
                    }
                )
            )
            for number in range(good + bad):
                await connection.execute(
                    insert(examples).values(
                        example_id=new_id(),
                        tenant=tenant,
                        dataset_id=dataset_id,
                        position=number,
                        prompt=f"question {number % good}?",
                        completion=f"answer {number}",
                        polarity="positive" if number < good else "negative",
                        content_key=f"{number:064d}",
                        create_time=now,
                    )
                )
        return dataset_id

    async def select_dataset(self, dataset_id: str, tenant: str = "t") -> None:
        async with self.database.transaction() as connection:
            await connection.execute(
                insert(tenants).values(tenant=tenant, selected_dataset_id=dataset_id)
            )

    async def archive(self, dataset_id: str) -> None:
        async with self.database.transaction() as connection:
            await connection.execute(
                update(datasets).where(datasets.c.dataset_id == dataset_id).values(archived=True)
            )

    async def correct(self, question: str, answer: str, rejected: str, tenant: str = "t") -> None:
        async with self.database.transaction() as connection:
            await connection.execute(
                insert(lessons).values(
                    lesson_id=new_id(),
                    tenant=tenant,
                    kind="correction",
                    polarity="positive",
                    question=question,
                    answer=answer,
                    rejected_answer=rejected,
                    question_key="0" * 64,
                    create_time=self.clock(),
                )
            )

    def wish(self, dataset_id: str = "", **fields: Any) -> NewJob:
        wish = NewJob("t", "", "", dataset_id, None, "", TrainingSettings())
        return replace(wish, **fields)

    async def queued(self, tenant: str = "t", dataset_id: str | None = None) -> Job:
        """A new job, whoever may work on it."""
        if dataset_id is None:
            dataset_id = await self.add_dataset(tenant)
        return await self.store.create(
            self.wish(dataset_id, tenant=tenant), BASE, Quotas(1000, 1000)
        )

    def worker(self, *backends: Backend, **options: Any) -> Worker:
        """A worker of its own process, as far as one can tell from the database."""
        limits = AttemptLimits(100, 0.02, Patience(30.0, 3, 10.0))
        workshop = Workshop(
            TrainingSourceTables(self.database),
            self.bases,
            self.files,
            self.metrics,
            self.directory / f"worker {len(self.workers)}",
            limits,
            self.clock,
        )
        chosen = {"hands": 1, "poll_s": 0.02, "announce_s": 0.05, "pause_s": 5.0, "outage_s": 5.0}
        worker = Worker(
            new_id(),
            backends,
            (self.store, self.worker_table),
            workshop,
            WorkerOptions(**{**chosen, **options}),
            self.bells,
        )
        self.workers.append(worker)
        return worker

    async def until(self, job: Job, condition: Callable[[Job], object]) -> Job:
        """Waits until the stored job is so; bounded by the test's own time limit."""
        while True:
            heard = self.bells.jobs.heard
            job = await self.store.current(job)
            if condition(job):
                return job
            await self.bells.jobs.wait(heard, 0.02)

    async def ended(self, job: Job) -> Job:
        return await self.until(job, lambda job: job.state.ended)

    async def lines(self, job: Job) -> list[str]:
        return [line.text for line in await self.store.log(job, 0, 1000)]


@pytest.fixture
async def place(database: Database, tmp_path: Path) -> AsyncIterator[Place]:
    """A place to train in, on SQLite and on PostgreSQL."""
    files = FileStore(str(tmp_path / "files"), tmp_path / "work")
    await files.prepare()
    place = Place(database, files, tmp_path / "training")
    yield place
    for worker in place.workers:
        await worker.aclose()
    await files.aclose()


@pytest.fixture
def new_backend() -> Callable[..., Backend]:
    """Makes a backend that does what it is told."""
    return Backend
