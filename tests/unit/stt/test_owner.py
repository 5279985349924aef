"""The owner of the engines, with an engine that does as it is told."""

from __future__ import annotations

import asyncio
import gc
import threading
import weakref
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from voicemesh_chassis.errors import UnavailableError
from voicemesh_stt.domain import Language, RecognitionOptions, Segment, SpeechModel
from voicemesh_stt.engines.owner import EngineOwner, QueueLimits
from voicemesh_stt.errors import JobExpiredError, JobSupersededError, QueueFullError
from voicemesh_stt.ports import Again, Engine, Job, Lane, Prepared, Recognition, Worked

pytestmark = pytest.mark.unit

PATIENCE_S = 5.0


class ToldEngine:
    """Says what the prompt of a job says, and works only when let."""

    workers = 1
    most_in_batch = 4
    memory_bytes = 1

    def __init__(self, name: str = "fake") -> None:
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

    def prepare(self, job: Job) -> Prepared:
        self.threads.add(threading.current_thread().name)
        self.let_prepare.wait(PATIENCE_S)
        if job.options.initial_prompt == "no features":
            raise RuntimeError("broken")
        return Prepared(job, np.zeros((1, 1250), dtype=np.float32), 10, "short")

    def recognise(self, batch: Sequence[Prepared]) -> Worked:
        self.batches.append([each.job for each in batch])
        self.threads.add(threading.current_thread().name)
        self.begun.set()
        jobs = [each.job for each in batch]
        let = self.let_again if batch[0].batch_key == "whole" else self.let
        while not (let.wait(0.01) or all(job.cancelled.is_set() for job in jobs)):
            pass
        if any(job.options.initial_prompt == "fail" for job in jobs):
            raise RuntimeError("broken")
        return Worked([self._outcome(each) for each in batch], 0.1, 0.2)

    def _outcome(self, each: Prepared) -> Recognition | Again:
        text = each.job.options.initial_prompt
        if each.batch_key == "whole":
            text = "better"
        found = Recognition((Segment(0, 1, f" {text}", 1.0),), Language("en", 1.0))
        if text == "again":
            whole = np.zeros((1, 3000), dtype=np.float32)
            return Again(replace(each, features=whole, batch_key="whole"), found)
        return found


@dataclass
class Bench:
    """An owner with engines, and what it told its observer."""

    owner: EngineOwner
    engine: ToldEngine
    sizes: list[int] = field(default_factory=list)

    def batch_done(
        self, _model: str, batch: Sequence[Prepared], _worked: Worked, _spent_s: float
    ) -> None:
        self.sizes.append(len(batch))

    async def busy(self) -> asyncio.Task[Recognition]:
        """A job that keeps the engine at work until it is let."""
        self.engine.let.clear()
        task = asyncio.create_task(self.owner.transcribe(job("first")))
        assert await asyncio.to_thread(self.engine.begun.wait, PATIENCE_S)
        return task

    async def waits(self, *jobs: Job) -> list[asyncio.Task[Recognition]]:
        """These jobs, in the queue with their features."""
        tasks = [asyncio.create_task(self.owner.transcribe(each)) for each in jobs]
        await settled(lambda: all(ready(self.owner)))
        return tasks


def ready(owner: EngineOwner) -> list[bool]:
    """Of each job in the queue whether its features are there."""
    return [ticket.key is not None for ticket in owner._schedule.waiting(*Lane)]


async def settled(done: Callable[[], bool]) -> None:
    """Lets the loop run until this is so."""
    async with asyncio.timeout(PATIENCE_S):
        await asyncio.sleep(0)
        while not done():
            await asyncio.sleep(0.001)


class Source:
    """One engine for all names, or none."""

    def __init__(self, *engines: ToldEngine) -> None:
        self.engines = {engine.model.name: engine for engine in engines}

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
    caller: str | None = None,
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


@asynccontextmanager
async def owned(bound: int = 20, **limits: float) -> AsyncIterator[Bench]:
    engine = ToldEngine()
    bench = Bench(None, engine)  # type: ignore[arg-type] # made in the next line
    bench.owner = EngineOwner(Source(engine), QueueLimits(bound, **limits), bench)  # type: ignore[arg-type]
    bench.owner.start()
    try:
        yield bench
    finally:
        engine.let.set()
        engine.let_prepare.set()
        await bench.owner.aclose()


