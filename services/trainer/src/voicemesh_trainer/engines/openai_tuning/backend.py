"""A `TrainingBackend` that lets OpenAI train.

The provider knows a job by its metadata, which names the job here and its stage, and a file by its
name. So whoever goes on with a job finds what was begun, also if the answer that told of it was
lost, and nothing is made twice.
"""

from __future__ import annotations

import asyncio
import importlib.metadata
import time
from typing import TYPE_CHECKING, Any

from voicemesh_trainer.domain.jobs import BackendName, Progress, TrainingSettings
from voicemesh_trainer.engines.openai_tuning.records import Plan, Stage, planned
from voicemesh_trainer.errors import ProviderRefusedError, TrainingFailedError
from voicemesh_trainer.ports.training import (
    Facts,
    LogLine,
    Paused,
    TrainedModel,
    TrainingEvent,
    TrainingTask,
    ValidationReport,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from voicemesh_trainer.domain.jobs import Job
    from voicemesh_trainer.engines.openai_tuning.client import (
        ProviderEvent,
        ProviderJob,
        TuningClient,
    )

__all__ = ("OpenAITuning",)

_LONGEST_WORDS = 300


class OpenAITuning:
    """Fine-tuning by OpenAI, or by an endpoint with the same API.

    Args:
        client: asks the provider; closed with this.
    """

    def __init__(self, client: TuningClient) -> None:
        self._client = client

    @property
    def name(self) -> BackendName:
        """See `TrainingBackend.name`."""
        return BackendName.OPENAI

    async def validate(self, task: TrainingTask) -> ValidationReport:
        """See `TrainingBackend.validate`; asks nothing of the provider."""
        plan = await asyncio.to_thread(planned, task.data, task.job.settings)
        asked = task.job.settings
        # Defaults are the provider's own, and it does not tell them beforehand.
        settings = TrainingSettings(
            epoch_count=asked.epoch_count,
            batch_size=asked.batch_size,
            seed=asked.seed,
            preference_strength=asked.preference_strength,
        )
        return ValidationReport(settings, plan.warnings)

    async def run(
        self, task: TrainingTask, report: Callable[[TrainingEvent], Awaitable[None]]
    ) -> TrainedModel | Paused:
        """See `TrainingBackend.run`; checkpoints are at the provider, which goes on by itself."""
        plan = await asyncio.to_thread(planned, task.data, task.job.settings)
        await report(Facts(versions={"openai": importlib.metadata.version("openai")}))
        began = time.monotonic()
        model, tokens = task.base.provider_model, 0
        for stage in plan.stages:
            begun = await self._begin(task, stage, model, report)
            ended = await self._follow(task, begun, report)
            if ended is None:
                return Paused()
            model = _result(ended)
            tokens += ended.trained_tokens or 0
        seconds = time.monotonic() - began
        await report(Facts(metrics=_figures(plan, tokens, seconds)))
        return TrainedModel(provider_model=model)

    async def discard(self, job: Job) -> None:
        """See `TrainingBackend.discard`."""
        for found in await self._client.jobs({"voicemesh_job": job.job_id}):
            if not found.ended:
                await self._cancel(found)
        named = await self._client.files(_file_prefix(job))
        for file_id in {*job.run.provider_files, *(file.id for file in named)}:
            await self._client.delete_file(file_id)

    async def aclose(self) -> None:
        """See `TrainingBackend.aclose`."""
        await self._client.aclose()

    async def _begin(
        self,
        task: TrainingTask,
        stage: Stage,
        model: str,
        report: Callable[[TrainingEvent], Awaitable[None]],
    ) -> ProviderJob:
        """The provider's job for a stage: the one that is there, or a new one."""
        metadata = {"voicemesh_job": task.job.job_id, "voicemesh_stage": stage.method}
        known = [job for job in await self._client.jobs(metadata) if job.status != "cancelled"]
        if known:
            # The same choice for everyone, should there be two after all.
            first, *others = sorted(known, key=lambda job: (job.created_at, job.id))
            for other in others:
                if not other.ended:
                    await self._cancel(other)
            await report(Facts(provider_job_id=first.id))
            return first
        # The data may have changed since an earlier attempt uploaded its file.
        name = f"{_file_prefix(task.job)}-{stage.method}-{task.data.sha256[:12]}.jsonl"
        file = await self._client.upload(name, stage.records)
        files = dict.fromkeys((*task.job.run.provider_files, file.id))
        await report(Facts(provider_files=tuple(files)))
        await report(LogLine(f"uploaded {stage.record_count} records for {stage.method} training"))
        request = _request(task, stage, model, file.id)

        async def fence() -> None:
            # Raises if the job is no longer ours: another worker may have made one.
            await report(Facts())

        job = await self._client.create_job(request, metadata, fence)
        await report(Facts(provider_job_id=job.id))
        await report(LogLine(f"the provider has the job for {stage.method} training"))
        return job

    async def _cancel(self, job: ProviderJob) -> None:
        try:
            await self._client.cancel_job(job.id)
        except ProviderRefusedError:
            # It may have ended meanwhile.
            if not (await self._client.job(job.id)).ended:
                raise

    async def _follow(
        self,
        task: TrainingTask,
        job: ProviderJob,
        report: Callable[[TrainingEvent], Awaitable[None]],
    ) -> ProviderJob | None:
        """Tells what happens at the provider until the job ends; None if this worker ends first."""
        options = self._client.options
        # What an earlier attempt has told of is not told again, but for its figures.
        telling = task.job.run.provider_job_id != job.id
        known: set[str] = set()
        checkpoints = 0
        wait_s = options.poll_s
        while True:
            job = await self._client.job(job.id)
            events = await self._client.events(job.id, known)
            for event in events:
                known.add(event.id)
                await self._tell(event, report, say=telling)
            telling = True
            steps = await self._client.checkpoint_steps(job.id) if events else []
            for step in steps[checkpoints:]:
                await report(LogLine(f"the provider keeps a checkpoint of step {step}"))
            checkpoints = max(checkpoints, len(steps))
            if job.ended:
                return job
            wait_s = options.poll_s if events else min(2 * wait_s, options.longest_poll_s)
            if await _paused(task.pause, wait_s):
                return None

    async def _tell(
        self,
        event: ProviderEvent,
        report: Callable[[TrainingEvent], Awaitable[None]],
        *,
        say: bool,
    ) -> None:
        step = event.metrics.get("step")
        if step is not None:
            progress = Progress(
                step=int(step),
                step_count=int(event.metrics.get("total_steps", 0)),
                loss=event.metrics.get("train_loss", 0.0),
            )
            await report(progress)
        elif say:
            await report(LogLine(f"provider: {event.message[:_LONGEST_WORDS]}"))


async def _paused(pause: asyncio.Event, wait_s: float) -> bool:
    """Waits; returns at once, and True, when the worker is to end."""
    try:
        async with asyncio.timeout(wait_s):
            await pause.wait()
    except TimeoutError:
        return False
    return True


def _request(task: TrainingTask, stage: Stage, model: str, file_id: str) -> dict[str, Any]:
    settings = task.job.settings
    hyperparameters: dict[str, Any] = {
        "n_epochs": settings.epoch_count,
        "batch_size": settings.batch_size,
    }
    if stage.method == "dpo":
        hyperparameters["beta"] = settings.preference_strength
    given = {name: value for name, value in hyperparameters.items() if value is not None}
    request: dict[str, Any] = {
        "model": model,
        "training_file": file_id,
        "suffix": f"vm-{task.job.job_id.lower()}",
        "method": {"type": stage.method, stage.method: {"hyperparameters": given}},
    }
    if settings.seed is not None:
        request["seed"] = settings.seed
    return request


def _result(job: ProviderJob) -> str:
    if job.status == "failed":
        why = f": {job.error[:_LONGEST_WORDS]}" if job.error else ""
        msg = f"fine-tuning failed at the provider{why}"
        raise TrainingFailedError(msg)
    if job.model is None:
        msg = "fine-tuning was cancelled at the provider"
        raise TrainingFailedError(msg)
    return job.model


def _figures(plan: Plan, tokens: int, seconds: float) -> dict[str, float]:
    records = sum(stage.record_count for stage in plan.stages)
    return {"tokens": tokens, "seconds": seconds, "records": records}


def _file_prefix(job: Job) -> str:
    return f"voicemesh-{job.job_id}"
