"""Keeps the vectors of questions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite

from voicemesh_trainer.stores.schema import embeddings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from voicemesh_trainer.stores.database import Database

__all__ = ("SqlVectorStore",)

_BATCH = 500
"""Keys in one query; SQLite once took 999 at most."""


class SqlVectorStore:
    """A `VectorStore` in the trainer's database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def vectors(
        self, tenant: str, model: str, question_keys: Sequence[str]
    ) -> Mapping[str, bytes]:
        """See `VectorStore.vectors`."""
        found: dict[str, bytes] = {}
        async with self._database.reading() as connection:
            for start in range(0, len(question_keys), _BATCH):
                wanted = select(embeddings.c.question_key, embeddings.c.vector).where(
                    embeddings.c.tenant == tenant,
                    embeddings.c.model == model,
                    embeddings.c.question_key.in_(question_keys[start : start + _BATCH]),
                )
                for row in await connection.execute(wanted):
                    found[row.question_key] = row.vector
        return found

    async def keep_vectors(self, tenant: str, model: str, vectors: Mapping[str, bytes]) -> None:
        """See `VectorStore.keep_vectors`."""
        rows = [
            {"tenant": tenant, "model": model, "question_key": key, "vector": vector}
            for key, vector in vectors.items()
        ]
        if not rows:
            return
        async with self._database.transaction() as connection:
            dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
            kept = dialect.insert(embeddings).on_conflict_do_nothing()
            await connection.execute(kept, rows)
