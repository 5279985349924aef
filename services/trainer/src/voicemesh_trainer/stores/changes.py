"""Tells memories what changed; the last thing to do in a transaction that changes lessons."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import insert, text

from voicemesh_trainer.stores.schema import memory_changes

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy.ext.asyncio import AsyncConnection

    from voicemesh_trainer.domain.lessons import Subject

__all__ = ("announce",)


async def announce(
    connection: AsyncConnection,
    tenant: str,
    subject: Subject,
    subject_ids: Iterable[str],
    *,
    removed: bool = False,
) -> None:
    """Adds to the tenant's changes, by which indexes of all replicas follow.

    Args:
        connection: of the transaction that changes what is announced.
        tenant: whose memory changes.
        subject: what kind of thing is new or gone.
        subject_ids: which ones.
        removed: whether it is gone. A dataset that is not gone has new examples at its end.
    """
    rows = [
        {"tenant": tenant, "subject": subject.value, "subject_id": each, "removed": removed}
        for each in subject_ids
    ]
    if not rows:
        return
    if connection.dialect.name == "postgresql":
        # Numbers are given before the commit: without this, a reader could see number 6, and
        # number 5 only later, and so never.
        await connection.execute(
            text("SELECT pg_advisory_xact_lock(hashtextextended(:tenant, 0))"), {"tenant": tenant}
        )
    await connection.execute(insert(memory_changes), rows)
