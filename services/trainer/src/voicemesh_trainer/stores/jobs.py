"""Training jobs in the database, and their logs.

Every change of a job locks its row first and counts its version up. So changes come one after the
other, lines of a log are numbered in the order in which they become visible, and a worker that does
not know the newest version writes nothing.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, and_, delete, func, insert, or_, select, update

from voicemesh_trainer.domain.jobs import Job, JobState, LogEntry
from voicemesh_trainer.errors import JobNotFoundError
from voicemesh_trainer.ports.jobs import JobLostError
from voicemesh_trainer.stores.job_rows import changing_values, job_from
from voicemesh_trainer.stores.models import insert_model
from voicemesh_trainer.stores.new_jobs import create_job, requested_job
from voicemesh_trainer.stores.schema import training_jobs, training_log_lines
from voicemesh_trainer.training import states

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from sqlalchemy.ext.asyncio import AsyncConnection

    from voicemesh_trainer.domain.jobs import BackendName
    from voicemesh_trainer.domain.models import NewModel
    from voicemesh_trainer.ports.jobs import NewJob, Quotas
    from voicemesh_trainer.ports.training import BaseModel
    from voicemesh_trainer.stores.database import Database

__all__ = ("JobTable",)

_jobs, _lines = training_jobs.c, training_log_lines.c
_ENDED = [state.value for state in JobState if state.ended]
_AT_WORK = [JobState.VALIDATING.value, JobState.RUNNING.value]


class JobTable:
    """A `JobStore` on the trainer's database.

    Args:
        database: where the tables are.
        most_lines: lines that are kept of a job's log; the newest.
        now: the time, in seconds since 1970.
    """

    def __init__(
        self,
        database: Database,
        *,
        most_lines: int = 2000,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._database = database
        self._most_lines = most_lines
        self._now = now

    async def requested(self, new: NewJob) -> Job | None:
        """See `JobStore.requested`."""
        async with self._database.reading() as connection:
            return await requested_job(connection, new)

    async def create(self, new: NewJob, base: BaseModel, quotas: Quotas) -> Job:
        """See `JobStore.create`."""
        async with self._database.transaction() as connection:
            return await create_job(connection, new, base, quotas, self._now())

    async def find(self, tenant: str, job_id: str) -> Job:
        """See `JobStore.find`."""
        async with self._database.reading() as connection:
            return await _find(connection, tenant, job_id)

    async def page(self, tenant: str, before: str | None, limit: int) -> list[Job]:
        """See `JobStore.page`."""
        query = select(training_jobs).where(_jobs.tenant == tenant)
        if before is not None:
            query = query.where(_jobs.job_id < before)
        query = query.order_by(_jobs.job_id.desc()).limit(limit)
        async with self._database.reading() as connection:
            return [job_from(row) for row in await connection.execute(query)]

    async def cancel(self, tenant: str, job_id: str) -> Job:
        """See `JobStore.cancel`."""
        async with self._database.transaction() as connection:
            job = await _find(connection, tenant, job_id, lock=True)
            if job.state.ended:
                return job
            now = self._now()
            return await self._write(connection, states.cancelled(job, now), ["cancelled"], now)

    async def log(self, job: Job, after: int, limit: int) -> list[LogEntry]:
        """See `JobStore.log`."""
        async with self._database.reading() as connection:
            return await _log(connection, job, after, limit)

    async def last_line(self, job: Job) -> int:
        """See `JobStore.last_line`."""
        query = select(func.max(_lines.line)).where(
            _lines.job_id == job.job_id, _lines.tenant == job.tenant
        )
        async with self._database.reading() as connection:
            return (await connection.execute(query)).scalar() or 0

    async def glimpse(
        self, tenant: str, job_id: str, after: int, limit: int
    ) -> tuple[Job, list[LogEntry]]:
        """See `JobStore.glimpse`."""
        async with self._database.reading() as connection:
            # The job first: where two statements see two moments, a line may be told that is newer
            # than the job, but none that is older is missed.
            job = await _find(connection, tenant, job_id)
            return job, await _log(connection, job, after, limit)

    async def claim(
        self, backends: Collection[BackendName], now: float, take: Callable[[Job], Job]
    ) -> Job | None:
        """See `JobStore.claim`."""
        waits = and_(
            _jobs.state == JobState.QUEUED.value,
            or_(_jobs.lease_until.is_(None), _jobs.lease_until <= now),
        )
        left = and_(_jobs.state.in_(_AT_WORK), _jobs.lease_until <= now)
        return await self._take(or_(waits, left), backends, take)

    async def claim_ended(
        self, backends: Collection[BackendName], now: float, take: Callable[[Job], Job]
    ) -> Job | None:
        """See `JobStore.claim_ended`."""
        untidy = and_(_jobs.state.in_(_ENDED), _jobs.lease_until <= now)
        return await self._take(untidy, backends, take)

    async def save(self, job: Job, lines: Sequence[str] = (), *, now: float) -> Job:
        """See `JobStore.save`."""
        async with self._database.transaction() as connection:
            return await self._write(connection, job, lines, now)

    async def succeed(self, job: Job, model: NewModel, lines: Sequence[str], *, now: float) -> Job:
        """See `JobStore.succeed`."""
        async with self._database.transaction() as connection:
            # Its row is locked and known to be ours before anything else is written.
            written = await self._write(connection, job, lines, now)
            registered = await insert_model(connection, model, now)
            await connection.execute(
                update(training_jobs)
                .where(_jobs.job_id == job.job_id, _jobs.tenant == job.tenant)
                .values(result_model=registered.name)
            )
            return replace(written, result_model=registered.name)

    async def renew(self, job: Job, lease_until: float) -> None:
        """See `JobStore.renew`."""
        async with self._database.transaction() as connection:
            change = _of_version(job).values(lease_until=lease_until)
            if (await connection.execute(change)).rowcount != 1:
                raise JobLostError

    async def current(self, job: Job) -> Job:
        """See `JobStore.current`."""
        return await self.find(job.tenant, job.job_id)

    async def count_by_state(self) -> dict[tuple[str, str], int]:
        """See `JobStore.count_by_state`."""
        query = select(_jobs.backend, _jobs.state, func.count()).group_by(
            _jobs.backend, _jobs.state
        )
        async with self._database.reading() as connection:
            return {
                (backend, state): count for backend, state, count in await connection.execute(query)
            }

    async def _take(
        self,
        condition: ColumnElement[bool],
        backends: Collection[BackendName],
        take: Callable[[Job], Job],
    ) -> Job | None:
        names = [backend.value for backend in backends]
        query = (
            select(training_jobs)
            .where(condition, _jobs.backend.in_(names))
            .order_by(_jobs.job_id)
            .limit(1)
        )
        # Workers look often and mostly find nothing: that takes no lock.
        async with self._database.reading() as connection:
            if (await connection.execute(query)).first() is None:
                return None
        async with self._database.transaction() as connection:
            # Two workers that look at once get two jobs (SQLite lets in one writer at a time).
            found = (await connection.execute(query.with_for_update(skip_locked=True))).first()
            if found is None:
                return None
            return await self._write(connection, take(job_from(found)), (), self._now())

    async def _write(
        self, connection: AsyncConnection, job: Job, lines: Sequence[str], now: float
    ) -> Job:
        change = _of_version(job).values(**changing_values(job), version=job.version + 1)
        if (await connection.execute(change)).rowcount != 1:
            raise JobLostError
        if lines:
            entries: list[dict[str, Any]] = [
                {"tenant": job.tenant, "job_id": job.job_id, "log_time": now, "text": text}
                for text in lines
            ]
            # One by one: numbers are given in the order of these statements.
            for entry in entries:
                await connection.execute(insert(training_log_lines).values(**entry))
            await self._forget_lines(connection, job)
        return replace(job, version=job.version + 1)

    async def _forget_lines(self, connection: AsyncConnection, job: Job) -> None:
        """Deletes the oldest lines of a log that is too long."""
        oldest = (
            select(_lines.line)
            .where(_lines.job_id == job.job_id)
            .order_by(_lines.line.desc())
            .limit(1)
            .offset(self._most_lines)
            .scalar_subquery()
        )
        await connection.execute(
            delete(training_log_lines).where(_lines.job_id == job.job_id, _lines.line <= oldest)
        )


def _of_version(job: Job) -> Any:
    return update(training_jobs).where(
        _jobs.job_id == job.job_id, _jobs.tenant == job.tenant, _jobs.version == job.version
    )


async def _find(
    connection: AsyncConnection, tenant: str, job_id: str, *, lock: bool = False
) -> Job:
    query = select(training_jobs).where(_jobs.tenant == tenant, _jobs.job_id == job_id)
    row = (await connection.execute(query.with_for_update() if lock else query)).first()
    if row is None:
        msg = "the tenant has no training job of this id; ListTrainingJobs tells which there are"
        raise JobNotFoundError(msg, field="job_id")
    return job_from(row)


async def _log(connection: AsyncConnection, job: Job, after: int, limit: int) -> list[LogEntry]:
    query = (
        select(_lines.line, _lines.log_time, _lines.text)
        .where(_lines.job_id == job.job_id, _lines.tenant == job.tenant, _lines.line > after)
        .order_by(_lines.line)
        .limit(limit)
    )
    return [LogEntry(*row) for row in await connection.execute(query)]
