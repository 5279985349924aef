"""The bot's database, on SQLite and PostgreSQL, and a clock to set."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from voicemesh_bot.stores.database import BotDatabase
from voicemesh_bot.stores.guild_table import GuildTable
from voicemesh_bot.stores.people_table import PeopleTable
from voicemesh_bot.stores.transcript_table import TranscriptTable


@dataclass
class Clock:
    """Seconds since 1970, as the test says."""

    now_s: float = 1_000_000.0

    def __call__(self) -> float:
        return self.now_s


@dataclass
class Stores:
    """All that the bot keeps, on one database, by one clock."""

    database: BotDatabase
    clock: Clock = field(default_factory=Clock)

    def __post_init__(self) -> None:
        self.guilds = GuildTable(self.database)
        self.people = PeopleTable(self.database, self.clock)
        self.transcripts = TranscriptTable(self.database, self.clock)


@pytest.fixture(scope="session")
def _bot_templates() -> dict[str, str]:
    """Databases with all tables and nothing in them, to be copied; made when first needed."""
    return {}


async def _with_tables(url: str) -> None:
    database = BotDatabase(url)
    await database.open()
    await database.aclose()


@pytest_asyncio.fixture(params=["sqlite", "postgresql"])
async def bot_database_url(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
    _bot_templates: dict[str, str],
) -> AsyncIterator[str]:
    """Address of a database of the test's own, with all tables: SQLite, then PostgreSQL."""
    if request.param == "sqlite":
        if "sqlite" not in _bot_templates:
            _bot_templates["sqlite"] = str(tmp_path_factory.mktemp("template") / "bot.db")
            await _with_tables(f"sqlite:///{_bot_templates['sqlite']}")
        shutil.copyfile(_bot_templates["sqlite"], tmp_path / "bot.db")
        yield f"sqlite:///{tmp_path / 'bot.db'}"
        return
    server: Any = request.getfixturevalue("postgresql")
    if "postgresql" not in _bot_templates:
        _bot_templates["postgresql"] = server.new_database()
        await _with_tables(server.url(_bot_templates["postgresql"]))
    name = server.new_database(_bot_templates["postgresql"])
    yield server.url(name)
    server.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest_asyncio.fixture
async def bot_database(bot_database_url: str) -> AsyncIterator[BotDatabase]:
    """An open database of the test's own."""
    database = BotDatabase(bot_database_url)
    await database.open()
    yield database
    await database.aclose()


@pytest.fixture
def stores(bot_database: BotDatabase) -> Stores:
    """The stores on that database."""
    return Stores(bot_database)
