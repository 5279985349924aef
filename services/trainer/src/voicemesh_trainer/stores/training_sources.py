"""Reads what a job trains on: a dataset, and the tenant's corrections."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from voicemesh_trainer.domain.training_data import TrainingExample
from voicemesh_trainer.errors import DatasetNotFoundError, DatasetNotTrainableError
from voicemesh_trainer.ports.jobs import CorrectedAnswer
from voicemesh_trainer.stores.schema import datasets, examples, lessons

if TYPE_CHECKING:
    from voicemesh_trainer.stores.database import Database

__all__ = ("TrainingSourceTables",)


class TrainingSourceTables:
    """A `TrainingSources` on the trainer's database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def examples(self, tenant: str, dataset_id: str, limit: int) -> list[TrainingExample]:
        """See `TrainingSources.examples`."""
        columns = examples.c
        known = select(datasets.c.archived).where(
            datasets.c.tenant == tenant, datasets.c.dataset_id == dataset_id
        )
        query = (
            select(
                columns.prompt,
                columns.completion,
                columns.system_prompt,
                columns.context,
                columns.polarity,
            )
            .where(columns.tenant == tenant, columns.dataset_id == dataset_id)
            .order_by(columns.position)
            .limit(limit)
        )
        async with self._database.reading() as connection:
            row = (await connection.execute(known)).first()
            if row is None:
                msg = "the dataset was deleted before it could be trained on"
                raise DatasetNotFoundError(msg, field="dataset_id")
            if row.archived:
                msg = "the dataset was archived before it could be trained on"
                raise DatasetNotTrainableError(msg)
            return [
                TrainingExample(
                    row.prompt,
                    row.completion,
                    row.system_prompt,
                    row.context,
                    positive=row.polarity == "positive",
                )
                for row in await connection.execute(query)
            ]

    async def corrections(self, tenant: str, limit: int) -> list[CorrectedAnswer]:
        """See `TrainingSources.corrections`."""
        columns = lessons.c
        query = (
            select(columns.question, columns.answer, columns.rejected_answer)
            .where(
                columns.tenant == tenant,
                columns.kind == "correction",
                columns.rejected_answer != "",
            )
            .order_by(columns.lesson_id.desc())
            .limit(limit)
        )
        async with self._database.reading() as connection:
            newest = [CorrectedAnswer(*row) for row in await connection.execute(query)]
        return newest[::-1]
