"""Slots are bounded, and so is the queue for them."""

from __future__ import annotations

import asyncio

import pytest

from voicemesh_chassis.errors import OverloadedError
from voicemesh_trainer.slots import Slots

pytestmark = pytest.mark.unit


async def test_a_freed_slot_goes_to_who_waits() -> None:
    slots = Slots(1, max_waiting=1, max_wait_s=5)
    free = await slots.take()
    waiting = asyncio.create_task(slots.take())
    await asyncio.sleep(0)

    free()

    (await waiting)()
    assert slots.taken == 0


async def test_a_full_queue_refuses_at_once() -> None:
    slots = Slots(1, max_waiting=0, max_wait_s=5)
    await slots.take()

    with pytest.raises(OverloadedError) as caught:
        await slots.take()

    assert caught.value.retry_after_s == 1.0


async def test_waiting_ends() -> None:
    slots = Slots(1, max_waiting=1, max_wait_s=0.01)
    await slots.take()

    with pytest.raises(OverloadedError, match="came free"):
        await slots.take()


async def test_freeing_twice_frees_once() -> None:
    slots = Slots(1, max_waiting=0, max_wait_s=1)
    free = await slots.take()

    free()
    free()

    await slots.take()
    with pytest.raises(OverloadedError):
        await slots.take()


async def test_who_stops_waiting_takes_no_slot() -> None:
    slots = Slots(1, max_waiting=1, max_wait_s=5)
    free = await slots.take()
    waiting = asyncio.create_task(slots.take())
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait({waiting})

    free()

    await slots.take()
    assert slots.taken == 1
