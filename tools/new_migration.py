"""Writes the next migration of the trainer's database: what the schema has and the tables have not.

    python tools/new_migration.py "add a colour to datasets"

Read what it wrote before committing it: a renamed column looks like one dropped and one added.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from alembic import command
from alembic.config import Config

import voicemesh_trainer.stores.migrations
from voicemesh_trainer.stores.connections import DatabaseLimits, migration_engine, read_url
from voicemesh_trainer.stores.migrating import migrate

if TYPE_CHECKING:
    from sqlalchemy import Connection


def main(message: str) -> None:
    """Writes a migration named after `message` into the trainer's package."""
    directory = Path(next(iter(voicemesh_trainer.stores.migrations.__path__)))
    number = 1 + sum(1 for each in (directory / "versions").glob("[0-9]*.py"))
    config = Config(attributes={})
    config.set_main_option("script_location", str(directory))
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")

    def write(connection: Connection) -> None:
        config.attributes["connection"] = connection
        command.revision(config, message, autogenerate=True, rev_id=f"{number:04}")

    async def compare(path: Path) -> None:
        engine = migration_engine(read_url(f"sqlite:///{path}"), path, DatabaseLimits())
        if number > 1:
            await migrate(engine)
        async with engine.connect() as connection, connection.begin():
            await connection.run_sync(write)
        await engine.dispose()

    with tempfile.TemporaryDirectory() as scratch:
        asyncio.run(compare(Path(scratch) / "trainer.db"))
    for step in (("check", "--fix", "--quiet"), ("format", "--quiet")):
        subprocess.run([sys.executable, "-m", "ruff", *step, str(directory)], check=False)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit('usage: python tools/new_migration.py "what changes"')
    main(sys.argv[1])
