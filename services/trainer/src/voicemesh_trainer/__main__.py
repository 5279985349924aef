"""Wiring of the trainer: settings to stores and engines, these to servicers."""

from __future__ import annotations

from contextlib import AsyncExitStack

from voicemesh_chassis import app
from voicemesh_chassis.metrics import new_registry
from voicemesh_chassis.service import Service
from voicemesh_trainer.rpc.apis import apis
from voicemesh_trainer.rpc.jobs import TrainingJobServicer
from voicemesh_trainer.rpc.trainer import TrainerServicer
from voicemesh_trainer.settings import TrainerSettings
from voicemesh_trainer.stores.tenants import TenantTable
from voicemesh_trainer.tenant_answers import TenantAnswers
from voicemesh_trainer.wiring.datasets import Datasets
from voicemesh_trainer.wiring.memory import Memory
from voicemesh_trainer.wiring.models import Models
from voicemesh_trainer.wiring.storage import Storage
from voicemesh_trainer.wiring.training import Training, training_backends

__all__ = ("build", "main")


def build(settings: TrainerSettings) -> Service:
    """The trainer as the chassis runs it.

    Raises:
        StartupError: if something is not configured; whether it is there, `start` tells.
    """
    registry = new_registry()
    storage = Storage(settings, registry)
    stores = (storage.database, storage.files)
    tenants = TenantTable(storage.database)
    models = Models(settings, stores, tenants, registry)
    memory = Memory(settings, storage.database, models.generation, registry)
    answers = TenantAnswers(memory.answers, tenants, settings.memory.recall_s)
    tested = TenantAnswers(memory.passing_answers, tenants, settings.memory.recall_s)
    training = Training(
        settings,
        stores,
        settings.storage.directory,
        models.roster.models(),
        training_backends(settings, storage.files, tenants),
        registry,
    )
    datasets = Datasets(settings, *stores)
    running = AsyncExitStack()

    async def start() -> None:
        # Each is closed before those that it uses; what was not opened is closed as well.
        for part in (storage, models, memory, datasets, training):
            running.push_async_callback(part.aclose)
        await storage.open()
        await datasets.open()
        await models.open()
        memory.start()
        await training.start()

    return Service(
        name="trainer",
        apis=apis(
            TrainerServicer(answers, memory.lessons, tenants),
            models.servicer(tested),
            datasets.servicer,
            TrainingJobServicer(training.jobs),
        ),
        start=start,
        stop=running.aclose,
        registry=registry,
        drain=training.drain,
    )


def main() -> None:
    """Runs the trainer until it is told to stop."""
    app.main(TrainerSettings, build)


if __name__ == "__main__":
    main()
