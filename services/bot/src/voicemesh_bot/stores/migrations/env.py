"""Run by Alembic, on the connection that `Database.open` gives it, within its transaction."""

from __future__ import annotations

from alembic import context

from voicemesh_chassis.database.migrating import configure_context

configure_context(context)  # type: ignore[arg-type]
with context.begin_transaction():
    context.run_migrations()
