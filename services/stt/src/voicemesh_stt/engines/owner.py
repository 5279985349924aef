"""The owner of the engines: one queue in front of a few workers, for all models and callers.

    job ─▶ admission ─▶ features (feature thread) ─▶ Schedule ─▶ worker ─▶ engine (own thread)
                                                        ▲                     │
                                                        └── again, in front ──┘

A worker takes whatever `schedule` gives it, one batch at a time. Results come back job by job. What
a batch raises is nobody's fault until each of its jobs has been tried alone.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias

from voicemesh_chassis.errors import UnavailableError
from voicemesh_chassis.logs import get_logger
from voicemesh_stt.errors import JobExpiredError, JobSupersededError, QueueFullError
from voicemesh_stt.pace import Pace
from voicemesh_stt.ports import Again, Lane
from voicemesh_stt.schedule import Schedule, Ticket

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from voicemesh_stt.ports import (
        Engine,
        EngineObserver,
        EngineSource,
        Job,
        Prepared,
        Recognition,
        Worked,
    )

__all__ = ("EngineOwner", "QueueLimits")

_logger = get_logger(__name__)

_FEATURE_THREADS = 2
_SPARE_CONTEXT_S = 2.0
_WHOLE_CONTEXT_S = 30.0
_CALLERS_REMEMBERED = 1_024
_SOONEST_S = 0.1
_HALF_DONE = 0.5
"""How much of a batch that runs is left on average."""


@dataclass(frozen=True)
class QueueLimits:
    """How much may wait, and how much is worked on."""

    bound: int
    """Most jobs that wait."""
    max_wait_s: float = 10.0
    """Longest wait for the engine at which further recordings are taken on, in seconds."""
    max_live_wait_s: float = 1.0
    """Longest wait for the engine at which further live streams are taken on, in seconds."""
    workers: int = 1
    """Batches that run at once, over all models."""


@dataclass(eq=False)
class _Waiting:
    """A job and who waits for it."""

    job: Job
    engine: Engine
    done: asyncio.Future[Recognition]
    arrived_s: float
    prepared: Prepared | None = None
    worked_s: float = 0.0
    """How long engines have worked on it so far."""
    found: Recognition | None = None
    """Words to fall back on if there is no time for a second look."""


_Ticket: TypeAlias = Ticket[_Waiting]


class EngineOwner:
    """A `Transcriber`. Belongs to one event loop; `start` it there and `aclose` it there."""

    def __init__(
        self, engines: EngineSource, limits: QueueLimits, observer: EngineObserver
    ) -> None:
        """Makes an owner that does not work yet.

        Args:
            engines: where models are found.
            limits: how much may wait.
            observer: told of each batch.
        """
        self._engines = engines
        self._limits = limits
        self._observer = observer
        self._schedule: Schedule[_Waiting] = Schedule(limits.bound, limits.workers)
        self._pace = Pace()
        self._begun: OrderedDict[Hashable, None] = OrderedDict()
        self._running: dict[int, Sequence[_Ticket]] = {}
        self._calls: set[Future[Worked]] = set()
        self._arrived = asyncio.Event()
        self._feature_threads = ThreadPoolExecutor(_FEATURE_THREADS, "stt-features")
        self._engine_threads = ThreadPoolExecutor(limits.workers, "stt-engine")
        self._workers: list[asyncio.Task[None]] = []
        self._closed = False

    @property
    def queued(self) -> int:
        """Jobs that wait."""
        return len(self._schedule)

    def start(self) -> None:
        """Begins to work."""
        self._workers = [
            asyncio.create_task(self._work(worker), name="stt-engine-worker")
            for worker in range(self._limits.workers)
        ]

    async def aclose(self, timeout_s: float = 10.0) -> None:
        """Tells all who wait, and ends the threads; waits so long for jobs that run."""
        self._closed = True
        for ticket in (*self._at_work(), *self._schedule.waiting(*Lane)):
            ticket.item.job.cancelled.set()
            _fail(ticket.item, _stopping())
            self._schedule.discard(ticket)
        for worker in self._workers:
            worker.cancel()
        if self._workers:
            await asyncio.wait(self._workers)
        # A thread that is in a library cannot be stopped, and must not be waited for in the loop.
        self._engine_threads.shutdown(wait=False, cancel_futures=True)
        # Features take a millisecond; cut off, they would look to callers like a cancelled call.
        self._feature_threads.shutdown(wait=False)
        calls = {asyncio.wrap_future(call) for call in tuple(self._calls)}
        if calls:
            await asyncio.wait(calls, timeout=timeout_s)
        for ended in calls:
            _forget(ended)

    def expected_wait_s(self, lane: Lane, work_s: float = _WHOLE_CONTEXT_S) -> float:
        """How long a job of that lane will wait for its turn, by what jobs took lately.

        Args:
            lane: LIVE for all live work that waits; BULK for what goes before a new caller's job.
            work_s: the job's work, in seconds of context.
        """
        is_bulk = lane is Lane.BULK
        ahead = self._schedule.ahead(work_s) if is_bulk else self._schedule.waiting(Lane.LIVE)
        work = [self._load(ticket) for ticket in ahead]
        if len(self._running) >= self._limits.workers:
            work += [self._load(ticket, _HALF_DONE) for ticket in self._at_work()]
        return self._pace.clears_in_s(work)

    def overloaded(self) -> float | None:
        """When a new live stream may try again; see `ports.Admission`."""
        recent_s = self._pace.live_wait_s(time.monotonic())
        # Bulk that runs now does not count: it makes room as soon as somebody speaks, so that a
        # file would keep streams out for as long as it takes.
        running = [ticket for ticket in self._at_work() if ticket.lane is not Lane.BULK]
        work = [self._load(ticket) for ticket in self._schedule.waiting(Lane.LIVE)]
        work += [self._load(ticket, _HALF_DONE) for ticket in running]
        wait_s = max(recent_s, self._pace.clears_in_s(work))
        too_long_s = wait_s - self._limits.max_live_wait_s
        return None if too_long_s <= 0 else max(1.0, round(too_long_s, 1))

    async def transcribe(self, job: Job) -> Recognition:
        """The words of `job`; see `ports.Transcriber`."""
        if self._closed:
            raise _stopping()
        engine = self._engines.engine(job.model)
        loop = asyncio.get_running_loop()
        waiting = _Waiting(job, engine, loop.create_future(), time.monotonic())
        ticket = self._admit(waiting)
        try:
            async with asyncio.timeout(job.timeout_s):
                prepared = await loop.run_in_executor(self._feature_threads, engine.prepare, job)
                _ready(ticket, prepared)
                self._arrived.set()
                return await waiting.done
        except TimeoutError as error:
            if waiting.found is not None:
                return _timed(waiting, waiting.found)
            raise _expired(job) from error
        finally:
            self._schedule.discard(ticket)
            job.cancelled.set()
            _forget(waiting.done)

    def _admit(self, waiting: _Waiting) -> _Ticket:
        """A ticket that waits, or an error that says when to come back."""
        job, engine = waiting.job, waiting.engine
        work_s = job.audio_s + _SPARE_CONTEXT_S
        # A recording that has begun goes on: all that was done for it would be lost.
        if job.lane is Lane.BULK and job.caller not in self._begun:
            most_s = min(self._limits.max_wait_s, job.timeout_s)
            wait_s = self.expected_wait_s(Lane.BULK, work_s)
            if wait_s > most_s:
                raise _full(self.queued, wait_s - most_s)
        ticket = Ticket(
            waiting,
            job.lane,
            job.caller,
            waiting.arrived_s + job.timeout_s,
            engine.model.name,
            engine.workers,
            engine.most_in_batch,
            job.turn,
            work_s,
        )
        offer = self._schedule.offer(ticket, waiting.arrived_s)
        for older in offer.superseded:
            _fail(older.item, JobSupersededError())
        for partial in offer.dropped:
            _fail(partial.item, self._no_room())
        if not offer.taken:
            raise self._no_room()
        return ticket

    def _no_room(self) -> QueueFullError:
        work = [self._load(ticket) for ticket in self._schedule.waiting(*Lane)]
        return _full(self.queued, self._pace.clears_in_s(work) / 2)

    async def _work(self, worker: int) -> None:
        while True:
            taken = self._schedule.take(time.monotonic(), self._needed_s)
            for ticket in taken.late:
                self._give_up(ticket)
            if not taken.batch:
                self._arrived.clear()
                await self._arrived.wait()
                continue
            self._running[worker] = taken.batch
            try:
                await self._run(taken.batch)
            except Exception as error:  # a worker that ends leaves all callers without one
                _logger.exception("a batch was not done")
                for ticket in taken.batch:
                    _fail(ticket.item, error)
            finally:
                del self._running[worker]
                self._schedule.done(taken.batch)
                self._arrived.set()  # a model's worker is free, for which others may have waited

    async def _run(self, batch: Sequence[_Ticket]) -> None:
        """Runs a batch and tells each who waits, or each of its jobs alone if it fails."""
        wanted = [ticket for ticket in batch if not ticket.item.done.done()]
        prepared = [ticket.item.prepared for ticket in wanted]
        jobs = [each for each in prepared if each is not None]
        if not jobs:
            return
        begun_s = time.monotonic()
        try:
            worked = await self._recognised(wanted[0].item.engine, jobs)
        except Exception as error:  # whatever a library raises
            if len(wanted) == 1:
                _fail(wanted[0].item, error)
                return
            for ticket in wanted:
                await self._run([ticket])
            return
        spent_s = time.monotonic() - begun_s
        self._note(wanted, jobs, worked, spent_s, begun_s)
        for ticket, outcome in zip(wanted, worked.outcomes, strict=True):
            ticket.item.worked_s += spent_s
            self._tell(ticket, outcome)

    async def _recognised(self, engine: Engine, jobs: Sequence[Prepared]) -> Worked:
        call = self._engine_threads.submit(engine.recognise, jobs)
        self._calls.add(call)
        call.add_done_callback(self._calls.discard)
        return await asyncio.wrap_future(call)

    def _note(
        self,
        batch: Sequence[_Ticket],
        jobs: Sequence[Prepared],
        worked: Worked,
        spent_s: float,
        begun_s: float,
    ) -> None:
        """Measures, for estimates and for whoever counts."""
        self._pace.ran(batch[0].model, sum(each.context_s for each in jobs), spent_s)
        for ticket in batch:
            if ticket.lane is Lane.BULK:
                self._begun[ticket.caller] = None
                self._begun.move_to_end(ticket.caller)
            elif ticket.lane is Lane.LIVE:
                waited_s = begun_s - ticket.item.arrived_s - ticket.item.worked_s
                self._pace.live_waited(waited_s, begun_s)
        while len(self._begun) > _CALLERS_REMEMBERED:
            self._begun.popitem(last=False)
        self._observer.batch_done(batch[0].model, jobs, worked, spent_s)

    def _tell(self, ticket: _Ticket, outcome: Recognition | Again) -> None:
        """Passes words on, or puts a job that needs a second look in front of its lane."""
        waiting = ticket.item
        if waiting.done.done():
            return
        if not isinstance(outcome, Again):
            waiting.done.set_result(_timed(waiting, outcome))
        elif ticket.lane is Lane.PARTIAL:
            # Not worth a second look: there will be more words, or better ones, in a moment.
            waiting.done.set_result(_timed(waiting, replace(outcome.found, segments=())))
        else:
            waiting.found = outcome.found
            _ready(ticket, outcome.prepared)
            self._schedule.put_first(ticket)
            self._arrived.set()

    def _give_up(self, ticket: _Ticket) -> None:
        """There is no time for a job: better doubtful words than none."""
        waiting = ticket.item
        self._pace.gave_up(ticket.model)
        if waiting.found is None:
            _fail(waiting, _expired(waiting.job))
        elif not waiting.done.done():
            waiting.done.set_result(_timed(waiting, waiting.found))

    def _at_work(self) -> list[_Ticket]:
        return [ticket for batch in self._running.values() for ticket in batch]

    def _needed_s(self, ticket: _Ticket) -> float:
        return self._pace.needed_s(ticket.model, ticket.work_s)

    def _load(self, ticket: _Ticket, share: float = 1.0) -> tuple[str, int, float]:
        workers = min(ticket.workers, self._limits.workers)
        return ticket.model, workers, ticket.work_s * share


def _ready(ticket: _Ticket, prepared: Prepared) -> None:
    ticket.item.prepared = prepared
    ticket.key = prepared.batch_key
    ticket.work_s = prepared.context_s


def _timed(waiting: _Waiting, found: Recognition) -> Recognition:
    """The words with where their time went; what was not work was waiting."""
    queue_s = max(0.0, time.monotonic() - waiting.arrived_s - waiting.worked_s)
    return replace(found, queue_s=queue_s, inference_s=waiting.worked_s)


def _forget(done: asyncio.Future[Any]) -> None:
    """Nobody waits any more, neither for a result nor to hear of a failure."""
    if not done.cancel() and not done.cancelled():
        done.exception()


def _fail(waiting: _Waiting, error: Exception) -> None:
    if not waiting.done.done():
        waiting.done.set_exception(error)


def _full(queued: int, retry_after_s: float) -> QueueFullError:
    msg = f"{queued} jobs wait for the engine already; try again later"
    return QueueFullError(msg, retry_after_s=max(_SOONEST_S, round(retry_after_s, 2)))


def _expired(job: Job) -> JobExpiredError:
    return JobExpiredError(f"the engine had no words within {job.timeout_s:g} s")


def _stopping() -> UnavailableError:
    return UnavailableError("the service is stopping")
