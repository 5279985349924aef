"""Between the messages of TrainingJobService and the domain, with every field checked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from google.protobuf.duration_pb2 import Duration
from google.rpc import status_pb2
from grpc import StatusCode

from voicemesh.trainer.v1 import training_job_service_pb2 as pb
from voicemesh_trainer.domain.jobs import (
    BackendName,
    Job,
    JobError,
    JobState,
    LogEntry,
    Progress,
    TrainingRun,
    TrainingSettings,
)
from voicemesh_trainer.ports.jobs import NewJob
from voicemesh_trainer.rpc.checks import (
    check_count,
    check_number,
    check_printable,
    check_tenant,
    check_text,
)
from voicemesh_trainer.rpc.teaching import timestamp_of

if TYPE_CHECKING:
    from voicemesh_trainer.training.jobs import JobEvent

__all__ = ("event_message", "job_message", "line_message", "new_job_from")

_MAX_REQUEST_ID = 64
_MAX_DESCRIPTION = 200
_MAX_ID = 64
_MAX_MODEL = 256

_BACKENDS = {
    pb.TRAINING_BACKEND_UNSPECIFIED: None,
    pb.TRAINING_BACKEND_LOCAL: BackendName.LOCAL,
    pb.TRAINING_BACKEND_OPENAI: BackendName.OPENAI,
}
_BACKEND_NUMBERS = {name: number for number, name in _BACKENDS.items() if name is not None}
_STATES = {
    JobState.QUEUED: pb.TRAINING_JOB_STATE_QUEUED,
    JobState.VALIDATING: pb.TRAINING_JOB_STATE_VALIDATING,
    JobState.RUNNING: pb.TRAINING_JOB_STATE_RUNNING,
    JobState.SUCCEEDED: pb.TRAINING_JOB_STATE_SUCCEEDED,
    JobState.FAILED: pb.TRAINING_JOB_STATE_FAILED,
    JobState.CANCELLED: pb.TRAINING_JOB_STATE_CANCELLED,
}
_CODES = {code.name: code.value[0] for code in StatusCode}
# Field of TrainingSettings, and its bounds; both are whole numbers.
_COUNTS = {
    "epoch_count": (1, 100),
    "batch_size": (1, 256),
    "lora_rank": (1, 256),
    "max_example_tokens": (32, 8192),
    "paraphrase_count": (0, 16),
}
# As _COUNTS, but above 0.
_NUMBERS = {"learning_rate": 1.0, "preference_strength": 10.0}


def new_job_from(request: pb.CreateTrainingJobRequest) -> NewJob:
    """The job that a request asks for.

    Raises:
        InvalidArgumentError: names the first field that cannot be used.
    """
    if request.backend not in _BACKENDS:
        check_count(request.backend, "backend", 0, max(_BACKENDS))
    return NewJob(
        tenant=check_tenant(request.tenant),
        request_id=check_printable(request.request_id, "request_id", _MAX_REQUEST_ID),
        # PostgreSQL knows no NUL.
        description=check_text(request.description, "description", _MAX_DESCRIPTION).replace(
            "\x00", ""
        ),
        dataset_id=check_printable(request.dataset_id, "dataset_id", _MAX_ID),
        backend=_BACKENDS[request.backend],
        base_model=check_printable(request.base_model, "base_model", _MAX_MODEL),
        settings=_settings_from(request.settings),
    )


def _settings_from(settings: pb.TrainingSettings) -> TrainingSettings:
    counts = {
        name: check_count(getattr(settings, name), f"settings.{name}", least, most)
        for name, (least, most) in _COUNTS.items()
        if settings.HasField(name)  # type: ignore[arg-type]
    }
    numbers = {
        name: check_number(getattr(settings, name), f"settings.{name}", 0, most, above_least=True)
        for name, most in _NUMBERS.items()
        if settings.HasField(name)  # type: ignore[arg-type]
    }
    seed = settings.seed if settings.HasField("seed") else None
    return TrainingSettings(**counts, **numbers, seed=seed)  # type: ignore[arg-type]


def job_message(job: Job) -> pb.TrainingJob:
    """A job as callers see it."""
    message = pb.TrainingJob(
        job_id=job.job_id,
        tenant=job.tenant,
        description=job.description,
        dataset_id=job.dataset_id,
        backend=_BACKEND_NUMBERS[job.backend],
        base_model=job.base_model,
        settings=_settings_message(job.settings),
        state=_STATES[job.state],
        progress=_progress_message(job.progress),
        error=None if job.error is None else _error_message(job.error),
        result_model=job.result_model or "",
        create_time=timestamp_of(job.create_time),
        start_time=None if job.start_time is None else timestamp_of(job.start_time),
        end_time=None if job.end_time is None else timestamp_of(job.end_time),
        attempt_count=job.attempts,
    )
    if job.run.data_sha256:
        message.run.CopyFrom(_run_message(job.run))
    return message


def event_message(event: JobEvent) -> pb.WatchTrainingJobResponse:
    """The message that tells of an event of a job."""
    match event:
        case Job():
            return pb.WatchTrainingJobResponse(job=job_message(event))
        case Progress():
            return pb.WatchTrainingJobResponse(progress=_progress_message(event))
        case LogEntry():
            return pb.WatchTrainingJobResponse(log=line_message(event))


def line_message(line: LogEntry) -> pb.TrainingLogLine:
    """A line of a job's log."""
    return pb.TrainingLogLine(log_time=timestamp_of(line.time), text=line.text)


def _settings_message(settings: TrainingSettings) -> pb.TrainingSettings:
    return pb.TrainingSettings(
        epoch_count=settings.epoch_count,
        learning_rate=settings.learning_rate,
        batch_size=settings.batch_size,
        lora_rank=settings.lora_rank,
        seed=settings.seed,
        max_example_tokens=settings.max_example_tokens,
        paraphrase_count=settings.paraphrase_count,
        preference_strength=settings.preference_strength,
    )


def _progress_message(progress: Progress) -> pb.TrainingProgress:
    message = pb.TrainingProgress(
        step=progress.step,
        step_count=progress.step_count,
        loss=progress.loss,
        learning_rate=progress.learning_rate,
        tokens_per_second=progress.tokens_per_second,
    )
    if progress.remaining_s is not None:
        remaining = Duration()
        remaining.FromNanoseconds(round(progress.remaining_s * 1e9))
        message.remaining_duration.CopyFrom(remaining)
    return message


def _error_message(error: JobError) -> status_pb2.Status:
    unknown: int = StatusCode.UNKNOWN.value[0]
    message = f"{error.message} ({error.reason})"
    return status_pb2.Status(code=_CODES.get(error.code, unknown), message=message)


def _run_message(run: TrainingRun) -> pb.TrainingRun:
    return pb.TrainingRun(
        data_sha256=run.data_sha256,
        positive_example_count=run.positive_example_count,
        preference_pair_count=run.preference_pair_count,
        avoided_example_count=run.avoided_example_count,
        settings=_settings_message(run.settings),
        versions=run.versions,
        metrics=run.metrics,
        provider_job_id=run.provider_job_id,
    )
