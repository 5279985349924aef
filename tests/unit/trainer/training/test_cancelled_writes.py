"""Tasks that are cancelled in the middle of a write leave the database free for others."""

from __future__ import annotations

import asyncio
import random

import pytest
from sqlalchemy import insert, select

from voicemesh_trainer.domain.ids import new_id
from voicemesh_trainer.stores.database import Database
from voicemesh_trainer.stores.schema import workers

pytestmark = pytest.mark.unit

ROUNDS = 60


async def write(database: Database) -> None:
    async with database.transaction() as connection:
        values = {"worker_id": new_id(), "backends": [], "seen_time": 1.0}
        await connection.execute(insert(workers).values(values))
        await connection.execute(select(workers).limit(1))


async def read(database: Database) -> None:
    async with database.reading() as connection:
        await connection.execute(select(workers).limit(1))


async def test_a_cancelled_task_keeps_no_lock_and_raises_nothing_else(database: Database) -> None:
    dice = random.Random(1)
    for _ in range(ROUNDS):
        tasks = [asyncio.create_task(dice.choice([write, read])(database)) for _ in range(2)]
        await asyncio.sleep(dice.random() * 0.008)
        for task in tasks:
            task.cancel()

        ended = await asyncio.gather(*tasks, return_exceptions=True)

        assert all(each is None or isinstance(each, asyncio.CancelledError) for each in ended)
        await write(database)  # fails after 10 s if a lock was left
