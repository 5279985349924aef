"""The rows of the scores of models."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import insert, select

from voicemesh_trainer.domain.evaluations import EvaluationScores
from voicemesh_trainer.domain.ids import new_id
from voicemesh_trainer.stores.schema import evaluations

if TYPE_CHECKING:
    from typing import Any

    from sqlalchemy import Row, Select

    from voicemesh_trainer.stores.database import Database

__all__ = ("EvaluationTable",)

_COLUMNS = frozenset({"model", "cases_sha256", "evaluate_time"})
"""What of the scores has a column of its own; the rest is one JSON object."""


class EvaluationTable:
    """An `EvaluationStore` on the trainer's database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, tenant: str, scores: EvaluationScores) -> None:
        """See `EvaluationStore.add`."""
        fields = vars(scores)
        row = {
            "evaluation_id": new_id(),
            "tenant": tenant,
            **{name: fields[name] for name in _COLUMNS},
            "scores": {name: value for name, value in fields.items() if name not in _COLUMNS},
        }
        async with self._database.transaction() as connection:
            await connection.execute(insert(evaluations).values(**row))

    async def of_model(self, tenant: str, model: str) -> tuple[EvaluationScores, ...]:
        """See `EvaluationStore.of_model`."""
        newest = await self._newest_first(
            select(evaluations).where(evaluations.c.tenant == tenant, evaluations.c.model == model)
        )
        last: dict[str, EvaluationScores] = {}
        for scores in newest:
            last.setdefault(scores.cases_sha256, scores)
        return tuple(last.values())

    async def latest(self, tenant: str) -> dict[str, EvaluationScores]:
        """See `EvaluationStore.latest`."""
        last: dict[str, EvaluationScores] = {}
        for scores in await self._newest_first(
            select(evaluations).where(evaluations.c.tenant == tenant)
        ):
            last.setdefault(scores.model, scores)
        return last

    async def _newest_first(self, query: Select[Any]) -> list[EvaluationScores]:
        ordered = query.order_by(
            evaluations.c.evaluate_time.desc(), evaluations.c.evaluation_id.desc()
        )
        async with self._database.reading() as connection:
            return [_scores(row) for row in await connection.execute(ordered)]


def _scores(row: Row[Any]) -> EvaluationScores:
    return EvaluationScores(
        model=row.model,
        cases_sha256=row.cases_sha256,
        evaluate_time=row.evaluate_time,
        **row.scores,
    )
