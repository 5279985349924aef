"""Keeps what is said of tenants, and finds and deletes what their people gave."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from sqlalchemy import func, select
from sqlalchemy.dialects import postgresql, sqlite

from voicemesh_trainer.domain.tenants import Persona, TenantState
from voicemesh_trainer.stores.authors import author_items, delete_author
from voicemesh_trainer.stores.schema import memory_changes, tenants

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection

    from voicemesh_trainer.domain.tenants import AuthorItem, Deleted
    from voicemesh_trainer.stores.database import Database

__all__ = ("TenantTable",)


class TenantTable:
    """A `TenantStore` in the trainer's database."""

    def __init__(self, database: Database, now: Callable[[], float] = time.time) -> None:
        """Takes an opened database and a clock (seconds since 1970)."""
        self._database = database
        self._now = now

    async def persona(self, tenant: str) -> Persona:
        """See `TenantStore.persona`."""
        return (await self.state(tenant)).persona

    async def state(self, tenant: str) -> TenantState:
        """See `TenantStore.state`."""
        own = select(tenants).where(tenants.c.tenant == tenant)
        newest = select(func.max(memory_changes.c.change)).where(memory_changes.c.tenant == tenant)

        def look(view: Connection) -> TenantState:
            last_change = view.execute(newest).scalar_one() or 0
            row = view.execute(own).one_or_none()
            if row is None:
                return TenantState(last_change=last_change)
            persona = Persona(row.persona_name, row.system_prompt, row.persona_time)
            return TenantState(persona, row.active_model, last_change)

        return await self._database.look(look)

    async def set_persona(self, tenant: str, name: str, system_prompt: str) -> Persona:
        """See `TenantStore.set_persona`."""
        # PostgreSQL knows no NUL.
        name, system_prompt = name.replace("\x00", ""), system_prompt.replace("\x00", "")
        persona = Persona(name, system_prompt, self._now())
        values = {
            "persona_name": persona.name,
            "system_prompt": persona.system_prompt,
            "persona_time": persona.update_time,
        }
        async with self._database.transaction() as connection:
            dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
            await connection.execute(
                dialect.insert(tenants)
                .values({"tenant": tenant, **values})
                .on_conflict_do_update(index_elements=[tenants.c.tenant], set_=values)
            )
        return persona

    async def author_items(
        self, tenant: str, author_id: str, *, after: str, limit: int
    ) -> list[AuthorItem]:
        """See `TenantStore.author_items`."""
        async with self._database.reading() as connection:
            return await author_items(connection, tenant, author_id, after, limit)

    async def delete_author(self, tenant: str, author_id: str) -> Deleted:
        """See `TenantStore.delete_author`."""
        async with self._database.transaction() as connection:
            return await delete_author(connection, tenant, author_id, self._now())
