"""Statements that SQLite and PostgreSQL spell alike but SQLAlchemy keeps apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy.dialects import postgresql, sqlite

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Table
    from sqlalchemy.ext.asyncio import AsyncConnection

__all__ = ("insert_or_update", "insert_unless_there")


async def insert_unless_there(
    connection: AsyncConnection, table: Table, rows: Sequence[Mapping[str, Any]]
) -> None:
    """Inserts rows, except where there is one with the same key."""
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    await connection.execute(
        dialect.insert(table).on_conflict_do_nothing(), [dict(row) for row in rows]
    )


async def insert_or_update(
    connection: AsyncConnection, table: Table, values: Mapping[str, Any]
) -> None:
    """Inserts a row, or puts it in the place of the one with its key."""
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    keys = [column.name for column in table.primary_key]
    changed = {name: value for name, value in values.items() if name not in keys}
    await connection.execute(
        dialect.insert(table)
        .values(dict(values))
        .on_conflict_do_update(index_elements=keys, set_=changed)
    )