async def outcomes(tasks: Sequence[asyncio.Task[Recognition]]) -> list[str]:
    """The text of each, or the name of its error."""
    found = await asyncio.gather(*tasks, return_exceptions=True)
    return [each.text if isinstance(each, Recognition) else type(each).__name__ for each in found]


def test_the_engine_of_these_tests_is_one(engine_contract: Callable[[Engine], None]) -> None:
    engine_contract(ToldEngine())


async def test_words_come_with_the_times_they_took() -> None:
    async with owned() as bench:
        found = await bench.owner.transcribe(job("hello"))

    assert found.text == "hello"
    assert found.queue_s >= 0
    assert found.inference_s > 0
    assert bench.sizes == [1]


async def test_neither_features_nor_recognition_run_in_the_loop() -> None:
    async with owned() as bench:
        await bench.owner.transcribe(job())

    assert threading.current_thread().name not in bench.engine.threads
    assert len(bench.engine.threads) == 2


async def test_what_queues_while_the_engine_works_shares_a_batch() -> None:
    async with owned() as bench:
        first = await bench.busy()
        waiting = await bench.waits(*[job(f"word {number}") for number in range(4)])
        bench.engine.let.set()

        assert await outcomes([first, *waiting]) == ["first", *[f"word {n}" for n in range(4)]]

    assert bench.sizes == [1, 4]


async def test_live_work_goes_first() -> None:
    async with owned() as bench:
        first = await bench.busy()
        bulk, live = job("bulk", Lane.BULK), job("live")
        waiting = await bench.waits(bulk, live)
        bench.engine.let.set()
        await outcomes([first, *waiting])

    assert bench.engine.batches[1:] == [[live], [bulk]]


async def test_workers_run_batches_side_by_side() -> None:
    async with owned(workers=2) as bench:
        bench.engine.workers = 2
        first = await bench.busy()
        bench.engine.begun.clear()
        second = asyncio.create_task(bench.owner.transcribe(job("second")))

        assert await asyncio.to_thread(bench.engine.begun.wait, PATIENCE_S)
        assert len(bench.engine.batches) == 2
        bench.engine.let.set()
        assert await outcomes([first, second]) == ["first", "second"]


async def test_models_do_not_share_batches() -> None:
    one, other = ToldEngine("one"), ToldEngine("other")
    bench = Bench(None, one)  # type: ignore[arg-type] # made in the next line
    bench.owner = EngineOwner(Source(one, other), QueueLimits(9), bench)
    bench.owner.start()
    first = await bench.busy()
    waiting = await bench.waits(job("a", model="one"), job("b", model="other"))
    one.let.set()

    assert await outcomes([first, *waiting]) == ["first", "a", "b"]
    assert [[each.options.initial_prompt for each in jobs] for jobs in other.batches] == [["b"]]
    await bench.owner.aclose()


async def test_a_full_queue_refuses_and_says_when_to_come_back() -> None:
    async with owned(bound=1) as bench:
        await bench.busy()
        waiting = await bench.waits(job())

        with pytest.raises(QueueFullError) as caught:
            await bench.owner.transcribe(job())

        assert caught.value.retry_after_s is not None
        assert caught.value.retry_after_s > 0
        bench.engine.let.set()
        assert await outcomes(waiting) == ["yes"]


async def test_a_recording_is_refused_if_the_wait_is_foreseen_to_be_too_long() -> None:
    async with owned(max_wait_s=0.01) as bench:
        await bench.busy()
        waiting = await bench.waits(*[job() for _ in range(10)])

        with pytest.raises(QueueFullError) as caught:
            await bench.owner.transcribe(job(lane=Lane.BULK))

        assert caught.value.retry_after_s is not None
        assert bench.owner.expected_wait_s(Lane.BULK) > 0.01
        bench.engine.let.set()
        await outcomes(waiting)


async def test_a_recording_that_has_begun_goes_on() -> None:
    async with owned(max_wait_s=0.01) as bench:
        await bench.owner.transcribe(job(lane=Lane.BULK, caller="me"))
        bench.engine.begun.clear()
        first = await bench.busy()
        waiting = await bench.waits(*[job() for _ in range(4)], job("on", Lane.BULK, caller="me"))
        bench.engine.let.set()

        assert (await outcomes([first, *waiting]))[-1] == "on"


