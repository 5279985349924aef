"""The rows of the models that tenants trained, and of what was done with them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from sqlalchemy import delete, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from voicemesh_trainer.domain.models import (
    ModelAction,
    ModelChange,
    ModelState,
    NewModel,
    TunedModel,
)
from voicemesh_trainer.errors import ModelInUseError, ModelNotFoundError, ModelsChangedError
from voicemesh_trainer.stores.schema import evaluations, model_changes, models, tenants

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Row
    from sqlalchemy.ext.asyncio import AsyncConnection

    from voicemesh_trainer.domain.models import Promotion
    from voicemesh_trainer.stores.database import Database

__all__ = ("ModelTable", "insert_model")

_ROOM = 128 - len("-") - 26
"""Of the most characters of a name, those beside a job's id."""


async def insert_model(connection: AsyncConnection, model: NewModel, now: float) -> TunedModel:
    """Records a model as a candidate in the caller's transaction.

    A second time for the same job it changes nothing and returns what is recorded.

    Args:
        connection: in a transaction; durable when that is committed.
        model: what a training job made. If its name is taken, it gets the job's id added.
        now: the time in seconds since 1970.
    """
    known = await connection.execute(
        select(models).where(models.c.tenant == model.tenant, models.c.job_id == model.job_id)
    )
    if (row := known.first()) is not None:
        return _model(row)
    named = select(models.c.name).where(
        models.c.tenant == model.tenant, models.c.name == model.name
    )
    taken = (await connection.execute(named)).first() is not None
    name = f"{model.name[:_ROOM]}-{model.job_id.lower()}" if taken else model.name
    values = {
        "tenant": model.tenant,
        "name": name,
        "backend": model.backend,
        "base_model": model.base_model,
        "job_id": model.job_id,
        "state": ModelState.CANDIDATE.value,
        "adapter_file": model.adapter_file,
        "adapter_sha256": model.adapter_sha256,
        "provider_model": model.provider_model,
        "license": model.license,
        "create_time": now,
    }
    await connection.execute(insert(models).values(**values))
    await _record(
        connection, model.tenant, ModelAction.REGISTERED, name, now, author_id=model.author_id
    )
    return TunedModel(**{**values, "state": ModelState.CANDIDATE})  # type: ignore[arg-type]


