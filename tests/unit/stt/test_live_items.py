"""Time in which nothing comes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from voicemesh_stt.domain import FinishTurn, LiveItem
from voicemesh_stt.errors import StreamIdleError
from voicemesh_stt.live_items import LiveItems

pytestmark = pytest.mark.unit


async def slowly(*items: LiveItem) -> AsyncIterator[LiveItem]:
    """Items that each take a few turns of the event loop to come, as messages do."""
    for item in items:
        for _ in range(5):
            await asyncio.sleep(0)
        yield item


async def test_a_reader_that_is_busy_for_long_does_not_make_the_caller_idle() -> None:
    reader = LiveItems(slowly(b"one", b"two"), idle_timeout_s=0.3)
    assert await reader.read(lambda: False) == b"one"

    await asyncio.sleep(0.35)  # the reader is at work on it

    assert await reader.read(lambda: True) == b"two"
    assert await reader.read(lambda: False) is None


async def test_what_is_not_audio_does_not_keep_a_stream_alive() -> None:
    async def nagging() -> AsyncIterator[LiveItem]:
        while True:
            await asyncio.sleep(0.01)
            yield FinishTurn()

    reader = LiveItems(nagging(), idle_timeout_s=0.1)

    async def read_on() -> None:
        while await reader.read(lambda: False) is not None:
            pass

    with pytest.raises(StreamIdleError):
        await read_on()
    await reader.aclose()
