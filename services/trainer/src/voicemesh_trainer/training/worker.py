"""Takes as many jobs at once as it has hands, and tidies up after those that end."""

from __future__ import annotations

import asyncio
import shutil
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from voicemesh_chassis.errors import ServiceError
from voicemesh_chassis.logs import get_logger
from voicemesh_trainer.ports.jobs import JobLostError
from voicemesh_trainer.training import states
from voicemesh_trainer.training.attempt import Attempt, Workshop
from voicemesh_trainer.training.ledger import Ledger

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from pathlib import Path

    from voicemesh_trainer.domain.jobs import Job
    from voicemesh_trainer.ports.jobs import JobStore, WorkerStore
    from voicemesh_trainer.ports.training import TrainingBackend
    from voicemesh_trainer.training.bells import Bells

__all__ = ("Worker", "WorkerOptions")

_logger = get_logger(__name__)

_TIDY_S = 60.0
_STOP_S = 5.0
_FORGET_AFTER = 20
"""Times that a worker has not said that it is alive."""
_GIVE_UP_S = 86_400.0
"""A provider that has refused us for so long keeps what it has."""


@dataclass(frozen=True)
class WorkerOptions:
    """How a worker works."""

    hands: int
    """Jobs at once."""
    poll_s: float
    """How often it looks for work, in seconds; what happens in this process it hears at once."""
    announce_s: float
    """How often it says that it is alive, in seconds."""
    pause_s: float
    """How long jobs may take to save a checkpoint when the worker ends, in seconds."""
    outage_s: float
    """How long it tries to write while the database cannot be reached, in seconds."""


