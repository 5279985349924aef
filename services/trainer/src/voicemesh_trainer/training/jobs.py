"""What callers can do with training jobs."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from voicemesh_chassis.errors import OverloadedError
from voicemesh_trainer.domain.jobs import BackendName, Job, LogEntry, Progress
from voicemesh_trainer.errors import NoLossCurveError, NoWorkerError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator

    from voicemesh_trainer.ports.jobs import (
        BaseModels,
        JobFiles,
        JobStore,
        NewJob,
        Quotas,
        WorkerStore,
    )
    from voicemesh_trainer.training.bells import Bells

__all__ = ("JobEvent", "JobOptions", "TrainingJobs")

JobEvent: TypeAlias = Job | Progress | LogEntry

_LINES_A_LOOK = 200
_RETRY_AFTER_S = 5.0

_START = {
    BackendName.LOCAL: "run `make lora-setup` (or install voicemesh-trainer[lora]) and then start "
    "the trainer again, or start a voicemesh-trainer-worker that can",
    BackendName.OPENAI: "set OPENAI_API_KEY and start the trainer again, or start a "
    "voicemesh-trainer-worker that has it",
}
"""How there comes to be a worker."""


@dataclass(frozen=True)
class JobOptions:
    """How callers are served."""

    quotas: Quotas
    """What a tenant may ask for."""
    default_backend: BackendName | None
    """Where training runs if neither request nor base model says; None: where the model is."""
    worker_silence_s: float
    """How long a worker may be silent before it counts as gone, in seconds."""
    watch_poll_s: float
    """How often a followed job is looked at, in seconds; what happens in this process shows at
    once."""
    watchers: int
    """Callers that may follow jobs at once."""


class TrainingJobs:
    """Makes jobs, shows them, and ends them; workers do the rest.

    All calls raise `DatabaseUnavailableError` if the database cannot be reached.

    Args:
        store: where jobs are.
        workers: who is there to work.
        bases: what can be trained from.
        files: where pictures are.
        options: how callers are served.
        bells: rung when there is work; wakes those who follow a job.
        now: the time, in seconds since 1970.
    """

    def __init__(  # noqa: PLR0913 - one for each neighbour
        self,
        store: JobStore,
        workers: WorkerStore,
        bases: BaseModels,
        files: JobFiles,
        options: JobOptions,
        bells: Bells,
        *,
        now: Callable[[], float],
    ) -> None:
        self._store = store
        self._workers = workers
        self._bases = bases
        self._files = files
        self._options = options
        self._bells = bells
        self._now = now
        self._watchers = 0

    async def create(self, new: NewJob) -> Job:
        """Queues a job; it is durable when this returns.

        Raises:
            AlreadyExistsError: if the request id was used for another request.
            NotFoundError: if the tenant has no such dataset or model.
            FailedPreconditionError: if no dataset is selected, dataset or model cannot be trained,
                or no worker is there that could do it.
            QuotaExceededError: if the tenant may have no further job now.
        """
        if (known := await self._store.requested(new)) is not None:
            return known
        wanted = new.backend or self._options.default_backend
        base = await self._bases.find(new.tenant, new.base_model, wanted)
        since = self._now() - self._options.worker_silence_s
        if not await self._workers.alive(base.backend, since):
            msg = (
                f"no worker is there that trains with the backend {base.backend}; "
                f"{_START[base.backend]}"
            )
            raise NoWorkerError(msg, metadata={"backend": base.backend})
        job = await self._store.create(new, base, self._options.quotas)
        self._bells.work.ring()
        return job

    async def find(self, tenant: str, job_id: str) -> Job:
        """One job. Raises `JobNotFoundError` if the tenant has none of this id."""
        return await self._store.find(tenant, job_id)

    async def page(self, tenant: str, before: str | None, limit: int) -> list[Job]:
        """The tenant's jobs, newest first, from the one after `before`."""
        return await self._store.page(tenant, before, limit)

    async def cancel(self, tenant: str, job_id: str) -> Job:
        """Ends a job, and leaves one that has ended as it is. Raises as `find`."""
        job = await self._store.cancel(tenant, job_id)
        self._bells.jobs.ring()
        self._bells.work.ring()
        return job

    async def log(self, tenant: str, job_id: str, after: int, limit: int) -> list[LogEntry]:
        """Lines with a number above `after`, oldest first. Raises as `find`."""
        return await self._store.log(await self._store.find(tenant, job_id), after, limit)

    async def curve(self, tenant: str, job_id: str) -> AsyncIterator[bytes]:
        """The picture of a job's loss (PNG), in pieces.

        Raises:
            JobNotFoundError: as `find`.
            NoLossCurveError: if there is none.
        """
        job = await self._store.find(tenant, job_id)
        if job.curve_file is None:
            msg = f"job {job_id} is {job.state} and has no curve of its loss"
            raise NoLossCurveError(msg, metadata={"state": job.state})
        return self._files.open(job.curve_file)

    async def watch(self, tenant: str, job_id: str) -> AsyncGenerator[JobEvent, None]:
        """Follows a job to its end: the job, then what happens to it from now on, then the job.

        Lines come in order and each once, whichever replica's worker writes them; of progress that
        is made between two looks only the last is told. A job that has ended comes once.

        Raises:
            JobNotFoundError: as `find`.
            OverloadedError: if too many callers follow jobs.
        """
        with self._watching():
            job = await self._store.find(tenant, job_id)
            last = await self._store.last_line(job)
            yield job
            known = job
            while not known.state.ended:
                heard = self._bells.jobs.heard
                job, lines = await self._store.glimpse(tenant, job_id, last, _LINES_A_LOOK)
                more = len(lines) == _LINES_A_LOOK
                for line in lines:
                    last = line.number
                    yield line
                if more:
                    continue  # the state is told after all lines that were written before it
                if job.progress != known.progress:
                    yield job.progress
                if (job.state, job.attempts) != (known.state, known.attempts):
                    yield job
                known = job
                if not job.state.ended:
                    await self._bells.jobs.wait(heard, self._options.watch_poll_s)

    @contextmanager
    def _watching(self) -> Iterator[None]:
        if self._watchers >= self._options.watchers:
            msg = f"{self._watchers} callers follow jobs already"
            raise OverloadedError(msg, retry_after_s=_RETRY_AFTER_S)
        self._watchers += 1
        try:
            yield
        finally:
            self._watchers -= 1
