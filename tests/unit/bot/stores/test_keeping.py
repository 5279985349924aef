"""Lines are handed to the database in the background, and none is lost while it is away."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from voicemesh_bot.guilds import TranscriptLine
from voicemesh_bot.stores.database import BotDatabase
from voicemesh_bot.stores.transcript_table import TranscriptTable
from voicemesh_bot.transcripts.keeping import TranscriptExpiry, TranscriptKeeper
from voicemesh_chassis.database import DatabaseUnavailableError
from voicemesh_chassis.database.limits import DatabaseLimits

pytestmark = pytest.mark.unit

LINE = TranscriptLine(1, 3, "s", 1, None, "Ada", "good evening", 1.0, 2.0)


def lines(count: int, first: int = 1) -> list[TranscriptLine]:
    """That many lines, one after the other."""
    return [replace(LINE, number=first + index, start_time=1.0) for index in range(count)]


async def numbers(store: TranscriptTable) -> list[int]:
    """Which lines are kept."""
    return [each.number for each in await store.lines(1, "s")]


def keeper_of(stores: Any, kept_s: float = 60.0) -> TranscriptKeeper:
    """Keeps lines in those stores, by their clock."""
    return TranscriptKeeper(stores.transcripts, kept_s, now=stores.clock)


async def until(store: TranscriptTable, count: int) -> None:
    """Waits until that many lines are kept."""
    async with asyncio.timeout(30):
        while len(await store.lines(1, "s")) < count:
            await asyncio.sleep(0.01)


async def test_lines_are_kept_while_it_runs_and_the_last_ones_when_it_ends(stores: Any) -> None:
    keeper = keeper_of(stores)
    running = asyncio.create_task(keeper.run())
    for line in lines(3):
        keeper.keep(line)
    await until(stores.transcripts, 3)

    keeper.keep(lines(1, first=4)[0])
    running.cancel()
    await asyncio.wait({running})

    assert await numbers(stores.transcripts) == [1, 2, 3, 4]


async def test_what_was_said_a_moment_ago_can_be_read_after_a_flush(stores: Any) -> None:
    keeper = keeper_of(stores)
    keeper.keep(LINE)

    await asyncio.gather(keeper.flush(), keeper.flush())

    assert await stores.transcripts.lines(1, "s") == (LINE,)


async def test_a_guild_that_keeps_nothing_has_nothing_kept(stores: Any) -> None:
    keeper = keeper_of(stores, kept_s=0.0)
    keeper.keep(LINE)
    await keeper.flush()
    assert await numbers(stores.transcripts) == []

    keeper.kept_s = 60.0
    keeper.keep(LINE)
    keeper.kept_s = 0.0  # decided while the line waits
    await keeper.flush()
    assert await numbers(stores.transcripts) == []


async def test_lines_expire_after_the_guilds_own_time(stores: Any) -> None:
    keeper = keeper_of(stores, kept_s=60.0)
    keeper.keep(LINE)
    await keeper.flush()
    expiring = asyncio.create_task(TranscriptExpiry(stores.transcripts, pause_s=0.01).run())

    await asyncio.sleep(0.05)
    assert await numbers(stores.transcripts) == [1]
    stores.clock.now_s += 60.0
    async with asyncio.timeout(30):
        while await stores.transcripts.expire() or await numbers(stores.transcripts):
            await asyncio.sleep(0.01)
    stores.clock.now_s -= 60.0
    assert await numbers(stores.transcripts) == []
    expiring.cancel()
    await asyncio.wait({expiring})


async def test_lines_wait_while_the_database_is_away_and_are_kept_when_it_is_back(
    tmp_path: Path,
) -> None:
    file, elsewhere = tmp_path / "data" / "bot.db", tmp_path / "elsewhere"
    database = BotDatabase(f"sqlite:///{file}", DatabaseLimits(wait_s=0.5))
    await database.open()
    store = TranscriptTable(database)
    keeper = TranscriptKeeper(store, 60.0)
    file.parent.rename(elsewhere)

    keeper.keep(LINE)
    with pytest.raises(DatabaseUnavailableError):
        await keeper.flush()
    keeper.keep(lines(1, first=2)[0])
    elsewhere.rename(file.parent)
    await keeper.flush()

    assert await numbers(store) == [1, 2]
    await database.aclose()


async def test_of_too_many_that_wait_the_oldest_are_lost(stores: Any) -> None:
    keeper = keeper_of(stores)
    for line in lines(1003):
        keeper.keep(line)
    await keeper.flush()

    kept = await stores.transcripts.lines(1, "s")
    assert sorted(line.number for line in kept) == list(range(4, 1004))
