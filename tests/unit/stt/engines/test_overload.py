"""What the owner of the engines does where there is more to do than it can."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from voicemesh_stt.errors import QueueFullError
from voicemesh_stt.ports import Lane

if TYPE_CHECKING:
    from tests.unit.stt.engines.conftest import MakeJob, Owned

pytestmark = pytest.mark.unit


async def test_a_full_queue_refuses_and_says_when_to_come_back(owned: Owned, job: MakeJob) -> None:
    async with owned(bound=1) as bench:
        await bench.busy()
        waiting = await bench.waits(job())

        with pytest.raises(QueueFullError) as caught:
            await bench.owner.transcribe(job())

        assert caught.value.retry_after_s is not None
        assert caught.value.retry_after_s > 0
        bench.engine.let.set()
        assert await bench.outcomes(waiting) == ["yes"]


async def test_a_recording_is_refused_if_the_wait_is_foreseen_to_be_too_long(
    owned: Owned, job: MakeJob
) -> None:
    async with owned(max_wait_s=0.01) as bench:
        await bench.busy()
        waiting = await bench.waits(*[job() for _ in range(10)])

        with pytest.raises(QueueFullError) as caught:
            await bench.owner.transcribe(job(lane=Lane.BULK))

        assert caught.value.retry_after_s is not None
        assert bench.owner.expected_wait_s(Lane.BULK) > 0.01
        bench.engine.let.set()
        await bench.outcomes(waiting)


async def test_a_recording_that_has_begun_goes_on(owned: Owned, job: MakeJob) -> None:
    async with owned(max_wait_s=0.01) as bench:
        await bench.owner.transcribe(job(lane=Lane.BULK, caller="me"))
        bench.engine.begun.clear()
        first = await bench.busy()
        waiting = await bench.waits(*[job() for _ in range(4)], job("on", Lane.BULK, caller="me"))
        bench.engine.let.set()

        assert (await bench.outcomes([first, *waiting]))[-1] == "on"


async def test_a_recording_is_taken_on_though_much_waits_of_another_caller(
    owned: Owned, job: MakeJob
) -> None:
    async with owned(max_wait_s=0.5) as bench:
        first = await bench.busy()
        waiting = await bench.waits(*[job(lane=Lane.BULK, caller="long") for _ in range(6)])
        waiting += await bench.waits(job("short", Lane.BULK))
        bench.engine.let.set()

        assert (await bench.outcomes([first, *waiting]))[-1] == "short"


async def test_new_streams_are_refused_while_live_work_waits_too_long(
    owned: Owned, job: MakeJob
) -> None:
    async with owned(max_live_wait_s=0.01) as bench:
        assert bench.owner.overloaded() is None

        first = await bench.busy()
        waiting = await bench.waits(*[job() for _ in range(10)])

        retry_after_s = bench.owner.overloaded()
        assert retry_after_s is not None
        assert retry_after_s >= 1
        bench.engine.let.set()
        await bench.outcomes([first, *waiting])


async def test_a_file_that_is_worked_on_keeps_no_stream_out(owned: Owned, job: MakeJob) -> None:
    async with owned(max_live_wait_s=0.01) as bench:
        bench.engine.let.clear()
        file = asyncio.create_task(bench.owner.transcribe(job(lane=Lane.BULK)))
        await bench.begun()

        assert bench.owner.overloaded() is None
        assert bench.owner.expected_wait_s(Lane.LIVE) > 0.01
        bench.engine.let.set()
        await bench.outcomes([file])


async def test_a_partial_makes_room_for_other_work(owned: Owned, job: MakeJob) -> None:
    async with owned(bound=1) as bench:
        first = await bench.busy()
        waiting = await bench.waits(job("partial", Lane.PARTIAL))
        waiting += await bench.waits(job("live"))
        bench.engine.let.set()

        assert await bench.outcomes([first, *waiting]) == ["first", QueueFullError.__name__, "live"]
