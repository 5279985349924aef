"""Requests that come twice count once."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from sqlalchemy import func, insert, select

from voicemesh_trainer.errors import RequestReusedError
from voicemesh_trainer.stores.database import Database
from voicemesh_trainer.stores.requests import forget_requests, once
from voicemesh_trainer.stores.schema import tenants

pytestmark = pytest.mark.unit


class Doing:
    """Adds tenants, and counts how often."""

    def __init__(self, database: Database) -> None:
        self.times = 0
        self._database = database

    async def __call__(self, request_id: str, fingerprint: str = "a", tenant: str = "t") -> int:
        """Number that the request was given, when it was first done."""
        async with self._database.transaction() as connection:

            async def make() -> dict[str, Any]:
                self.times += 1
                await connection.execute(insert(tenants).values(tenant=f"made {self.times}"))
                await asyncio.sleep(0)
                return {"number": self.times}

            result = await once(connection, tenant, "Do", request_id, fingerprint, make)
        return int(result["number"])


@pytest.fixture
def do(database: Database) -> Doing:
    """Something that changes the database."""
    return Doing(database)


async def test_a_repeated_request_gets_the_first_result_and_does_nothing(do: Doing) -> None:
    assert [await do("r"), await do("r"), await do("s"), await do("r")] == [1, 1, 2, 1]
    assert do.times == 2


async def test_a_request_without_an_id_always_counts(do: Doing) -> None:
    assert [await do(""), await do("")] == [1, 2]


async def test_other_tenants_have_ids_of_their_own(do: Doing) -> None:
    assert [await do("r"), await do("r", tenant="u")] == [1, 2]


async def test_an_id_is_not_taken_for_another_request(do: Doing) -> None:
    await do("r", "a")
    with pytest.raises(RequestReusedError, match="request_id") as refused:
        await do("r", "b")
    assert refused.value.field == "request_id"
    assert do.times == 1


async def test_of_the_same_request_at_the_same_time_one_is_done(
    do: Doing, database: Database
) -> None:
    assert set(await asyncio.gather(*(do("r") for _ in range(8)))) == {1}
    async with database.reading() as connection:
        made = await connection.execute(select(func.count()).select_from(tenants))
        assert made.scalar_one() == 1


async def test_a_request_that_failed_may_be_tried_again(database: Database, do: Doing) -> None:
    async def fail() -> dict[str, Any]:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        async with database.transaction() as connection:
            await once(connection, "t", "Do", "r", "a", fail)
    assert await do("r") == 1


async def test_old_requests_are_forgotten(database: Database, do: Doing) -> None:
    await do("r")
    assert await forget_requests(database, 0.0) == 0
    assert await forget_requests(database, 1e12) == 1
    assert await do("r") == 2
