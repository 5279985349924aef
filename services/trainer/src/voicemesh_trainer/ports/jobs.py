"""What training jobs need from where they, their data and their files are kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Collection, Sequence
    from pathlib import Path

    from voicemesh_trainer.domain.jobs import BackendName, Job, LogEntry, TrainingSettings
    from voicemesh_trainer.domain.models import NewModel
    from voicemesh_trainer.domain.training_data import TrainingExample
    from voicemesh_trainer.ports.training import BaseModel

__all__ = (
    "BaseModels",
    "CorrectedAnswer",
    "JobFiles",
    "JobLostError",
    "JobStore",
    "NewJob",
    "Quotas",
    "StoredBytes",
    "TrainingSources",
    "WorkerStore",
)


class JobLostError(Exception):
    """The job is no longer as its worker knows it: it was cancelled, or another worker has it."""


@dataclass(frozen=True)
class NewJob:
    """What a caller asks for."""

    tenant: str
    """Who asks."""
    request_id: str
    """Names the request, so that a repeated one makes one job; empty if every request counts."""
    description: str
    """What people call it."""
    dataset_id: str
    """What to train on; empty for the selected dataset."""
    backend: BackendName | None
    """Where to run; None for the server's default."""
    base_model: str
    """The model to start from; empty for the tenant's active one."""
    settings: TrainingSettings
    """How training goes."""


@dataclass(frozen=True)
class Quotas:
    """What one tenant may ask for."""

    unfinished: int
    """Jobs that wait or run, at most."""
    a_day: int
    """Jobs made in any 24 hours, at most."""


class JobStore(Protocol):
    """The jobs of all tenants. What a call has returned from is durable.

    All raise `DatabaseUnavailableError` if the database cannot be reached; a change may then have
    been made or not.
    """

    async def requested(self, new: NewJob) -> Job | None:
        """The job that an earlier request of the same id has made; None if there was none.

        Raises:
            AlreadyExistsError: if the id was used for another request.
        """

    async def create(self, new: NewJob, base: BaseModel, quotas: Quotas) -> Job:
        """Queues a job, once for each request id.

        Raises:
            AlreadyExistsError: if the request id was used for another request.
            NotFoundError: if the tenant has no such dataset.
            FailedPreconditionError: if no dataset is selected, or it cannot be trained on.
            QuotaExceededError: if the tenant may have no further job now.
        """

    async def find(self, tenant: str, job_id: str) -> Job:
        """One job. Raises `JobNotFoundError` if the tenant has none of this id."""

    async def page(self, tenant: str, before: str | None, limit: int) -> list[Job]:
        """The tenant's jobs, newest first, from the one after `before`."""

    async def cancel(self, tenant: str, job_id: str) -> Job:
        """Ends a job, and leaves one that has ended as it is.

        Raises:
            JobNotFoundError: if the tenant has none of this id.
        """

    async def log(self, job: Job, after: int, limit: int) -> list[LogEntry]:
        """Lines with a number above `after`, oldest first."""

    async def last_line(self, job: Job) -> int:
        """The number of the last line so far; 0 if there is none."""

    async def glimpse(
        self, tenant: str, job_id: str, after: int, limit: int
    ) -> tuple[Job, list[LogEntry]]:
        """The job and its lines above `after` as they were at one moment.

        Raises:
            JobNotFoundError: if the tenant has none of this id.
        """

    async def claim(
        self, backends: Collection[BackendName], now: float, take: Callable[[Job], Job]
    ) -> Job | None:
        """Gives the oldest job that waits, or whose worker is gone, to whoever asks first.

        Args:
            backends: only jobs of these.
            now: a lease that ends later is respected.
            take: what becomes of the job.

        Returns:
            The job as it is now; None if there is none.
        """

    async def claim_ended(
        self, backends: Collection[BackendName], now: float, take: Callable[[Job], Job]
    ) -> Job | None:
        """As `claim`, for a job that has ended and is to be tidied up after."""

    async def save(self, job: Job, lines: Sequence[str] = (), *, now: float) -> Job:
        """Writes a job and further lines of its log.

        Returns:
            The job with its new version.

        Raises:
            JobLostError: if the stored one is of another version; nothing was written.
        """

    async def succeed(self, job: Job, model: NewModel, lines: Sequence[str], *, now: float) -> Job:
        """As `save`, and records the model in the same transaction; the job gets its name."""

    async def renew(self, job: Job, lease_until: float) -> None:
        """Prolongs the lease. Raises `JobLostError` as `save`; the version stays."""

    async def current(self, job: Job) -> Job:
        """The job as it is stored now."""

    async def count_by_state(self) -> dict[tuple[str, str], int]:
        """How many jobs of all tenants there are, by backend and state."""


class WorkerStore(Protocol):
    """Who is there to work. Raises `DatabaseUnavailableError` as `JobStore`."""

    async def announce(self, worker_id: str, backends: Collection[BackendName], now: float) -> None:
        """Says that a worker is alive."""

    async def leave(self, worker_id: str) -> None:
        """Says that a worker is gone."""

    async def alive(self, backend: BackendName, since: float) -> bool:
        """Whether a worker that can do this was seen since then."""

    async def forget(self, before: float) -> None:
        """Removes workers that were not seen since then."""


@dataclass(frozen=True)
class CorrectedAnswer:
    """A correction of an answer that is known."""

    question: str
    """What was asked."""
    answer: str
    """What should have been answered."""
    rejected_answer: str
    """What was."""


class TrainingSources(Protocol):
    """Where training data comes from. Raises `DatabaseUnavailableError` as `JobStore`."""

    async def examples(self, tenant: str, dataset_id: str, limit: int) -> list[TrainingExample]:
        """The first examples of a dataset, in the order of import.

        Raises:
            NotFoundError: if the tenant has no such dataset.
            FailedPreconditionError: if it is archived.
        """

    async def corrections(self, tenant: str, limit: int) -> list[CorrectedAnswer]:
        """The newest corrections of which the wrong answer is known, oldest first."""


class BaseModels(Protocol):
    """Knows what can be trained from."""

    async def find(self, tenant: str, name: str, backend: BackendName | None) -> BaseModel:
        """A model to start from.

        Args:
            tenant: who trains.
            name: of one of the server's models or the tenant's own; empty for the active one, or
                for the backend's own if the active one is of another backend.
            backend: where training is to run; None for where the model is.

        Raises:
            ModelNotFoundError: if the tenant has no such model.
            FailedPreconditionError: if the model cannot be trained there.
        """


class StoredBytes(Protocol):
    """A file that was stored."""

    @property
    def name(self) -> str:
        """What it is to be asked for by."""

    @property
    def sha256(self) -> str:
        """Of its content, in lower-case hexadecimal digits."""


class JobFiles(Protocol):
    """The trainer's files, which every replica reaches."""

    async def write(self, name_prefix: str, source: AsyncIterator[bytes] | bytes) -> StoredBytes:
        """Stores a file; it is durable and complete when this returns."""

    def open(self, name: str) -> AsyncIterator[bytes]:
        """The content of a file, in pieces."""

    async def local_path(self, name: str) -> Path:
        """A file of this machine with the content."""

    async def delete(self, name: str) -> None:
        """Deletes a file; one that is gone is no error."""

    async def names(self) -> list[str]:
        """The names of all files."""
