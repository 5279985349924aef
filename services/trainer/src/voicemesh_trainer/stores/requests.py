"""Requests that may come twice and count once.

A caller that got no answer does not know whether its request was done. It sends it again under the
same `request_id`, and gets what it would have got.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite

from voicemesh_trainer.errors import RequestReusedError
from voicemesh_trainer.stores.schema import requests

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from sqlalchemy.ext.asyncio import AsyncConnection

    from voicemesh_trainer.stores.database import Database

__all__ = ("forget_requests", "once")


async def once(
    connection: AsyncConnection,
    tenant: str,
    method: str,
    request_id: str,
    fingerprint: str,
    make: Callable[[], Awaitable[dict[str, Any]]],
) -> dict[str, Any]:
    """Does something, unless the same request did it before.

    Args:
        connection: of the caller's transaction; what `make` does and the record of it become
            durable together.
        tenant: whose request it is.
        method: name of the rpc.
        request_id: names the request; empty means that it counts, whatever came before.
        fingerprint: SHA-256 of all that the request asks for, in hexadecimal digits.
        make: does it, and returns its result as JSON can hold it.

    Returns:
        The result of `make`, or of the first request of this `request_id`.

    Raises:
        RequestReusedError: if `request_id` named another request before.
    """
    if not request_id:
        return await make()
    named = (
        (requests.c.tenant == tenant)
        & (requests.c.method == method)
        & (requests.c.request_id == request_id)
    )
    # The row comes first and holds off others of the same name until this transaction ends.
    values = {
        "tenant": tenant,
        "method": method,
        "request_id": request_id,
        "fingerprint": fingerprint,
        "result": {},
        "create_time": time.time(),
    }
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    first = dialect.insert(requests).values(values).on_conflict_do_nothing()
    if (await connection.execute(first)).rowcount == 1:
        result = await make()
        await connection.execute(requests.update().where(named).values(result=result))
        return result
    row = (
        await connection.execute(select(requests.c.fingerprint, requests.c.result).where(named))
    ).one()
    if row.fingerprint != fingerprint:
        raise RequestReusedError
    earlier: dict[str, Any] = row.result
    return earlier


async def forget_requests(database: Database, before_s: float) -> int:
    """Deletes the record of requests made before a time (seconds since 1970); returns how many."""
    async with database.transaction() as connection:
        old = delete(requests).where(requests.c.create_time < before_s)
        return (await connection.execute(old)).rowcount
