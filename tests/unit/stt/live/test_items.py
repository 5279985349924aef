"""Time in which nothing comes."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator
from typing import Any

import pytest

from voicemesh_chassis.errors import ServiceError
from voicemesh_stt.domain import FinishTurn, LiveItem, Packet
from voicemesh_stt.errors import StreamIdleError
from voicemesh_stt.live.items import Leave, LiveItems, Quiet

pytestmark = pytest.mark.unit


async def slowly(*items: LiveItem) -> AsyncIterator[LiveItem]:
    """Items that each take a few turns of the event loop to come, as messages do."""
    for item in items:
        for _ in range(5):
            await asyncio.sleep(0)
        yield item


async def test_a_reader_that_is_busy_for_long_does_not_make_the_caller_idle() -> None:
    reader = LiveItems(slowly(b"one", b"two"), 0.3, asyncio.Event(), 1.0)
    assert await reader.read(lambda: False) == b"one"

    await asyncio.sleep(0.35)  # the reader is at work on it

    assert await reader.read(lambda: True) == b"two"
    assert await reader.read(lambda: False) is None


async def test_what_is_not_audio_does_not_keep_a_stream_alive() -> None:
    async def nagging() -> AsyncIterator[LiveItem]:
        while True:
            await asyncio.sleep(0.01)
            yield FinishTurn()

    reader = LiveItems(nagging(), 0.1, asyncio.Event(), 1.0)

    async def read_on() -> None:
        while await reader.read(lambda: False) is not None:
            pass

    with pytest.raises(StreamIdleError):
        await read_on()
    await reader.aclose()


async def test_what_a_read_that_is_given_up_ends_with_troubles_nobody() -> None:
    troubles: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, what: troubles.append(what))

    async def breaking() -> AsyncIterator[LiveItem]:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise ServiceError("broken") from None
        yield b"never"

    draining = asyncio.Event()
    reader = LiveItems(breaking(), 5.0, draining, 1.0)
    asyncio.get_running_loop().call_soon(draining.set)
    assert isinstance(await reader.read(lambda: False), Leave)
    await reader.aclose()
    del reader
    gc.collect()

    assert troubles == []


async def test_silence_is_told_of_once_it_is_not_the_network_and_then_packet_by_packet() -> None:
    async def stopped() -> AsyncIterator[LiveItem]:
        for number in range(3):
            yield Packet(b"\xf8\xff\xfe", number, number * 960)
        await asyncio.Event().wait()

    reader = LiveItems(stopped(), 5.0, asyncio.Event(), 1.0)
    for _ in range(3):
        assert isinstance(await reader.read(lambda: True), Packet)

    quiets = [await reader.read(lambda: True) for _ in range(3)]
    await reader.aclose()

    told_s = [quiet.seconds for quiet in quiets if isinstance(quiet, Quiet)]
    assert len(told_s) == 3
    assert told_s[0] >= 0.04
    assert all(seconds >= 0.02 for seconds in told_s[1:])
