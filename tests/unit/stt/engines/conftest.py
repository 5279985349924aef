"""The owner of the engines, with engines that do as they are told."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Hashable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from typing import TypeAlias

import numpy as np
import pytest

from voicemesh_chassis.errors import UnavailableError
from voicemesh_stt.domain import Language, RecognitionOptions, Segment, SpeechModel
from voicemesh_stt.engines.owner import EngineOwner, QueueLimits
from voicemesh_stt.ports import Again, Job, Lane, Prepared, Recognition, Worked

PATIENCE_S = 5.0


class ToldEngine:
    """Says what the prompt of a job says, and works only when let."""

    workers = 1
    most_in_batch = 4
    memory_bytes = 1

    def __init__(self, name: str) -> None:
        self.model = SpeechModel(name, ("en",), "none", "none")
        self.let = threading.Event()
        self.let.set()
        self.begun = threading.Event()
        self.batches: list[list[Job]] = []
        self.threads: set[str] = set()
        self.let_prepare = threading.Event()
        self.let_prepare.set()
        self.let_again = threading.Event()
        self.let_again.set()
        self.stops_if_cancelled = True

    def prepare(self, job: Job) -> Prepared:
        self.threads.add(threading.current_thread().name)
        self.let_prepare.wait(PATIENCE_S)
        if job.options.initial_prompt == "no features":
            raise RuntimeError("broken")
        return Prepared(job, np.zeros((1, 1250), dtype=np.float32), 10, 0, "short")

    def recognise(self, batch: Sequence[Prepared]) -> Worked:
        self.batches.append([each.job for each in batch])
        self.threads.add(threading.current_thread().name)
        self.begun.set()
        jobs = [each.job for each in batch]
        let = self.let_again if batch[0].batch_key == "whole" else self.let
        while not (let.wait(0.01) or self._stops(jobs)):
            pass
        if any(job.options.initial_prompt == "fail" for job in jobs):
            raise RuntimeError("broken")
        return Worked([self._outcome(each) for each in batch], 0.1, 0.2)

    def _stops(self, jobs: Sequence[Job]) -> bool:
        return self.stops_if_cancelled and all(job.cancelled.is_set() for job in jobs)

    def _outcome(self, each: Prepared) -> Recognition | Again:
        text = each.job.options.initial_prompt
        if each.batch_key == "whole":
            text = "better"
        found = Recognition((Segment(0, 1, f" {text}", 1.0),), Language("en", 1.0))
        if text == "again":
            whole = np.zeros((1, 3000), dtype=np.float32)
            return Again(replace(each, features=whole, batch_key="whole"), found)
        return found


class Source:
    """One engine for all names that have none, or nothing at all."""

    def __init__(self, models: Sequence[str]) -> None:
        self.engines = {model: ToldEngine(model) for model in models}

    def engine(self, name: str) -> ToldEngine:
        if not self.engines:
            raise UnavailableError("no model is loaded")
        return self.engines.get(name) or next(iter(self.engines.values()))


def job(
    text: str = "yes",
    lane: Lane = Lane.LIVE,
    *,
    timeout_s: float = PATIENCE_S,
    turn: str | None = None,
    model: str = "",
    caller: Hashable | None = None,
) -> Job:
    return Job(
        np.zeros(1600, dtype=np.float32),
        RecognitionOptions(initial_prompt=text),
        lane,
        timeout_s,
        model=model,
        turn=turn,
        caller=caller or object(),
    )


class Bench:
    """An owner with engines, and what it told its observer."""

    def __init__(self, models: Sequence[str], limits: QueueLimits) -> None:
        self.source = Source(models)
        self.engine = self.source.engine("")
        self.owner = EngineOwner(self.source, limits, self)
        self.sizes: list[int] = []

    def batch_done(
        self, _model: str, batch: Sequence[Prepared], _worked: Worked, _spent_s: float
    ) -> None:
        self.sizes.append(len(batch))

    async def busy(self) -> asyncio.Task[Recognition]:
        """A job that keeps the engine at work until it is let."""
        self.engine.let.clear()
        task = asyncio.create_task(self.owner.transcribe(job("first")))
        await self.begun()
        return task

    async def begun(self) -> None:
        """Waits until the engine is at work."""
        assert await asyncio.to_thread(self.engine.begun.wait, PATIENCE_S)

    async def waits(self, *jobs: Job) -> list[asyncio.Task[Recognition]]:
        """These jobs, in the queue with their features."""
        tasks = [asyncio.create_task(self.owner.transcribe(each)) for each in jobs]
        waiting = self.owner._schedule.waiting
        await self.settled(lambda: all(ticket.key is not None for ticket in waiting(*Lane)))
        return tasks

    @staticmethod
    async def settled(done: Callable[[], bool]) -> None:
        """Lets the loop run until this is so."""
        async with asyncio.timeout(PATIENCE_S):
            await asyncio.sleep(0)
            while not done():
                await asyncio.sleep(0.001)

    @staticmethod
    async def outcomes(tasks: Sequence[asyncio.Task[Recognition]]) -> list[str]:
        """The text of each, or the name of its error."""
        found = await asyncio.gather(*tasks, return_exceptions=True)
        return [
            each.text if isinstance(each, Recognition) else type(each).__name__ for each in found
        ]


Owned: TypeAlias = Callable[..., AbstractAsyncContextManager[Bench]]
MakeJob: TypeAlias = Callable[..., Job]


@asynccontextmanager
async def at_work(
    bound: int = 20, models: Sequence[str] = ("fake",), **limits: float
) -> AsyncIterator[Bench]:
    bench = Bench(models, QueueLimits(bound, **limits))  # type: ignore[arg-type] # workers: int
    bench.owner.start()
    try:
        yield bench
    finally:
        bench.engine.let.set()
        bench.engine.let_prepare.set()
        await bench.owner.aclose()


@pytest.fixture(scope="session")
def owned() -> Owned:
    """An owner at work, with one engine or one of each of these names."""
    return at_work


@pytest.fixture(scope="session", name="job")
def make_job() -> MakeJob:
    """Makes a job whose words are known: those of its prompt."""
    return job
