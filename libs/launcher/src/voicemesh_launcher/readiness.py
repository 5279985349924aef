"""Waits until a program takes calls.

`/readyz` is asked rather than the gRPC health check: both say the same, and it stays plain HTTP
where the person has set certificates or tokens for gRPC.
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import TYPE_CHECKING

import httpx

if TYPE_CHECKING:
    from voicemesh_launcher.programs import Endpoint

__all__ = ("until_ready",)

_INTERVAL_S = 0.1
_ANSWER_S = 2.0


async def until_ready(metrics: Endpoint) -> None:
    """Returns when the program at this endpoint is ready; the caller bounds the wait."""
    url = f"http://{metrics.address}/readyz"
    # trust_env: a proxy of the person's must not stand between two processes of one machine.
    async with httpx.AsyncClient(timeout=_ANSWER_S, trust_env=False) as http:
        while not await _is_ready(http, url):  # noqa: ASYNC110 - another process sets no event
            await asyncio.sleep(_INTERVAL_S)


async def _is_ready(http: httpx.AsyncClient, url: str) -> bool:
    try:
        return (await http.get(url)).status_code == HTTPStatus.OK
    except httpx.TransportError:  # not listening yet
        return False