class ModelTable:
    """A `ModelRows` and a `ModelRegistry` on the trainer's database."""

    def __init__(self, database: Database, *, now: Callable[[], float] = time.time) -> None:
        self._database = database
        self._now = now

    async def register(self, model: NewModel) -> TunedModel:
        """See `ModelRegistry.register`."""
        async with self._database.transaction() as connection:
            return await insert_model(connection, model, self._now())

    async def chosen(self, tenant: str) -> str | None:
        """See `ModelRows.chosen`."""
        query = select(tenants.c.active_model).where(tenants.c.tenant == tenant)
        name: str | None = await self._database.look(lambda view: view.execute(query).scalar())
        return name

    async def find(self, tenant: str, name: str) -> TunedModel | None:
        """See `ModelRows.find`."""
        query = select(models).where(models.c.tenant == tenant, models.c.name == name)
        row = await self._database.look(lambda view: view.execute(query).first())
        return None if row is None else _model(row)

    async def models(self, tenant: str) -> tuple[TunedModel, ...]:
        """See `ModelRows.models`."""
        query = (
            select(models)
            .where(models.c.tenant == tenant)
            .order_by(models.c.create_time.desc(), models.c.job_id.desc())
        )
        async with self._database.reading() as connection:
            return tuple(_model(row) for row in await connection.execute(query))

    async def changes(self, tenant: str) -> tuple[ModelChange, ...]:
        """See `ModelRows.changes`."""
        query = (
            select(model_changes)
            .where(model_changes.c.tenant == tenant)
            .order_by(model_changes.c.change.desc())
        )
        async with self._database.reading() as connection:
            return tuple(_change(row) for row in await connection.execute(query))

    async def change_active(self, promotion: Promotion) -> None:
        """See `ModelRows.change_active`."""
        tenant = promotion.tenant
        async with self._database.transaction() as connection:
            await _ensure_tenant(connection, tenant)
            # Whoever changes this row first wins: the other's condition no longer holds.
            swap = (
                update(tenants)
                .where(
                    tenants.c.tenant == tenant,
                    tenants.c.active_model.is_not_distinct_from(promotion.expected),
                )
                .values(active_model=promotion.chosen)
            )
            if (await connection.execute(swap)).rowcount != 1:
                raise _changed()
            await _retire(connection, tenant, promotion.expected)
            if promotion.chosen_own:
                await _activate(connection, tenant, promotion.model)
            await _record(
                connection,
                tenant,
                promotion.action,
                promotion.model,
                self._now(),
                previous_model=promotion.previous_model,
                forced=promotion.forced,
                author_id=promotion.author_id,
            )

    async def delete(self, tenant: str, name: str, author_id: str) -> None:
        """See `ModelRows.delete`."""
        async with self._database.transaction() as connection:
            # Held until the end, so that nobody promotes the model meanwhile.
            await _ensure_tenant(connection, tenant)
            lock = select(tenants.c.active_model).where(tenants.c.tenant == tenant)
            if (await connection.execute(lock.with_for_update())).scalar() == name:
                msg = f"model {name} is the active one; promote another or roll back first"
                raise ModelInUseError(msg, metadata={"model": name})
            gone = delete(models).where(models.c.tenant == tenant, models.c.name == name)
            if (await connection.execute(gone)).rowcount != 1:
                msg = "the tenant trained no model of this name; ListModels tells which there are"
                raise ModelNotFoundError(msg, field="model", metadata={"model": name})
            await connection.execute(
                delete(evaluations).where(
                    evaluations.c.tenant == tenant, evaluations.c.model == name
                )
            )
            await _record(
                connection, tenant, ModelAction.DELETED, name, self._now(), author_id=author_id
            )


async def _ensure_tenant(connection: AsyncConnection, tenant: str) -> None:
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    await connection.execute(dialect.insert(tenants).values(tenant=tenant).on_conflict_do_nothing())


async def _retire(connection: AsyncConnection, tenant: str, name: str | None) -> None:
    """The model that was active is archived, if it is one of the tenant's and still there."""
    if name is not None:
        await connection.execute(
            update(models)
            .where(models.c.tenant == tenant, models.c.name == name)
            .values(state=ModelState.ARCHIVED.value)
        )


async def _activate(connection: AsyncConnection, tenant: str, name: str) -> None:
    """One of the tenant's own becomes the active one, if nobody has deleted it meanwhile."""
    activate = (
        update(models)
        .where(models.c.tenant == tenant, models.c.name == name)
        .values(state=ModelState.ACTIVE.value)
    )
    if (await connection.execute(activate)).rowcount != 1:
        raise _changed()


async def _record(  # noqa: PLR0913 - a row has these columns
    connection: AsyncConnection,
    tenant: str,
    action: ModelAction,
    model: str,
    now: float,
    *,
    previous_model: str | None = None,
    forced: bool = False,
    author_id: str = "",
) -> None:
    await connection.execute(
        insert(model_changes).values(
            tenant=tenant,
            action=action.value,
            model=model,
            previous_model=previous_model,
            forced=forced,
            author_id=author_id,
            change_time=now,
        )
    )


def _changed() -> ModelsChangedError:
    return ModelsChangedError(
        "somebody else changed the tenant's models at the same time; nothing was done"
    )


def _model(row: Row[tuple[object, ...]]) -> TunedModel:
    return TunedModel(**{**row._mapping, "state": ModelState(row.state)})


def _change(row: Row[tuple[object, ...]]) -> ModelChange:
    return ModelChange(
        row.change,
        ModelAction(row.action),
        row.model,
        row.previous_model,
        row.forced,
        row.author_id,
        row.change_time,
    )
