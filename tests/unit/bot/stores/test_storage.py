"""All that the bot keeps, by its settings."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest
from pydantic import SecretStr

from voicemesh_bot.guilds import TranscriptLine
from voicemesh_bot.settings import BotSettings, StorageSettings
from voicemesh_bot.stores.storage import Storage
from voicemesh_chassis.metrics import new_registry
from voicemesh_chassis.settings import load_settings

pytestmark = pytest.mark.unit


async def test_it_is_a_file_in_the_data_directory_unless_told_otherwise(tmp_path: Path) -> None:
    storage = Storage(StorageSettings(data_dir=tmp_path / "new"), new_registry())
    await storage.open()
    await storage.people.decide(1, 2, given=True)
    await storage.aclose()
    await storage.aclose()

    url = SecretStr(f"sqlite:///{tmp_path / 'new' / 'bot.db'}")
    again = Storage(StorageSettings(database_url=url), new_registry())
    await again.open()
    assert await again.people.consent(1, 2) is not None
    await again.aclose()


async def test_lines_expire_while_it_is_open_without_anybody_asking(tmp_path: Path) -> None:
    settings = StorageSettings(data_dir=tmp_path)
    storage = Storage(settings, new_registry())
    await storage.open()
    line = TranscriptLine(1, 2, "s", 1, None, "Ada", "hello", 1.0, 2.0)
    assert await storage.transcripts.add([line], expire_time=time.time() + 0.2) == 1
    await storage.aclose()

    def rows() -> int:
        with closing(sqlite3.connect(tmp_path / "bot.db")) as file:
            return int(file.execute("SELECT count(*) FROM transcript_lines").fetchone()[0])

    assert rows() == 1
    async with asyncio.timeout(30):
        while rows():
            again = Storage(settings, new_registry())
            await again.open()
            await asyncio.sleep(0.05)
            await again.aclose()


async def test_a_storage_that_was_never_opened_can_be_closed(tmp_path: Path) -> None:
    await Storage(StorageSettings(data_dir=tmp_path), new_registry()).aclose()


def test_the_settings_have_the_bots_prefix(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("DISCORD_TOKEN", raising=False)
    monkeypatch.setenv("VOICEMESH_BOT_STORAGE__DATA_DIR", str(tmp_path))
    monkeypatch.setenv("VOICEMESH_BOT_RECORD__EVENT_LOG", str(tmp_path / "turns.jsonl"))
    settings = load_settings(BotSettings)

    assert settings.storage.database == f"sqlite:///{tmp_path / 'bot.db'}"
    assert settings.record.event_log == tmp_path / "turns.jsonl"
    assert not settings.record.event_log_words

    monkeypatch.setenv("VOICEMESH_BOT_STORAGE__DATABASE_URL", "postgresql://u:secret@h/n")
    settings = load_settings(BotSettings)
    assert settings.storage.database == "postgresql://u:secret@h/n"
    assert "secret" not in repr(settings)


def test_without_settings_it_is_in_the_users_data_directory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", "/somewhere")
    assert StorageSettings().directory == Path("/somewhere/voicemesh/bot")
    monkeypatch.setenv("XDG_DATA_HOME", "relative")
    assert StorageSettings().directory.parts[-2:] == ("voicemesh", "bot")
    assert "relative" not in StorageSettings().directory.parts
