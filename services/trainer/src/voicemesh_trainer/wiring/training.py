"""Training jobs: their API, and the worker of this process."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from voicemesh_trainer.domain.ids import new_id
from voicemesh_trainer.domain.jobs import BackendName
from voicemesh_trainer.engines.openai_tuning.backend import OpenAITuning
from voicemesh_trainer.engines.openai_tuning.client import TuningClient, TuningOptions
from voicemesh_trainer.ports.jobs import Quotas
from voicemesh_trainer.stores.jobs import JobTable
from voicemesh_trainer.stores.models import ModelTable
from voicemesh_trainer.stores.training_sources import TrainingSourceTables
from voicemesh_trainer.stores.workers import WorkerTable
from voicemesh_trainer.training.attempt import AttemptLimits, Workshop
from voicemesh_trainer.training.bases import TrainableModels
from voicemesh_trainer.training.bells import Bells
from voicemesh_trainer.training.jobs import JobOptions, TrainingJobs
from voicemesh_trainer.training.metrics import JobMetrics
from voicemesh_trainer.training.states import Patience
from voicemesh_trainer.training.worker import Worker, WorkerOptions
from voicemesh_trainer.wiring.lora import lora_training

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from prometheus_client import CollectorRegistry

    from voicemesh_trainer.domain.conversations import ModelInfo
    from voicemesh_trainer.ports.tenants import TenantStore
    from voicemesh_trainer.ports.training import TrainingBackend
    from voicemesh_trainer.settings import JobSettings, TrainerSettings
    from voicemesh_trainer.stores.database import Database
    from voicemesh_trainer.stores.files import FileStore

__all__ = ("Training", "training_backends")

# How often a worker says that it is alive, and after how much silence it counts as gone.
_ANNOUNCE_S = 5.0
_SILENCE_S = 20.0
_TICK_S = 1.0


class Training:
    """The parts of training, and their life."""

    def __init__(
        self,
        settings: TrainerSettings,
        stores: tuple[Database, FileStore],
        directory: Path,
        own_models: Sequence[ModelInfo],
        backends: Sequence[TrainingBackend],
        registry: CollectorRegistry,
    ) -> None:
        """Puts them together; `start` begins their work.

        Args:
            settings: all settings.
            stores: the database and the files; who made them closes them, after this.
            directory: of this machine, for what attempts write.
            own_models: the server's own models, the default one first.
            backends: what can train here; closed with this.
            registry: for metrics.
        """
        jobs = settings.training
        database, files = stores
        bells = Bells()
        store = JobTable(database, most_lines=jobs.log_lines)
        workers = WorkerTable(database)
        bases = TrainableModels(own_models, ModelTable(database))
        options = JobOptions(
            quotas=Quotas(jobs.unfinished_jobs, jobs.jobs_a_day),
            default_backend=None if jobs.backend == "auto" else BackendName(jobs.backend),
            worker_silence_s=_SILENCE_S,
            watch_poll_s=jobs.poll_s,
            watchers=jobs.watchers,
        )
        self.jobs = TrainingJobs(store, workers, bases, files, options, bells, now=time.time)
        workshop = Workshop(
            sources=TrainingSourceTables(database),
            bases=bases,
            files=files,
            metrics=JobMetrics(registry),
            directory=directory / "training",
            limits=_limits(jobs),
            now=time.time,
        )
        worker_options = WorkerOptions(
            hands=jobs.workers,
            poll_s=jobs.poll_s,
            announce_s=_ANNOUNCE_S,
            pause_s=jobs.pause_s,
            outage_s=jobs.outage_s,
        )
        self._works = jobs.workers > 0 and bool(backends)
        self._worker = Worker(new_id(), backends, (store, workers), workshop, worker_options, bells)

    async def start(self) -> None:
        """Begins to work, if this process is to. Raises `ServiceError` without the database."""
        if self._works:
            await self._worker.start()

    def drain(self) -> None:
        """Takes no further job, and asks those at work to save a checkpoint."""
        self._worker.drain()

    async def aclose(self) -> None:
        """Gives back what does not end in time, and closes the backends."""
        await self._worker.aclose()


def training_backends(
    settings: TrainerSettings, files: FileStore, tenants: TenantStore
) -> tuple[TrainingBackend, ...]:
    """What this process can train with, as it is set up.

    Args:
        settings: all settings.
        files: where adapters are.
        tenants: what prompts of each tenant begin with.
    """
    found: list[TrainingBackend | None] = [
        _openai_tuning(settings),
        lora_training(settings, files, tenants),
    ]
    return tuple(backend for backend in found if backend is not None)


def _openai_tuning(settings: TrainerSettings) -> OpenAITuning | None:
    """Training by OpenAI; None if neither key nor address is set."""
    key, url = settings.openai_api_key, settings.openai_base_url
    if key is None and url is None:
        return None
    options = TuningOptions(
        # The library wants a key; an endpoint of one's own may not.
        api_key=key.get_secret_value() if key else "none",
        base_url=url,
        connect_timeout_s=settings.openai.connect_timeout_s,
        poll_s=settings.training.provider_poll_s,
        longest_poll_s=settings.training.provider_longest_poll_s,
    )
    return OpenAITuning(TuningClient(options))


def _limits(jobs: JobSettings) -> AttemptLimits:
    return AttemptLimits(
        most_examples=jobs.most_examples,
        tick_s=min(_TICK_S, jobs.poll_s),
        patience=Patience(jobs.lease_s, jobs.attempts, jobs.retry_s),
    )