class Worker:
    """Runs training jobs until it is closed.

    Args:
        worker_id: names it, and no other one ever.
        backends: what it can train with; closed with it.
        stores: the jobs, and where it says that it is alive.
        workshop: what attempts use.
        options: how it works.
        bells: wakes it.
    """

    def __init__(
        self,
        worker_id: str,
        backends: Sequence[TrainingBackend],
        stores: tuple[JobStore, WorkerStore],
        workshop: Workshop,
        options: WorkerOptions,
        bells: Bells,
    ) -> None:
        self._worker_id = worker_id
        self._backends = {backend.name: backend for backend in backends}
        self._store, self._workers = stores
        self._workshop = workshop
        self._options = options
        self._bells = bells
        self._pause = asyncio.Event()
        self._hands: list[asyncio.Task[None]] = []
        self._others: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Begins to work.

        Raises:
            ServiceError: if the database cannot be reached.
        """
        await self._workers.announce(self._worker_id, tuple(self._backends), self._workshop.now())
        directory = self._workshop.directory
        await asyncio.to_thread(directory.mkdir, parents=True, exist_ok=True)
        self._hands = [
            asyncio.create_task(self._repeat(self._work, "a worker failed"))
            for _ in range(self._options.hands)
        ]
        self._others = [
            asyncio.create_task(self._repeat(self._tidy, "tidying up failed")),
            asyncio.create_task(self._announce()),
        ]

    def drain(self) -> None:
        """Takes no further job, and asks those at work to save a checkpoint."""
        self._pause.set()
        self._bells.work.ring()

    async def aclose(self) -> None:
        """Drains, gives back what does not end in time, and closes the backends."""
        self.drain()
        if self._hands:
            await asyncio.wait(self._hands, timeout=self._options.pause_s)
        for tasks in (self._hands, self._others):
            for task in tasks:
                task.cancel()
            if tasks:
                await asyncio.wait(tasks, timeout=_STOP_S)
        had_begun, self._hands, self._others = bool(self._hands), [], []
        if had_begun:
            with suppress(ServiceError, TimeoutError):
                async with asyncio.timeout(_STOP_S):
                    await self._workers.leave(self._worker_id)
        for backend in self._backends.values():
            await backend.aclose()

    async def _repeat(self, step: Callable[[], Awaitable[bool]], failure: str) -> None:
        """Calls `step` until the worker ends; waits where it finds nothing to do."""
        while not self._pause.is_set():
            heard = self._bells.work.heard
            try:
                busy = await step()
            except ServiceError as error:
                _logger.warning(failure, reason=error.reason)
                busy = False
            except Exception:
                # The boundary of a hand: whatever it was, the next job is to be taken.
                _logger.exception(failure)
                busy = False
            if not busy:
                await self._bells.work.wait(heard, self._options.poll_s)

    async def _work(self) -> bool:
        """Takes a job, if there is one, and sees it through."""
        now, patience = self._workshop.now, self._workshop.limits.patience

        def take(job: Job) -> Job:
            return states.claimed(job, self._worker_id, now(), patience)

        job = await self._store.claim(tuple(self._backends), now(), take)
        if job is None:
            return False
        self._bells.jobs.ring()
        if job.state.ended:  # it had lost too many workers
            self._workshop.metrics.ended(job)
            self._bells.work.ring()
            return True
        _logger.info("a training job begins", job_id=job.job_id, attempt=job.attempts)
        ledger = Ledger(job, self._store, self._bells, now=now, outage_s=self._options.outage_s)
        try:
            await Attempt(ledger, self._backends[job.backend], self._workshop, self._pause).run()
        except JobLostError:
            _logger.info("a training job is no longer ours", job_id=job.job_id)
            self._workshop.metrics.set_back(job, "LOST")
            await self._hasten_tidying(ledger.job)
        else:
            state = ledger.job.state
            _logger.info("a training attempt is over", job_id=job.job_id, state=state)
        return True

    async def _hasten_tidying(self, job: Job) -> None:
        """Our work has stopped: what it left outside of a cancelled job can go now."""
        stored = await self._store.current(job)
        if stored.state.ended and stored.worker_id == self._worker_id:
            await self._tidy_up(stored)

    async def _tidy(self) -> bool:
        """Tidies up after a job that has ended, if there is one."""
        now = self._workshop.now

        def take(job: Job) -> Job:
            return states.tidying(job, self._worker_id, now(), _TIDY_S)

        job = await self._store.claim_ended(tuple(self._backends), now(), take)
        if job is None:
            return False
        await self._tidy_up(job)
        return True

    async def _tidy_up(self, job: Job) -> None:
        ended = job.end_time or 0.0
        given_up = self._workshop.now() - ended > _GIVE_UP_S
        try:
            async with asyncio.timeout(_TIDY_S):
                if not given_up:
                    await self._backends[job.backend].discard(job)
                await self._delete_files(job)
                await asyncio.to_thread(_remove_all, self._workshop.directory, job.job_id)
                with suppress(JobLostError):  # another one tidies up too
                    await self._store.save(states.tidied(job), now=self._workshop.now())
        except (ServiceError, TimeoutError) as error:
            # Its lease ends, and then it is tried again.
            reason = getattr(error, "reason", "TIMEOUT")
            _logger.warning("tidying up after a job failed", job_id=job.job_id, reason=reason)

    async def _delete_files(self, job: Job) -> None:
        """Deletes checkpoints, and what a worker stored that was killed before it could say so."""
        kept = {job.curve_file, job.run.adapter_file}
        for name in await self._workshop.files.names():
            if f"/{job.job_id}-" in name and name not in kept:
                await self._workshop.files.delete(name)

    async def _announce(self) -> None:
        """Says that the worker is alive, and counts what there is to do."""
        while not self._pause.is_set():
            try:
                now = self._workshop.now()
                await self._workers.announce(self._worker_id, tuple(self._backends), now)
                await self._workers.forget(now - _FORGET_AFTER * self._options.announce_s)
                self._workshop.metrics.counted(await self._store.count_by_state())
            except ServiceError as error:
                _logger.warning("a worker cannot say that it is alive", reason=error.reason)
            await asyncio.sleep(self._options.announce_s)


def _remove_all(directory: Path, job_id: str) -> None:
    """Removes the directories of a job's attempts, as a killed process leaves them."""
    for each in directory.glob(f"{job_id}-*"):
        shutil.rmtree(each, ignore_errors=True)
