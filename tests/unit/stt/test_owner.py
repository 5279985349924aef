"""The one owner of the engine, with an engine that does as it is told."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import numpy as np
import pytest

from voicemesh_chassis.errors import UnavailableError
from voicemesh_stt.domain import Language, RecognitionOptions, Segment, SpeechModel
from voicemesh_stt.engines.owner import EngineOwner
from voicemesh_stt.errors import JobExpiredError, QueueFullError
from voicemesh_stt.ports import Job, Lane, Recognition

pytestmark = pytest.mark.unit


class ToldEngine:
    """Works on one job at a time, and only when let."""

    def __init__(self) -> None:
        self.model = SpeechModel("fake", ("en",), "none", "none")
        self.let = threading.Event()
        self.let.set()
        self.begun = threading.Event()
        self.order: list[Job] = []
        self.threads: set[str] = set()

    def recognise(self, job: Job) -> Recognition:
        self.order.append(job)
        self.threads.add(threading.current_thread().name)
        self.begun.set()
        while not (self.let.wait(0.01) or job.cancelled.is_set()):
            pass
        if job.options.initial_prompt == "fail":
            raise RuntimeError("broken")
        return Recognition((Segment(0, 1, " yes", 1.0),), Language("en", 1.0))


def job(lane: Lane = Lane.LIVE, *, timeout_s: float = 5.0, prompt: str = "") -> Job:
    options = RecognitionOptions(initial_prompt=prompt)
    return Job(np.zeros(1600, dtype=np.float32), options, lane, timeout_s)


@asynccontextmanager
async def owned(bound: int = 10) -> AsyncIterator[tuple[EngineOwner, ToldEngine]]:
    engine, owner = ToldEngine(), EngineOwner(bound)
    owner.start(engine)
    try:
        yield owner, engine
    finally:
        engine.let.set()
        await owner.aclose()


async def busy(owner: EngineOwner, engine: ToldEngine) -> asyncio.Task[Recognition]:
    """A job that keeps the engine at work until it is let."""
    engine.let.clear()
    task = asyncio.create_task(owner.transcribe(job()))
    await asyncio.to_thread(engine.begun.wait, 5)
    return task


async def test_words_come_with_the_times_they_took() -> None:
    async with owned() as (owner, _):
        found = await owner.transcribe(job())

    assert found.text == "yes"
    assert found.queue_s >= 0
    assert found.inference_s > 0


async def test_all_jobs_run_on_one_thread_live_ones_first() -> None:
    async with owned() as (owner, engine):
        first = await busy(owner, engine)
        bulk, live = job(Lane.BULK), job(Lane.LIVE)
        waiting = [asyncio.create_task(owner.transcribe(each)) for each in (bulk, live)]
        await asyncio.sleep(0)
        engine.let.set()
        await asyncio.gather(first, *waiting)

    assert engine.order[1:] == [live, bulk]
    assert len(engine.threads) == 1


async def test_a_full_queue_refuses_and_says_when_to_come_back() -> None:
    async with owned(bound=1) as (owner, engine):
        await busy(owner, engine)
        waiting = asyncio.create_task(owner.transcribe(job()))
        await asyncio.sleep(0)

        with pytest.raises(QueueFullError) as caught:
            await owner.transcribe(job())

        assert caught.value.retry_after_s is not None
        assert caught.value.retry_after_s > 0
        engine.let.set()
        await waiting


async def test_a_cancelled_job_leaves_the_queue() -> None:
    async with owned() as (owner, engine):
        await busy(owner, engine)
        waiting = asyncio.create_task(owner.transcribe(job()))
        await asyncio.sleep(0)
        assert owner.queued == 1

        waiting.cancel()
        await asyncio.wait({waiting})

        assert owner.queued == 0


async def test_a_job_that_runs_is_told_that_nobody_waits_for_it() -> None:
    async with owned() as (owner, engine):
        running = await busy(owner, engine)

        running.cancel()
        await asyncio.wait({running})

        assert engine.order[0].cancelled.is_set()


async def test_a_job_that_is_not_done_in_time_expires() -> None:
    async with owned() as (owner, engine):
        await busy(owner, engine)

        with pytest.raises(JobExpiredError):
            await owner.transcribe(job(timeout_s=0.02))

        assert owner.queued == 0


async def test_a_failing_job_fails_alone() -> None:
    async with owned() as (owner, _):
        with pytest.raises(RuntimeError):
            await owner.transcribe(job(prompt="fail"))

        assert (await owner.transcribe(job())).text == "yes"


async def test_closing_tells_those_who_wait() -> None:
    async with owned() as (owner, engine):
        running = await busy(owner, engine)
        waiting = asyncio.create_task(owner.transcribe(job()))
        await asyncio.sleep(0)

        await owner.aclose()

        results = await asyncio.gather(running, waiting, return_exceptions=True)
    assert all(isinstance(result, UnavailableError) for result in results)
