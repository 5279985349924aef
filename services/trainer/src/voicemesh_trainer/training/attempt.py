"""One attempt at a job: from its data to its model, or to why there is none."""

from __future__ import annotations

import asyncio
import shutil
import uuid
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from voicemesh_chassis.errors import ServiceError
from voicemesh_chassis.logs import get_logger
from voicemesh_trainer.domain.jobs import JobError
from voicemesh_trainer.domain.models import NewModel
from voicemesh_trainer.errors import TrainingDataError, TrainingFailedError
from voicemesh_trainer.ports.jobs import JobLostError
from voicemesh_trainer.ports.training import Checkpoint, Paused, TrainedModel, TrainingTask
from voicemesh_trainer.registry.names import tuned_name
from voicemesh_trainer.training import states
from voicemesh_trainer.training.assembly import assembled
from voicemesh_trainer.training.losses import curve_png
from voicemesh_trainer.training.reporter import Reporter, file_pieces

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from voicemesh_trainer.domain.jobs import Job
    from voicemesh_trainer.domain.training_data import TrainingData
    from voicemesh_trainer.ports.jobs import BaseModels, JobFiles, TrainingSources
    from voicemesh_trainer.ports.training import BaseModel, TrainingBackend
    from voicemesh_trainer.training.ledger import Ledger
    from voicemesh_trainer.training.metrics import JobMetrics
    from voicemesh_trainer.training.states import Patience

__all__ = ("Attempt", "AttemptLimits", "Workshop")

_logger = get_logger(__name__)


@dataclass(frozen=True)
class AttemptLimits:
    """Bounds of every attempt."""

    most_examples: int
    """Examples that a job may train on."""
    tick_s: float
    """How often progress is written, and the job looked at, in seconds."""
    patience: Patience
    """Leases and repeated tries."""


@dataclass(frozen=True)
class Workshop:
    """What all attempts of a worker use."""

    sources: TrainingSources
    """Where data come from."""
    bases: BaseModels
    """What is trained from."""
    files: JobFiles
    """Where checkpoints and adapters go."""
    metrics: JobMetrics
    """What is measured."""
    directory: Path
    """Where attempts have their directories."""
    limits: AttemptLimits
    """Bounds."""
    now: Callable[[], float]
    """The time, in seconds since 1970."""


