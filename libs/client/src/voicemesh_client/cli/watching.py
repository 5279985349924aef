"""A training job as it is followed on a terminal, and as it is described."""

from __future__ import annotations

import asyncio
from contextlib import aclosing, nullcontext
from dataclasses import asdict
from typing import TYPE_CHECKING

import typer
from rich.console import Console

from voicemesh_client.cli.asking import time_of
from voicemesh_client.cli.failures import complain
from voicemesh_client.cli.texts import put
from voicemesh_client.training import TrainingJob, TrainingJobState, TrainingProgress
from voicemesh_client.training_jobs import TrainingJobs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from voicemesh_client.connection import Connection
    from voicemesh_client.training import TrainingSettings

__all__ = ("exit_as", "followed", "lines_about")

_INTERRUPTED = 130
_FAILED = 1


def followed(job_id: str, tenant: str, service: Connection) -> TrainingJob | None:
    """Prints what happens to a job until its end; returns it as it is then.

    Raises:
        ServiceError: as the service answers.
        typer.Exit: if the person at the terminal has seen enough.
    """
    try:
        return asyncio.run(_followed(job_id, tenant, service))
    except KeyboardInterrupt:
        put(f"the job goes on: voicemesh jobs watch {job_id}", err=True)
        raise typer.Exit(_INTERRUPTED) from None


async def _followed(job_id: str, tenant: str, service: Connection) -> TrainingJob | None:
    job: TrainingJob | None = None
    console = Console(stderr=True)
    line = console.status("waiting") if console.is_terminal else nullcontext()
    async with TrainingJobs(service) as jobs:
        with line as status:
            async with aclosing(jobs.watch(job_id, tenant=tenant)) as events:
                async for event in events:
                    match event:
                        case TrainingJob():
                            job = event
                            put(f"{event.state}")
                            if status is not None:
                                status.update(str(event.state))
                        case TrainingProgress():
                            if status is not None:
                                status.update(_progress(event))
                        case _:
                            put(f"{time_of(event.time)} {event.text}")
    return job


def exit_as(job: TrainingJob | None) -> None:
    """Tells how a job ended; exits with status 1 unless it succeeded."""
    if job is None or job.state is not TrainingJobState.SUCCEEDED:
        complain(_why(job))
        raise typer.Exit(_FAILED)
    put(f"model: {job.result_model}")


def lines_about(job: TrainingJob) -> Iterator[str]:
    """A job in lines for people."""
    yield f"{job.id} {job.state}" + (f": {job.description}" if job.description else "")
    if job.error is not None:
        yield f"error:    {job.error.message}"
    yield f"dataset:  {job.dataset_id}"
    yield f"base:     {job.base_model} ({job.backend})"
    if job.result_model:
        yield f"model:    {job.result_model}"
    yield f"progress: {_progress(job.progress)}"
    yield f"made:     {time_of(job.create_time)}"
    for name, time in (("started", job.start_time), ("ended", job.end_time)):
        if time is not None:
            yield f"{name + ':':9} {time_of(time)}"
    if job.attempt_count > 1:
        yield f"attempts: {job.attempt_count}"
    run = job.run
    if run is None:
        yield f"settings: {_settings(job.settings)}"
        return
    yield f"settings: {_settings(run.settings)}"
    yield (
        f"data:     {run.positive_example_count} examples, {run.preference_pair_count} pairs, "
        f"{run.avoided_example_count} to be avoided, sha256 {run.data_sha256}"
    )
    if run.versions:
        yield "versions: " + ", ".join(f"{name} {of}" for name, of in sorted(run.versions.items()))
    if run.metrics:
        yield "figures:  " + ", ".join(
            f"{name} {_number(of)}" for name, of in sorted(run.metrics.items())
        )
    if run.provider_job_id:
        yield f"provider: {run.provider_job_id}"


def _settings(settings: TrainingSettings) -> str:
    given = {name: value for name, value in asdict(settings).items() if value is not None}
    return ", ".join(f"{name} {_number(value)}" for name, value in given.items()) or "the defaults"


def _number(number: float) -> str:
    # A seed has up to 19 digits, all of which are needed to repeat a run.
    return f"{number:d}" if isinstance(number, int) else f"{number:g}"


def _progress(progress: TrainingProgress) -> str:
    if not progress.step:
        return "no step yet"
    said = f"step {progress.step} of {progress.step_count or '?'}, loss {progress.loss:.3f}"
    if progress.tokens_per_second:
        said += f", {progress.tokens_per_second:.0f} tokens/s"
    if progress.remaining_s is not None:
        said += f", {progress.remaining_s:.0f} s left"
    return said


def _why(job: TrainingJob | None) -> str:
    if job is None:
        return "the service told nothing of the job"
    if job.error is not None:
        return job.error.message
    return f"the job is {job.state}"
