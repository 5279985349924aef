"""What a training job needs from what trains: the machine itself, or a provider."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, TypeAlias

from voicemesh_trainer.domain.jobs import Progress

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Awaitable, Callable, Mapping
    from pathlib import Path

    from voicemesh_trainer.domain.jobs import BackendName, Job, TrainingSettings
    from voicemesh_trainer.domain.training_data import TrainingData

__all__ = (
    "BaseModel",
    "Checkpoint",
    "CheckpointSaved",
    "Facts",
    "LogLine",
    "Paused",
    "TrainedModel",
    "TrainingBackend",
    "TrainingEvent",
    "TrainingTask",
    "ValidationReport",
)


@dataclass(frozen=True)
class BaseModel:
    """A model that a job starts from."""

    name: str
    """As the tenant calls it."""
    backend: BackendName
    """Where it answers, and so where it is trained."""
    root: str
    """The server's own model that it goes back to: the same name, unless it was tuned itself."""
    adapter_file: str = ""
    """Of a tuned local one: its adapter among the trainer's files."""
    provider_model: str = ""
    """Of the provider's: its name there, `gpt-…` or `ft:gpt-…`."""
    license: str = ""
    """SPDX identifier or name, if known; what is trained from it has the same."""


@dataclass(frozen=True)
class Checkpoint:
    """Where an earlier attempt came to."""

    path: Path
    """The file that it saved, on this machine; to be read, not changed."""
    step: int
    """The step that was done."""


@dataclass(frozen=True)
class CheckpointSaved:
    """An event: a file holds all that is needed to go on from here.

    The file may be changed or deleted as soon as the report of it has returned: it was copied to
    where another machine finds it, and the checkpoint before it was deleted.
    """

    path: Path
    """One file, under the task's directory."""
    step: int
    """The step that was done."""


@dataclass(frozen=True)
class LogLine:
    """An event: something to tell people. No words of examples, no keys, no paths."""

    text: str
    """One line, at most 500 characters."""


@dataclass(frozen=True)
class Facts:
    """An event: what is to be kept with the run. What is not named stays as it was."""

    versions: Mapping[str, str] = field(default_factory=dict)
    """Package to version; added to those known."""
    metrics: Mapping[str, float] = field(default_factory=dict)
    """Figures; added to those known, and finite."""
    provider_job_id: str | None = None
    """Id of the job at the provider."""
    provider_files: tuple[str, ...] | None = None
    """Ids of all files at the provider that are to be deleted at the end."""


TrainingEvent: TypeAlias = Progress | LogLine | CheckpointSaved | Facts


@dataclass(frozen=True)
class TrainedModel:
    """What came of a run."""

    adapter: Path | None = None
    """Of a local one: the adapter for llama.cpp (GGUF), under the task's directory, complete."""
    provider_model: str = ""
    """Of the provider's: the name of the new model there."""


@dataclass(frozen=True)
class Paused:
    """A run that stopped because it was asked to, after its last checkpoint."""


@dataclass(frozen=True)
class ValidationReport:
    """What a backend makes of a task before it begins."""

    settings: TrainingSettings
    """As asked for, with every default of the backend filled in."""
    warnings: tuple[str, ...] = ()
    """What people should know; one line each, as `LogLine`."""


@dataclass(frozen=True)
class TrainingTask:
    """One attempt at a job."""

    job: Job
    """The job; `job.run` tells what earlier attempts have reported, and from `run` on
    `job.run.settings` is what `validate` made of the settings."""
    base: BaseModel
    """What it starts from."""
    data: TrainingData
    """What it trains on; the same for every attempt that has `resume`."""
    directory: Path
    """An empty directory for this attempt alone; deleted after it."""
    pause: asyncio.Event
    """Set when this process is about to end: the run saves a checkpoint as soon as it can, if that
    saves work, and returns `Paused`. A few seconds later its task is cancelled."""
    resume: Checkpoint | None = None
    """The last checkpoint of an earlier attempt; None if there is none."""


class TrainingBackend(Protocol):
    """Something that trains.

    Several tasks may run at once in one event loop, which a backend never holds up. Cancelling the
    task that awaits any of these calls stops the work here within a second or so, and is no
    judgement on the job: it may have a new worker, or its end may have been asked for; `discard`
    follows only in the latter case.

    All calls raise `ServiceError`: one that is `retryable` (the provider is down, memory is short)
    makes the job wait and be tried again, a bounded number of times; any other one, and any other
    exception, fails the job with its message.
    """

    @property
    def name(self) -> BackendName:
        """Which one this is."""

    async def validate(self, task: TrainingTask) -> ValidationReport:
        """Checks data, settings and base model before anything is spent.

        Raises:
            FailedPreconditionError: if they cannot be trained; the message says why.
        """

    async def run(
        self, task: TrainingTask, report: Callable[[TrainingEvent], Awaitable[None]]
    ) -> TrainedModel | Paused:
        """Trains, or goes on with what an earlier attempt began.

        Args:
            task: what to do.
            report: takes what happens, in order, one at a time. `CheckpointSaved` and `Facts` are
                durable when it returns; `Progress` may be thinned out and may be sent at every
                step. Raises if the job is no longer this worker's; let that through.

        Returns:
            The model, complete; or `Paused`.
        """

    async def discard(self, job: Job) -> None:
        """Ends for good what a job has outside: its job and its files at the provider.

        Called after every end of a job, whoever ran it; what is gone already is no error.
        """

    async def aclose(self) -> None:
        """Stops everything and frees what is held. Safe to call twice."""
