"""A worker's hand on the row of its job.

Every write names the version that the worker knows, so a worker that was given up, or whose job was
cancelled, writes nothing more. While the database cannot be reached the worker goes on with its
work and tries again: nobody else can take the job meanwhile either.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from voicemesh_chassis.errors import ServiceError
from voicemesh_trainer.ports.jobs import JobLostError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from voicemesh_trainer.domain.jobs import Job
    from voicemesh_trainer.domain.models import NewModel
    from voicemesh_trainer.ports.jobs import JobStore
    from voicemesh_trainer.training.bells import Bells

__all__ = ("Ledger",)

_RETRY_S = 0.5
_LONGEST_RETRY_S = 5.0


class Ledger:
    """Changes one job, one change after the other.

    Args:
        job: as it was claimed.
        store: where it is.
        bells: rung after every change.
        now: the time, in seconds since 1970.
        outage_s: how long to try while the database cannot be reached, in seconds.
    """

    def __init__(
        self,
        job: Job,
        store: JobStore,
        bells: Bells,
        *,
        now: Callable[[], float],
        outage_s: float,
    ) -> None:
        self._job = job
        self._store = store
        self._bells = bells
        self._now = now
        self._outage_s = outage_s
        self._turn = asyncio.Lock()

    @property
    def job(self) -> Job:
        """The job as this worker last wrote it."""
        return self._job

    async def change(self, transition: Callable[[Job], Job], lines: Sequence[str] = ()) -> Job:
        """Writes what `transition` makes of the job.

        Raises:
            JobLostError: if the job is no longer this worker's.
            ServiceError: if the database could not be reached, or was full, for too long.
        """
        async with self._turn:
            new = transition(self._job)

            async def write() -> Job:
                return await self._store.save(new, lines, now=self._now())

            self._job = await self._settled(new, write)
        self._ring()
        return self._job

    async def succeed(
        self, transition: Callable[[Job], Job], model: NewModel, lines: Sequence[str]
    ) -> Job:
        """As `change`, with the model, both or neither."""
        async with self._turn:
            new = transition(self._job)

            async def write() -> Job:
                return await self._store.succeed(new, model, lines, now=self._now())

            self._job = await self._settled(new, write)
        self._ring()
        return self._job

    async def renew(self, lease_s: float) -> None:
        """Prolongs the lease; if the database cannot be reached, the next time will do.

        Raises:
            JobLostError: if the job is no longer this worker's.
        """
        async with self._turn:
            try:
                await self._store.renew(self._job, self._now() + lease_s)
            except ServiceError as error:
                if not error.retryable:
                    raise

    async def check(self) -> None:
        """Raises `JobLostError` if the job is no longer this worker's, as far as can be seen."""
        async with self._turn:
            try:
                stored = await self._store.current(self._job)
            except ServiceError as error:
                if not error.retryable:
                    raise
                return
            if stored.version != self._job.version:
                raise JobLostError

    async def _settled(self, new: Job, write: Callable[[], Awaitable[Job]]) -> Job:
        """Writes until it is known that it was written or that it never will be."""
        deadline = asyncio.get_running_loop().time() + self._outage_s
        wait_s = _RETRY_S
        doubtful = False
        while True:
            try:
                return await write()
            except JobLostError:
                if doubtful and (stored := await self._ours(new)) is not None:
                    return stored
                raise
            except ServiceError as error:  # the database is gone, or its disk is full
                # The connection may have broken after the commit.
                doubtful = True
                if not error.retryable or asyncio.get_running_loop().time() + wait_s > deadline:
                    raise
            await asyncio.sleep(wait_s)
            wait_s = min(2 * wait_s, _LONGEST_RETRY_S)

    async def _ours(self, new: Job) -> Job | None:
        """The stored job, if it is what a write made of it that seemed to fail."""
        stored = await self._store.current(new)
        same = (
            stored.version == new.version + 1
            and stored.worker_id == new.worker_id
            and stored.state is new.state
        )
        return stored if same else None

    def _ring(self) -> None:
        self._bells.jobs.ring()
        if self._job.lease_until is None or self._job.state.ended:
            self._bells.work.ring()