class Attempt:
    """One attempt at a job that this worker has claimed.

    Args:
        ledger: the job.
        backend: what trains.
        workshop: what all attempts use.
        pause: set when the worker is to end.
    """

    def __init__(
        self, ledger: Ledger, backend: TrainingBackend, workshop: Workshop, pause: asyncio.Event
    ) -> None:
        self._ledger = ledger
        self._backend = backend
        self._workshop = workshop
        self._pause = pause
        self._reporter = Reporter(ledger, workshop.files, workshop.metrics)

    async def run(self) -> None:
        """Sees the attempt through; whatever happens to the job is written down.

        Cancelling it gives the job back, if it still is this worker's.

        Raises:
            JobLostError: if it is not: it was cancelled, or another worker has it.
            ServiceError: if the database could not be reached, or was full, for too long.
        """
        workshop, job = self._workshop, self._ledger.job
        workshop.metrics.began(job)
        directory = workshop.directory / f"{job.job_id}-{job.attempts}"
        beating = asyncio.create_task(self._beat())
        working = asyncio.create_task(self._work(directory))
        try:
            await asyncio.wait({beating, working}, return_when=asyncio.FIRST_COMPLETED)
            if working.done():
                await self._conclude(working)
            else:
                await beating  # raises why
        except asyncio.CancelledError:  # the worker ends
            await _ended(working)
            await self._give_back()
            raise
        finally:
            for task in (working, beating):
                await _ended(task)
            await asyncio.to_thread(shutil.rmtree, directory, ignore_errors=True)

    async def _beat(self) -> None:
        """Keeps the lease, writes what waits, and looks whether the job is still ours."""
        limits = self._workshop.limits
        loop = asyncio.get_running_loop()
        lease_s = limits.patience.lease_s
        renewed = loop.time()
        while True:
            await asyncio.sleep(limits.tick_s)
            await self._reporter.flush()
            if loop.time() - renewed >= lease_s / 3:
                await self._ledger.renew(lease_s)
                renewed = loop.time()
            else:
                await self._ledger.check()

    async def _conclude(self, working: asyncio.Task[None]) -> None:
        """Writes how the work failed, if it did."""
        patience, now = self._workshop.limits.patience, self._workshop.now
        error = asyncio.CancelledError() if working.cancelled() else working.exception()
        if error is None:
            return
        if isinstance(error, JobLostError):
            raise error
        if isinstance(error, ServiceError):
            told = JobError(error.code.value, error.reason, error.message)
            if error.retryable:
                await self._fail(
                    lambda job: states.set_back(
                        job, told, now(), patience, least_wait_s=error.retry_after_s or 0.0
                    ),
                    told,
                )
                return
        else:
            # The boundary of a job: a fault in it must not end the worker.
            error_id = uuid.uuid4().hex
            _logger.error("a training job failed by a fault", error_id=error_id, exc_info=error)
            kind = type(error).__name__
            told = JobError("INTERNAL", "INTERNAL", f"training failed ({kind}; id {error_id})")
        await self._fail(lambda job: states.failed(job, told, now()), told)

    async def _fail(self, transition: Callable[[Job], Job], error: JobError) -> None:
        self._reporter.say(f"this attempt failed: {error.message}")
        job = await self._write(transition)
        _logger.warning("a training attempt failed", job_id=job.job_id, reason=error.reason)
        self._workshop.metrics.set_back(job, error.reason)
        if job.state.ended:
            self._workshop.metrics.ended(job)

    async def _give_back(self) -> None:
        if self._ledger.job.state.ended:
            return
        self._reporter.say("the worker ends; another one goes on")
        job = await self._write(states.paused)
        self._workshop.metrics.set_back(job, "PAUSED")

    async def _write(self, transition: Callable[[Job], Job]) -> Job:
        return await self._ledger.change(
            lambda job: transition(self._reporter.pending(job)), self._reporter.taken_lines()
        )

    async def _work(self, directory: Path) -> None:
        job = self._ledger.job
        base = await self._workshop.bases.find(job.tenant, job.base_model, job.backend)
        data = await self._data(job)
        job = await self._note_data(data)
        await asyncio.to_thread(directory.mkdir, parents=True)
        resume = await self._checkpoint(job)
        task = TrainingTask(job, base, data, directory, self._pause, resume)
        verdict = await self._backend.validate(task)
        for warning in verdict.warnings:
            self._reporter.say(warning)
        if job.attempts > 1:
            at = f"from step {resume.step}" if resume else "from the beginning"
            self._reporter.say(f"attempt {job.attempts} goes on {at}")

        def begin(known: Job) -> Job:
            run = replace(known.run, settings=verdict.settings)
            return states.running(replace(known, run=run))

        job = await self._write(begin)
        outcome = await self._backend.run(replace(task, job=job), self._reporter.report)
        if isinstance(outcome, Paused):
            await self._give_back()
        else:
            await self._finish(outcome, base)

    async def _data(self, job: Job) -> TrainingData:
        sources, most = self._workshop.sources, self._workshop.limits.most_examples
        examples = await sources.examples(job.tenant, job.dataset_id, most + 1)
        if len(examples) > most:
            msg = f"the dataset has more than {most} examples; split it, or raise the limit"
            raise TrainingDataError(msg)
        corrections = await sources.corrections(job.tenant, most)
        data = await asyncio.to_thread(assembled, examples, corrections)
        if not data.examples:
            msg = "the dataset has no positive examples to train on"
            raise TrainingDataError(msg)
        return data

    async def _note_data(self, data: TrainingData) -> Job:
        """Writes what is trained on; a checkpoint made with other data is of no use."""

        def transition(job: Job) -> Job:
            run = job.run
            if run.data_sha256 == data.sha256 or run.provider_job_id:
                return job  # the provider's job has its data already
            run = replace(
                run,
                data_sha256=data.sha256,
                positive_example_count=len(data.examples),
                preference_pair_count=len(data.pairs),
                avoided_example_count=data.avoided_count,
                checkpoint_file="",
                checkpoint_step=0,
            )
            return replace(job, run=run)

        before = self._ledger.job.run
        job = await self._write(transition)
        if before.checkpoint_file and not job.run.checkpoint_file:
            self._reporter.say("the data changed since the last attempt; it begins anew")
            await self._workshop.files.delete(before.checkpoint_file)
        return job

    async def _checkpoint(self, job: Job) -> Checkpoint | None:
        if not job.run.checkpoint_file:
            return None
        path = await self._workshop.files.local_path(job.run.checkpoint_file)
        return Checkpoint(path, job.run.checkpoint_step)

    async def _finish(self, trained: TrainedModel, base: BaseModel) -> None:
        """Stores what came of it, then says so: the job and its model in one transaction."""
        files, job = self._workshop.files, self._reporter.pending(self._ledger.job)
        stored = None
        if trained.adapter is not None:
            prefix = f"adapters/{job.job_id}-{job.attempts}"
            stored = await files.write(prefix, file_pieces(trained.adapter))
        elif not trained.provider_model:
            msg = "training ended without a model"
            raise TrainingFailedError(msg)
        curve_file = None
        if job.run.losses:
            title = f"{job.base_model}, job {job.job_id}"
            picture = await asyncio.to_thread(curve_png, job.run.losses, title)
            curve_file = (await files.write(f"curves/{job.job_id}-{job.attempts}", picture)).name
        model = NewModel(
            tenant=job.tenant,
            name=tuned_name(base.root, job.job_id),
            backend=job.backend.value,
            base_model=base.root,
            job_id=job.job_id,
            adapter_file=None if stored is None else stored.name,
            adapter_sha256=None if stored is None else stored.sha256,
            provider_model=trained.provider_model or None,
            license=base.license,
        )

        def transition(known: Job) -> Job:
            done = states.succeeded(self._reporter.pending(known), self._workshop.now())
            run = replace(done.run, adapter_file=model.adapter_file or "")
            return replace(done, curve_file=curve_file, run=run)

        self._reporter.say("the model is registered")
        try:
            job = await self._ledger.succeed(transition, model, self._reporter.taken_lines())
        except JobLostError:
            for name in (model.adapter_file, curve_file):
                if name is not None:
                    await files.delete(name)
            raise
        self._workshop.metrics.ended(job)


async def _ended(task: asyncio.Task[None]) -> None:
    """Cancels a task and waits until it is over; what it raises has been told before."""
    task.cancel()
    with suppress(asyncio.CancelledError, Exception):
        await task
