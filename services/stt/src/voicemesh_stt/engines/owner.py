"""The one owner of the engine: a bounded queue in front of one thread.

This is the whole of scheduling for now, one job at a time. A scheduler that batches across callers
takes its place behind the same `ports.Transcriber`.
"""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from voicemesh_chassis.errors import UnavailableError
from voicemesh_stt.errors import JobExpiredError, QueueFullError
from voicemesh_stt.lanes import Lanes

if TYPE_CHECKING:
    from voicemesh_stt.ports import Engine, Job, Recognition

__all__ = ("EngineOwner",)

_FIRST_GUESS_S = 0.4
_SMOOTHING = 0.2


@dataclass(eq=False)
class _Waiting:
    """A job and who waits for it."""

    job: Job
    done: asyncio.Future[Recognition]
    arrived_s: float


class EngineOwner:
    """A `Transcriber`. Belongs to one event loop; `start` it there and `aclose` it there."""

    def __init__(self, queue_bound: int) -> None:
        """Makes an owner without an engine.

        Args:
            queue_bound: most jobs that may wait.
        """
        self._lanes: Lanes[_Waiting] = Lanes(queue_bound)
        self._arrived = asyncio.Event()
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="stt-engine")
        self._pump: asyncio.Task[None] | None = None
        self._usual_s = _FIRST_GUESS_S
        self._running: _Waiting | None = None

    @property
    def queued(self) -> int:
        """Jobs that wait."""
        return len(self._lanes)

    def start(self, engine: Engine) -> None:
        """Begins to work with `engine`, which from now on nobody else may use."""
        self._pump = asyncio.create_task(self._work(engine), name="stt-engine-owner")

    async def aclose(self) -> None:
        """Drops what waits, lets a running job end, and ends the thread."""
        running = self._running
        if self._pump is not None:
            self._pump.cancel()
            with suppress(asyncio.CancelledError):
                await self._pump
        if running is not None:
            running.job.cancelled.set()
            _fail(running, _stopping())
        while (waiting := self._lanes.take()) is not None:
            _fail(waiting, _stopping())
        # Waiting for the thread here would block the loop that it reports to.
        await asyncio.to_thread(self._thread.shutdown)

    async def transcribe(self, job: Job) -> Recognition:
        """The words of `job`; see `ports.Transcriber`."""
        waiting = _Waiting(job, asyncio.get_running_loop().create_future(), time.monotonic())
        if not self._lanes.offer(waiting, job.lane):
            msg = f"{len(self._lanes)} jobs wait for the engine already; try again later"
            raise QueueFullError(msg, retry_after_s=self._clears_in_s())
        self._arrived.set()
        try:
            async with asyncio.timeout(job.timeout_s):
                return await waiting.done
        except TimeoutError as error:
            msg = f"the engine had no words within {job.timeout_s:g} s"
            raise JobExpiredError(msg) from error
        finally:
            self._lanes.discard(waiting, job.lane)
            job.cancelled.set()

    async def _work(self, engine: Engine) -> None:
        loop = asyncio.get_running_loop()
        while True:
            while (waiting := self._lanes.take()) is None:
                self._arrived.clear()
                await self._arrived.wait()
            if waiting.done.done():
                continue
            self._running = waiting
            begun_s = time.monotonic()
            try:
                found = await loop.run_in_executor(self._thread, engine.recognise, waiting.job)
            except Exception as error:  # whatever a library raises: it is that caller's job
                _fail(waiting, error)
                continue
            finally:
                self._running = None
            spent_s = time.monotonic() - begun_s
            self._usual_s += _SMOOTHING * (spent_s - self._usual_s)
            if not waiting.done.done():
                queue_s = begun_s - waiting.arrived_s
                waiting.done.set_result(replace(found, queue_s=queue_s, inference_s=spent_s))

    def _clears_in_s(self) -> float:
        """When half of what waits will be done, by what jobs took lately, in seconds."""
        return max(0.1, round(self._usual_s * (len(self._lanes) + 1) / 2, 2))


def _stopping() -> UnavailableError:
    return UnavailableError("the service is stopping")


def _fail(waiting: _Waiting, error: Exception) -> None:
    if not waiting.done.done():
        waiting.done.set_exception(error)
