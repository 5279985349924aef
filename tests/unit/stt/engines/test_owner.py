"""The owner of the engines: batches, workers, failures, cancelled calls and its end."""

from __future__ import annotations

import asyncio
import gc
import threading
import weakref
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from voicemesh_chassis.errors import UnavailableError
from voicemesh_stt.errors import JobExpiredError, JobSupersededError
from voicemesh_stt.ports import Engine, Lane

if TYPE_CHECKING:
    from tests.unit.stt.engines.conftest import MakeJob, Owned

pytestmark = pytest.mark.unit

PATIENCE_S = 5.0


async def test_the_engine_of_these_tests_is_one(
    owned: Owned, engine_contract: Callable[[Engine], None]
) -> None:
    async with owned() as bench:
        await asyncio.to_thread(engine_contract, bench.engine)


async def test_words_come_with_the_times_they_took(owned: Owned, job: MakeJob) -> None:
    async with owned() as bench:
        found = await bench.owner.transcribe(job("hello"))

    assert found.text == "hello"
    assert found.queue_s >= 0
    assert found.inference_s > 0
    assert bench.sizes == [1]


async def test_neither_features_nor_recognition_run_in_the_loop(owned: Owned, job: MakeJob) -> None:
    async with owned() as bench:
        await bench.owner.transcribe(job())

    assert threading.current_thread().name not in bench.engine.threads
    assert len(bench.engine.threads) == 2


async def test_what_queues_while_the_engine_works_shares_a_batch(
    owned: Owned, job: MakeJob
) -> None:
    async with owned() as bench:
        first = await bench.busy()
        waiting = await bench.waits(*[job(f"word {number}") for number in range(4)])
        bench.engine.let.set()

        assert await bench.outcomes([first, *waiting]) == [
            "first",
            *[f"word {n}" for n in range(4)],
        ]

    assert bench.sizes == [1, 4]


async def test_live_work_goes_first(owned: Owned, job: MakeJob) -> None:
    async with owned() as bench:
        first = await bench.busy()
        bulk, live = job("bulk", Lane.BULK), job("live")
        waiting = await bench.waits(bulk, live)
        bench.engine.let.set()
        await bench.outcomes([first, *waiting])

    assert bench.engine.batches[1:] == [[live], [bulk]]


async def test_workers_run_batches_side_by_side(owned: Owned, job: MakeJob) -> None:
    async with owned(workers=2) as bench:
        bench.engine.workers = 2
        first = await bench.busy()
        bench.engine.begun.clear()
        second = asyncio.create_task(bench.owner.transcribe(job("second")))

        await bench.begun()
        assert len(bench.engine.batches) == 2
        bench.engine.let.set()
        assert await bench.outcomes([first, second]) == ["first", "second"]


async def test_models_do_not_share_batches(owned: Owned, job: MakeJob) -> None:
    async with owned(models=["one", "other"]) as bench:
        first = await bench.busy()
        waiting = await bench.waits(job("a", model="one"), job("b", model="other"))
        bench.engine.let.set()

        assert await bench.outcomes([first, *waiting]) == ["first", "a", "b"]
    batches = bench.source.engine("other").batches
    assert [[each.options.initial_prompt for each in jobs] for jobs in batches] == [["b"]]


async def test_nothing_holds_a_stream_after_its_words(owned: Owned, job: MakeJob) -> None:
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


async def test_a_newer_job_takes_the_place_of_one_of_its_turn(owned: Owned, job: MakeJob) -> None:
    async with owned() as bench:
        first = await bench.busy()
        waiting = await bench.waits(job("old", turn="t"), job("new", turn="t"))
        bench.engine.let.set()

        assert await bench.outcomes([first, *waiting]) == [
            "first",
            JobSupersededError.__name__,
            "new",
        ]


async def test_a_job_cancelled_in_the_queue_leaves_it(owned: Owned, job: MakeJob) -> None:
    async with owned() as bench:
        await bench.busy()
        (waiting,) = await bench.waits(job())
        assert bench.owner.queued == 1

        waiting.cancel()
        await asyncio.wait({waiting})

        assert bench.owner.queued == 0


async def test_a_job_cancelled_before_its_features_are_there_is_never_run(
    owned: Owned, job: MakeJob
) -> None:
    async with owned() as bench:
        bench.engine.let_prepare.clear()
        waiting = asyncio.create_task(bench.owner.transcribe(job("gone")))
        await bench.settled(lambda: bench.owner.queued == 1)

        waiting.cancel()
        await asyncio.wait({waiting})
        bench.engine.let_prepare.set()

        assert bench.owner.queued == 0
        assert (await bench.owner.transcribe(job("next"))).text == "next"
    assert len(bench.engine.batches) == 1