async def test_a_recording_is_taken_on_though_much_waits_of_another_caller() -> None:
    async with owned(max_wait_s=0.5) as bench:
        first = await bench.busy()
        waiting = await bench.waits(*[job(lane=Lane.BULK, caller="long") for _ in range(6)])
        waiting += await bench.waits(job("short", Lane.BULK))
        bench.engine.let.set()

        assert (await outcomes([first, *waiting]))[-1] == "short"


async def test_nothing_holds_a_stream_after_its_words() -> None:
    class Stream:
        pass

    stream = Stream()
    gone = weakref.ref(stream)
    async with owned() as bench:
        await bench.owner.transcribe(replace(job(), caller=stream))
        del stream
        await bench.owner.transcribe(job())
        bench.engine.batches.clear()
        gc.collect()

        assert gone() is None


async def test_new_streams_are_refused_while_live_work_waits_too_long() -> None:
    async with owned(max_live_wait_s=0.01) as bench:
        assert bench.owner.overloaded() is None

        first = await bench.busy()
        waiting = await bench.waits(*[job() for _ in range(10)])

        retry_after_s = bench.owner.overloaded()
        assert retry_after_s is not None
        assert retry_after_s >= 1
        bench.engine.let.set()
        await outcomes([first, *waiting])


async def test_a_file_that_is_worked_on_keeps_no_stream_out() -> None:
    async with owned(max_live_wait_s=0.01) as bench:
        bench.engine.let.clear()
        file = asyncio.create_task(bench.owner.transcribe(job(lane=Lane.BULK)))
        assert await asyncio.to_thread(bench.engine.begun.wait, PATIENCE_S)

        assert bench.owner.overloaded() is None
        assert bench.owner.expected_wait_s(Lane.LIVE) > 0.01
        bench.engine.let.set()
        await outcomes([file])


async def test_a_newer_job_takes_the_place_of_one_of_its_turn() -> None:
    async with owned() as bench:
        first = await bench.busy()
        waiting = await bench.waits(job("old", turn="t"), job("new", turn="t"))
        bench.engine.let.set()

        assert await outcomes([first, *waiting]) == ["first", JobSupersededError.__name__, "new"]


async def test_a_partial_makes_room_for_other_work() -> None:
    async with owned(bound=1) as bench:
        first = await bench.busy()
        waiting = await bench.waits(job("partial", Lane.PARTIAL))
        waiting += await bench.waits(job("live"))
        bench.engine.let.set()

        assert await outcomes([first, *waiting]) == ["first", QueueFullError.__name__, "live"]


async def test_a_job_cancelled_in_the_queue_leaves_it() -> None:
    async with owned() as bench:
        await bench.busy()
        (waiting,) = await bench.waits(job())
        assert bench.owner.queued == 1

        waiting.cancel()
        await asyncio.wait({waiting})

        assert bench.owner.queued == 0


async def test_a_job_cancelled_before_its_features_are_there_is_never_run() -> None:
    async with owned() as bench:
        bench.engine.let_prepare.clear()
        waiting = asyncio.create_task(bench.owner.transcribe(job("gone")))
        await settled(lambda: bench.owner.queued == 1)

        waiting.cancel()
        await asyncio.wait({waiting})
        bench.engine.let_prepare.set()

        assert bench.owner.queued == 0
        assert (await bench.owner.transcribe(job("next"))).text == "next"
    assert len(bench.engine.batches) == 1


async def test_a_job_cancelled_while_it_runs_leaves_its_batch_mates_alone() -> None:
    async with owned() as bench:
        first = await bench.busy()
        gone, stays = await bench.waits(job("gone"), job("stays"))
        bench.engine.begun.clear()
        bench.engine.let.set()
        bench.engine.let.clear()
        first.cancel()
        assert await asyncio.to_thread(bench.engine.begun.wait, PATIENCE_S)

        gone.cancel()
        await asyncio.wait({gone})
        assert bench.engine.batches[1][0].cancelled.is_set()
        bench.engine.let.set()

        assert await outcomes([stays]) == ["stays"]
    assert [len(batch) for batch in bench.engine.batches] == [1, 2]


