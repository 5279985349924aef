"""Writes the next migration of a service's database: what the schema has and the tables have not.

    python tools/new_migration.py trainer "add a colour to datasets"

Read what it wrote before committing it: a renamed column looks like one dropped and one added.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from alembic import command

from voicemesh_bot.stores.database import TABLES as BOT
from voicemesh_chassis.database.connections import migration_engine, read_url
from voicemesh_chassis.database.limits import DatabaseLimits
from voicemesh_chassis.database.migrating import migrate, migration_config
from voicemesh_trainer.stores.database import TABLES as TRAINER

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from voicemesh_chassis.database.tables import Tables

SERVICES = {tables.service: tables for tables in (BOT, TRAINER)}


def main(tables: Tables, message: str) -> None:
    """Writes a migration named after `message` into the package of the tables."""
    package, _, folder = tables.migrations.partition(":")
    directory = Path(str(files(package))) / folder
    number = 1 + sum(1 for each in (directory / "versions").glob("[0-9]*.py"))

    def write(connection: Connection) -> None:
        config = migration_config(connection, tables)
        config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
        command.revision(config, message, autogenerate=True, rev_id=f"{number:04}")

    async def compare(path: Path) -> None:
        url = read_url(f"sqlite:///{path}", tables)
        engine = migration_engine(url, path, DatabaseLimits())
        if number > 1:
            await migrate(engine, tables)
        async with engine.connect() as connection, connection.begin():
            await connection.run_sync(write)
        await engine.dispose()

    with tempfile.TemporaryDirectory() as scratch:
        asyncio.run(compare(Path(scratch) / "service.db"))
    for step in (("check", "--fix", "--quiet"), ("format", "--quiet")):
        subprocess.run([sys.executable, "-m", "ruff", *step, str(directory)], check=False)


if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[1] not in SERVICES:
        sys.exit(f'usage: python tools/new_migration.py {"|".join(SERVICES)} "what changes"')
    main(SERVICES[sys.argv[1]], sys.argv[2])
