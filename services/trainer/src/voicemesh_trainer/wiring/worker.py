"""A worker alone: it trains what others queue in the same database, and answers nothing."""

from __future__ import annotations

from contextlib import AsyncExitStack

from voicemesh_chassis import app
from voicemesh_chassis.metrics import new_registry
from voicemesh_chassis.service import ConfigurationError, Service
from voicemesh_trainer.settings import WorkerSettings
from voicemesh_trainer.stores.tenants import TenantTable
from voicemesh_trainer.wiring.models import Models
from voicemesh_trainer.wiring.storage import Storage
from voicemesh_trainer.wiring.training import Training, training_backends

__all__ = ("build", "main")


def build(settings: WorkerSettings) -> Service:
    """The worker as the chassis runs it: health and metrics, without a service of its own.

    Raises:
        StartupError: if something is not configured; whether it is there, `start` tells.
    """
    if settings.training.workers == 0:
        msg = "VOICEMESH_TRAINER_TRAINING__WORKERS is 0, so this worker would train nothing"
        raise ConfigurationError(msg)
    registry = new_registry()
    storage = Storage(settings, registry)
    stores = (storage.database, storage.files)
    tenants = TenantTable(storage.database)
    # Never opened: only what the models are called and what they are is of interest.
    models = Models(settings, stores, tenants, registry)
    backends = training_backends(settings, storage.files, tenants)
    if not backends:
        msg = (
            "this worker can train nothing: set OPENAI_API_KEY or OPENAI_BASE_URL, or install "
            "voicemesh-trainer[lora]"
        )
        raise ConfigurationError(msg)
    training = Training(
        settings, stores, settings.storage.directory, models.roster.models(), backends, registry
    )
    running = AsyncExitStack()

    async def start() -> None:
        for part in (storage, training):
            running.push_async_callback(part.aclose)
        await storage.open()
        await training.start()

    return Service(
        name="trainer-worker",
        apis=(),
        start=start,
        stop=running.aclose,
        registry=registry,
        drain=training.drain,
    )


def main() -> None:
    """Runs the worker until it is told to stop."""
    app.main(WorkerSettings, build)
