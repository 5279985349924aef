"""Callers taking turns on a pool of threads."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from prometheus_client import CollectorRegistry

from voicemesh_chassis.errors import OverloadedError
from voicemesh_tts.errors import EngineStalledError
from voicemesh_tts.metrics import TtsMetrics
from voicemesh_tts.turns import TurnLimits, Turns

pytestmark = pytest.mark.unit


@pytest_asyncio.fixture
async def turns() -> AsyncIterator[Turns]:
    limits = TurnLimits(workers=1, max_waiting=2, wait_timeout_s=5, turn_timeout_s=5)
    pool = Turns(limits, TtsMetrics(CollectorRegistry()))
    yield pool
    await pool.aclose()


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_callers_with_much_to_say_alternate(turns: Turns) -> None:
    order: list[str] = []

    async def caller(name: str) -> None:
        for _ in range(3):
            await turns.take(lambda: order.append(name))

    await asyncio.gather(caller("a"), caller("b"))

    assert order == ["a", "b", "a", "b", "a", "b"]


async def test_a_new_text_is_refused_when_too_many_wait_and_an_open_one_is_not(
    turns: Turns,
) -> None:
    gate = threading.Event()
    busy = [asyncio.create_task(turns.take(gate.wait)) for _ in range(3)]
    await settle()

    with pytest.raises(OverloadedError) as refused:
        await turns.take(lambda: None, opening=True)
    later = asyncio.create_task(turns.take(lambda: "spoken"))
    await settle()
    gate.set()

    assert refused.value.retry_after_s is not None
    assert refused.value.retry_after_s > 0
    assert (await later).result == "spoken"
    await asyncio.gather(*busy)


async def test_a_caller_who_leaves_the_queue_takes_no_turn(turns: Turns) -> None:
    gate = threading.Event()
    busy = asyncio.create_task(turns.take(gate.wait))
    await settle()
    ran: list[bool] = []
    leaving = asyncio.create_task(turns.take(lambda: ran.append(True)))
    await settle()

    leaving.cancel()
    await asyncio.gather(leaving, return_exceptions=True)
    gate.set()
    await busy

    assert (await turns.take(lambda: "next")).result == "next"
    assert ran == []


async def test_work_of_a_caller_who_left_keeps_its_thread_until_it_ends(turns: Turns) -> None:
    gate = threading.Event()
    leaving = asyncio.create_task(turns.take(gate.wait))
    await settle()
    leaving.cancel()
    await asyncio.gather(leaving, return_exceptions=True)

    following = asyncio.create_task(turns.take(lambda: "next"))
    await settle()
    assert not following.done()

    gate.set()
    assert (await following).result == "next"


async def test_an_engine_that_hangs_fails_the_turn() -> None:
    gate = threading.Event()
    pool = Turns(TurnLimits(workers=1, turn_timeout_s=0.05), TtsMetrics(CollectorRegistry()))

    with pytest.raises(EngineStalledError, match=r"0\.05 s"):
        await pool.take(gate.wait)

    gate.set()
    await pool.aclose()


async def test_too_long_a_wait_is_an_overload() -> None:
    gate = threading.Event()
    pool = Turns(TurnLimits(workers=1, wait_timeout_s=0.05), TtsMetrics(CollectorRegistry()))
    busy = asyncio.create_task(pool.take(gate.wait))
    await settle()

    with pytest.raises(OverloadedError):
        await pool.take(lambda: None)

    gate.set()
    await busy
    await pool.aclose()


async def test_what_the_work_raises_comes_out(turns: Turns) -> None:
    with pytest.raises(ZeroDivisionError):
        await turns.take(lambda: 1 // 0)
