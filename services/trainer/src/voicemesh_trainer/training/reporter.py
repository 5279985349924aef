"""Writes down what a backend reports of a run."""

from __future__ import annotations

import asyncio
import math
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from voicemesh_chassis.errors import ServiceError
from voicemesh_trainer.domain.jobs import Job, Progress
from voicemesh_trainer.ports.training import CheckpointSaved, Facts, LogLine, TrainingEvent
from voicemesh_trainer.training.losses import with_loss

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from voicemesh_trainer.ports.jobs import JobFiles
    from voicemesh_trainer.training.ledger import Ledger
    from voicemesh_trainer.training.metrics import JobMetrics

__all__ = ("Reporter", "file_pieces")

_PIECE_BYTES = 1024 * 1024
_LONGEST_LINE = 500
_MOST_WAITING_LINES = 200


class Reporter:
    """Takes the events of one attempt.

    Checkpoints and facts are written at once; progress and lines wait for `flush`, which the worker
    calls every second or so: a step may take a millisecond, a durable write takes several.
    """

    def __init__(self, ledger: Ledger, files: JobFiles, metrics: JobMetrics) -> None:
        self._ledger = ledger
        self._files = files
        self._metrics = metrics
        self._progress: Progress | None = None
        self._losses = ledger.job.run.losses
        self._lines: list[str] = []

    async def report(self, event: TrainingEvent) -> None:
        """See `TrainingBackend.run`."""
        match event:
            case Progress():
                self._progress = _sound(event)
                self._losses = with_loss(self._losses, event.step, event.loss)
                self._metrics.went_on(self._ledger.job, event)
            case LogLine():
                self.say(event.text)
            case CheckpointSaved():
                await self._keep(event)
            case Facts():
                await self._write(lambda job: _with_facts(job, event))

    def say(self, text: str) -> None:
        """Puts a line into the job's log with the next flush."""
        line = " ".join(text.split())[:_LONGEST_LINE]
        if line:
            # The newest are dropped if the database is gone for long: the first tell the cause.
            self._lines = [*self._lines, line][:_MOST_WAITING_LINES]

    async def flush(self) -> None:
        """Writes what waits, if the database can be reached.

        Raises:
            JobLostError: if the job is no longer this worker's.
        """
        if self._progress is None and not self._lines:
            return
        try:
            await self._write(lambda job: job)
        except ServiceError as error:
            if not error.retryable:
                raise

    def pending(self, job: Job) -> Job:
        """The job with what waits, for a write that someone else makes."""
        if self._progress is None:
            return job
        return replace(job, progress=self._progress, run=replace(job.run, losses=self._losses))

    def taken_lines(self) -> list[str]:
        """The lines that wait; they are the caller's to write."""
        lines, self._lines = self._lines, []
        return lines

    async def _write(self, transition: Callable[[Job], Job]) -> None:
        progress, lines = self._progress, self.taken_lines()
        try:
            await self._ledger.change(lambda job: transition(self.pending(job)), lines)
        except ServiceError:
            self._lines = [*lines, *self._lines][:_MOST_WAITING_LINES]
            raise
        if self._progress is progress:
            self._progress = None

    async def _keep(self, saved: CheckpointSaved) -> None:
        job = self._ledger.job
        before = job.run.checkpoint_file
        # A name of its own for every attempt: one that was given up may still write.
        prefix = f"checkpoints/{job.job_id}-{job.attempts}-{saved.step}"
        stored = await self._files.write(prefix, file_pieces(saved.path))

        def transition(known: Job) -> Job:
            run = replace(
                known.run,
                checkpoint_file=stored.name,
                checkpoint_step=saved.step,
                setbacks=0,
            )
            return replace(known, run=run)

        self.say(f"saved a checkpoint at step {saved.step}")
        await self._write(transition)
        if before and before != stored.name:
            # Of no use to anybody now; if it stays, `stores.upkeep` deletes it.
            with suppress(ServiceError):
                await self._files.delete(before)


async def file_pieces(path: Path) -> AsyncIterator[bytes]:
    """The content of a file in pieces, read beside the event loop."""
    file = await asyncio.to_thread(path.open, "rb")
    try:
        while piece := await asyncio.to_thread(file.read, _PIECE_BYTES):
            yield piece
    finally:
        file.close()


def _with_facts(job: Job, facts: Facts) -> Job:
    finite = {name: value for name, value in facts.metrics.items() if math.isfinite(value)}
    run = replace(
        job.run,
        versions={**job.run.versions, **facts.versions},
        metrics={**job.run.metrics, **finite},
    )
    if facts.provider_job_id is not None:
        run = replace(run, provider_job_id=facts.provider_job_id)
    if facts.provider_files is not None:
        run = replace(run, provider_files=facts.provider_files)
    return replace(job, run=run)


def _sound(progress: Progress) -> Progress:
    """The progress with numbers that JSON has."""

    def finite(value: float) -> float:
        return value if math.isfinite(value) else 0.0

    remaining_s = progress.remaining_s
    return replace(
        progress,
        loss=finite(progress.loss),
        learning_rate=finite(progress.learning_rate),
        tokens_per_second=finite(progress.tokens_per_second),
        remaining_s=None if remaining_s is None else max(0.0, finite(remaining_s)),
    )