async def test_a_job_that_is_not_done_in_time_expires() -> None:
    async with owned() as bench:
        await bench.busy()

        with pytest.raises(JobExpiredError):
            await bench.owner.transcribe(job(timeout_s=0.02))

        assert bench.owner.queued == 0


async def test_a_job_that_raises_fails_alone() -> None:
    async with owned() as bench:
        first = await bench.busy()
        waiting = await bench.waits(job("good"), job("fail"), job("fine"))
        bench.engine.let.set()

        assert await outcomes([first, *waiting]) == ["first", "good", "RuntimeError", "fine"]
        assert (await bench.owner.transcribe(job("later"))).text == "later"
    assert [len(batch) for batch in bench.engine.batches] == [1, 3, 1, 1, 1, 1]


async def test_a_job_whose_features_cannot_be_had_fails_alone() -> None:
    async with owned() as bench:
        with pytest.raises(RuntimeError):
            await bench.owner.transcribe(job("no features"))

        assert bench.owner.queued == 0
        assert (await bench.owner.transcribe(job("later"))).text == "later"


async def test_words_that_are_not_believed_are_looked_for_again() -> None:
    async with owned() as bench:
        first = await bench.busy()
        waiting = await bench.waits(job("again"), job("mate"), job("other", Lane.BULK))
        bench.engine.let.set()

        assert await outcomes([first, *waiting]) == ["first", "better", "mate", "other"]
    texts = [[each.options.initial_prompt for each in jobs] for jobs in bench.engine.batches]
    assert texts == [["first"], ["again", "mate"], ["again"], ["other"]]


async def test_the_first_words_do_if_there_is_no_time_for_a_second_look() -> None:
    async with owned() as bench:
        bench.engine.let_again.clear()

        found = await bench.owner.transcribe(job("again", timeout_s=0.1))

        assert found.text == "again"
        assert len(bench.engine.batches) == 2


async def test_a_partial_that_is_not_believed_says_nothing() -> None:
    async with owned() as bench:
        found = await bench.owner.transcribe(job("again", Lane.PARTIAL))

    assert found.text == ""
    assert len(bench.engine.batches) == 1


async def test_without_a_model_a_job_is_refused() -> None:
    bench = Bench(None, ToldEngine())  # type: ignore[arg-type] # there is none
    owner = EngineOwner(Source(), QueueLimits(9), bench)
    owner.start()

    with pytest.raises(UnavailableError):
        await owner.transcribe(job())
    await owner.aclose()


async def test_closing_tells_those_who_wait_and_those_who_come() -> None:
    async with owned() as bench:
        running = await bench.busy()
        waiting = await bench.waits(job())

        await bench.owner.aclose()

        assert await outcomes([running, *waiting]) == ["UnavailableError"] * 2
        with pytest.raises(UnavailableError):
            await bench.owner.transcribe(job())
    assert not [task for task in asyncio.all_tasks() if task.get_name().startswith("stt-")]


async def test_closing_is_no_cancelled_call_to_those_whose_features_are_not_there() -> None:
    async with owned() as bench:
        bench.engine.let_prepare.clear()
        waiting = [asyncio.create_task(bench.owner.transcribe(job())) for _ in range(4)]
        await settled(lambda: bench.owner.queued == 4)

        await bench.owner.aclose()
        bench.engine.let_prepare.set()

        assert await outcomes(waiting) == ["UnavailableError"] * 4


async def test_closing_does_not_wait_for_ever_for_a_job_that_runs() -> None:
    stuck = threading.Event()

    class StuckEngine(ToldEngine):
        def recognise(self, batch: Sequence[Prepared]) -> Worked:
            self.begun.set()
            stuck.wait(PATIENCE_S)
            return super().recognise(batch)

    engine = StuckEngine()
    bench = Bench(None, engine)  # type: ignore[arg-type] # made in the next line
    bench.owner = EngineOwner(Source(engine), QueueLimits(9), bench)
    bench.owner.start()
    running = await bench.busy()
    async with asyncio.timeout(PATIENCE_S / 2):
        await bench.owner.aclose(timeout_s=0.05)
    stuck.set()
    engine.let.set()

    assert await outcomes([running]) == ["UnavailableError"]