async def test_a_job_cancelled_while_it_runs_leaves_its_batch_mates_alone(
    owned: Owned, job: MakeJob
) -> None:
    async with owned() as bench:
        first = await bench.busy()
        gone, stays = await bench.waits(job("gone"), job("stays"))
        bench.engine.begun.clear()
        bench.engine.let.set()
        bench.engine.let.clear()
        first.cancel()
        await bench.begun()

        gone.cancel()
        await asyncio.wait({gone})
        assert bench.engine.batches[1][0].cancelled.is_set()
        bench.engine.let.set()

        assert await bench.outcomes([stays]) == ["stays"]
    assert [len(batch) for batch in bench.engine.batches] == [1, 2]


async def test_a_job_that_is_not_done_in_time_expires(owned: Owned, job: MakeJob) -> None:
    async with owned() as bench:
        await bench.busy()

        with pytest.raises(JobExpiredError):
            await bench.owner.transcribe(job(timeout_s=0.02))

        assert bench.owner.queued == 0


async def test_a_job_that_raises_fails_alone(owned: Owned, job: MakeJob) -> None:
    async with owned() as bench:
        first = await bench.busy()
        waiting = await bench.waits(job("good"), job("fail"), job("fine"))
        bench.engine.let.set()

        assert await bench.outcomes([first, *waiting]) == ["first", "good", "RuntimeError", "fine"]
        assert (await bench.owner.transcribe(job("later"))).text == "later"
    assert [len(batch) for batch in bench.engine.batches] == [1, 3, 1, 1, 1, 1]


async def test_a_job_whose_features_cannot_be_had_fails_alone(owned: Owned, job: MakeJob) -> None:
    async with owned() as bench:
        with pytest.raises(RuntimeError):
            await bench.owner.transcribe(job("no features"))

        assert bench.owner.queued == 0
        assert (await bench.owner.transcribe(job("later"))).text == "later"


async def test_words_that_are_not_believed_are_looked_for_again(owned: Owned, job: MakeJob) -> None:
    async with owned() as bench:
        first = await bench.busy()
        waiting = await bench.waits(job("again"), job("mate"), job("other", Lane.BULK))
        bench.engine.let.set()

        assert await bench.outcomes([first, *waiting]) == ["first", "better", "mate", "other"]
    texts = [[each.options.initial_prompt for each in jobs] for jobs in bench.engine.batches]
    assert texts == [["first"], ["again", "mate"], ["again"], ["other"]]


async def test_the_first_words_do_if_there_is_no_time_for_a_second_look(
    owned: Owned, job: MakeJob
) -> None:
    async with owned() as bench:
        bench.engine.let_again.clear()

        found = await bench.owner.transcribe(job("again", timeout_s=0.1))

        assert found.text == "again"
        assert len(bench.engine.batches) == 2


async def test_a_partial_that_is_not_believed_says_nothing(owned: Owned, job: MakeJob) -> None:
    async with owned() as bench:
        found = await bench.owner.transcribe(job("again", Lane.PARTIAL))

    assert found.text == ""
    assert len(bench.engine.batches) == 1


async def test_without_a_model_a_job_is_refused(owned: Owned, job: MakeJob) -> None:
    async with owned() as bench:
        bench.source.engines.clear()

        with pytest.raises(UnavailableError):
            await bench.owner.transcribe(job())


async def test_closing_tells_those_who_wait_and_those_who_come(owned: Owned, job: MakeJob) -> None:
    async with owned() as bench:
        running = await bench.busy()
        waiting = await bench.waits(job())

        await bench.owner.aclose()

        assert await bench.outcomes([running, *waiting]) == ["UnavailableError"] * 2
        with pytest.raises(UnavailableError):
            await bench.owner.transcribe(job())
    assert not [task for task in asyncio.all_tasks() if task.get_name().startswith("stt-")]


async def test_closing_is_no_cancelled_call_to_those_whose_features_are_not_there(
    owned: Owned, job: MakeJob
) -> None:
    async with owned() as bench:
        bench.engine.let_prepare.clear()
        waiting = [asyncio.create_task(bench.owner.transcribe(job())) for _ in range(4)]
        await bench.settled(lambda: bench.owner.queued == 4)

        await bench.owner.aclose()
        bench.engine.let_prepare.set()

        assert await bench.outcomes(waiting) == ["UnavailableError"] * 4


async def test_closing_does_not_wait_for_ever_for_a_job_that_runs(owned: Owned) -> None:
    async with owned() as bench:
        bench.engine.stops_if_cancelled = False
        running = await bench.busy()

        async with asyncio.timeout(PATIENCE_S / 2):
            await bench.owner.aclose(timeout_s=0.05)
        bench.engine.let.set()

        assert await bench.outcomes([running]) == ["UnavailableError"]
