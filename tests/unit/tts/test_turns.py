"""Callers taking turns on a pool of threads."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from prometheus_client import CollectorRegistry

from voicemesh_chassis.errors import OverloadedError, UnavailableError
from voicemesh_tts.errors import EngineStalledError
from voicemesh_tts.metrics import TtsMetrics
from voicemesh_tts.schedule import Lane
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
            await turns.take(lambda: order.append(name), caller=name)

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


async def hung(pool: Turns, gate: threading.Event) -> None:
    """A turn that does not end before the gate is opened."""
    with pytest.raises(EngineStalledError, match=r"0\.05 s"):
        await pool.take(gate.wait)


async def test_an_engine_that_hangs_fails_the_turn_and_another_thread_goes_on(
    registry: CollectorRegistry,
) -> None:
    gate = threading.Event()
    pool = Turns(TurnLimits(workers=1, turn_timeout_s=0.05), TtsMetrics(registry))

    await hung(pool, gate)

    assert (await pool.take(lambda: "spoken")).result == "spoken"
    assert registry.get_sample_value("voicemesh_tts_engine_stalls_total") == 1
    assert registry.get_sample_value("voicemesh_tts_stalled_threads") == 1
    gate.set()
    async with asyncio.timeout(5):
        while registry.get_sample_value("voicemesh_tts_stalled_threads"):
            await asyncio.sleep(0)
    await pool.aclose()


async def test_a_hang_is_noticed_though_its_caller_has_left(registry: CollectorRegistry) -> None:
    gate = threading.Event()
    pool = Turns(TurnLimits(workers=1, turn_timeout_s=0.05), TtsMetrics(registry))
    leaving = asyncio.create_task(pool.take(gate.wait))
    await settle()
    leaving.cancel()
    await asyncio.gather(leaving, return_exceptions=True)

    assert (await pool.take(lambda: "spoken")).result == "spoken"
    gate.set()
    await pool.aclose()


async def test_only_so_many_threads_are_replaced(registry: CollectorRegistry) -> None:
    gate = threading.Event()
    limits = TurnLimits(workers=1, turn_timeout_s=0.05, max_stalled=2)
    pool = Turns(limits, TtsMetrics(registry))
    for _ in range(3):
        await hung(pool, gate)

    with pytest.raises(UnavailableError, match="hangs"):
        await pool.take(lambda: "spoken", opening=True)

    # What was asked for meanwhile is done as soon as a thread comes back.
    waiting = asyncio.create_task(pool.take(lambda: "spoken"))
    await settle()
    gate.set()
    assert (await waiting).result == "spoken"
    assert (await pool.take(lambda: "again", opening=True)).result == "again"
    await pool.aclose()


async def test_live_goes_before_bulk() -> None:
    pool = Turns(TurnLimits(workers=1), TtsMetrics(CollectorRegistry()))
    gate = threading.Event()
    busy = asyncio.create_task(pool.take(gate.wait))
    await settle()
    order: list[str] = []
    waiting = [
        asyncio.create_task(pool.take(lambda: order.append("bulk"), lane=Lane.BULK, caller="a")),
        asyncio.create_task(pool.take(lambda: order.append("live"), lane=Lane.LIVE, caller="b")),
    ]
    await settle()
    gate.set()
    await asyncio.gather(busy, *waiting)

    assert order == ["live", "bulk"]
    await pool.aclose()


async def test_a_thread_is_used_again() -> None:
    pool = Turns(TurnLimits(workers=2), TtsMetrics(CollectorRegistry()))

    names = {(await pool.take(lambda: threading.current_thread().name)).result for _ in range(5)}

    assert len(names) == 1
    await pool.aclose()


async def test_closing_waits_for_what_runs_and_then_nothing_begins() -> None:
    pool = Turns(TurnLimits(workers=1), TtsMetrics(CollectorRegistry()))
    gate = threading.Event()
    busy = asyncio.create_task(pool.take(gate.wait))
    await settle()
    closing = asyncio.create_task(pool.aclose())
    await settle()
    assert not closing.done()

    gate.set()
    await closing

    assert (await busy).result


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
