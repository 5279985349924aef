"""Who is there to run training jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite

from voicemesh_trainer.stores.schema import workers

if TYPE_CHECKING:
    from collections.abc import Collection

    from voicemesh_trainer.domain.jobs import BackendName
    from voicemesh_trainer.stores.database import Database

__all__ = ("WorkerTable",)


class WorkerTable:
    """A `WorkerStore` on the trainer's database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def announce(self, worker_id: str, backends: Collection[BackendName], now: float) -> None:
        """See `WorkerStore.announce`."""
        values = {"backends": [backend.value for backend in backends], "seen_time": now}
        async with self._database.transaction() as connection:
            dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
            await connection.execute(
                dialect.insert(workers)
                .values(worker_id=worker_id, **values)
                .on_conflict_do_update(index_elements=["worker_id"], set_=values)
            )

    async def leave(self, worker_id: str) -> None:
        """See `WorkerStore.leave`."""
        async with self._database.transaction() as connection:
            await connection.execute(delete(workers).where(workers.c.worker_id == worker_id))

    async def alive(self, backend: BackendName, since: float) -> bool:
        """See `WorkerStore.alive`."""
        query = select(workers.c.backends).where(workers.c.seen_time >= since)
        async with self._database.reading() as connection:
            rows = (await connection.execute(query)).scalars()
            return any(backend.value in backends for backends in rows)

    async def forget(self, before: float) -> None:
        """See `WorkerStore.forget`."""
        old = workers.c.seen_time < before
        async with self._database.reading() as connection:
            if (await connection.execute(select(workers.c.worker_id).where(old))).first() is None:
                return
        async with self._database.transaction() as connection:
            await connection.execute(delete(workers).where(old))
