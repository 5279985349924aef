"""Run by Alembic, on the connection that `Database.open` gives it, within its transaction."""

from __future__ import annotations

from alembic import context

from voicemesh_trainer.stores.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    compare_type=True,
    # SQLite can change a column only by making the table anew.
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
