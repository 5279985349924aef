"""Training jobs and what happens to them."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

import grpc

from voicemesh.trainer.v1 import training_job_service_pb2 as pb
from voicemesh_client.errors import Code
from voicemesh_client.training import (
    JobError,
    NewTrainingJob,
    TrainingBackend,
    TrainingEvent,
    TrainingJob,
    TrainingJobState,
    TrainingLogLine,
    TrainingProgress,
    TrainingRun,
    TrainingSettings,
)
from voicemesh_client.wire.audio import seconds_from_duration
from voicemesh_client.wire.times import time_from_wire

if TYPE_CHECKING:
    from google.rpc.status_pb2 import Status

__all__ = ("event_from_wire", "job_from_wire", "line_from_wire", "new_job_to_wire")

_BACKENDS = {
    TrainingBackend.DEFAULT: pb.TRAINING_BACKEND_UNSPECIFIED,
    TrainingBackend.LOCAL: pb.TRAINING_BACKEND_LOCAL,
    TrainingBackend.OPENAI: pb.TRAINING_BACKEND_OPENAI,
}
_BACKENDS_FROM_WIRE: dict[int, TrainingBackend] = {wire: each for each, wire in _BACKENDS.items()}
_STATES: dict[int, TrainingJobState] = {
    pb.TRAINING_JOB_STATE_QUEUED: TrainingJobState.QUEUED,
    pb.TRAINING_JOB_STATE_VALIDATING: TrainingJobState.VALIDATING,
    pb.TRAINING_JOB_STATE_RUNNING: TrainingJobState.RUNNING,
    pb.TRAINING_JOB_STATE_SUCCEEDED: TrainingJobState.SUCCEEDED,
    pb.TRAINING_JOB_STATE_FAILED: TrainingJobState.FAILED,
    pb.TRAINING_JOB_STATE_CANCELLED: TrainingJobState.CANCELLED,
}
_CODES: dict[int, Code] = {
    status.value[0]: Code(status.name)
    for status in grpc.StatusCode
    if status is not grpc.StatusCode.OK
}
_SETTINGS = (
    "epoch_count",
    "learning_rate",
    "batch_size",
    "lora_rank",
    "seed",
    "max_example_tokens",
    "paraphrase_count",
    "preference_strength",
)


def new_job_to_wire(job: NewTrainingJob, tenant: str) -> pb.CreateTrainingJobRequest:
    """A job that is wanted."""
    settings = job.settings
    return pb.CreateTrainingJobRequest(
        tenant=tenant,
        request_id=job.request_id,
        description=job.description,
        dataset_id=job.dataset_id,
        backend=_BACKENDS[job.backend],
        base_model=job.base_model,
        settings=pb.TrainingSettings(
            epoch_count=settings.epoch_count,
            learning_rate=settings.learning_rate,
            batch_size=settings.batch_size,
            lora_rank=settings.lora_rank,
            seed=settings.seed,
            max_example_tokens=settings.max_example_tokens,
            paraphrase_count=settings.paraphrase_count,
            preference_strength=settings.preference_strength,
        ),
    )


def job_from_wire(message: pb.TrainingJob) -> TrainingJob:
    """One run of training."""
    return TrainingJob(
        id=message.job_id,
        tenant=message.tenant,
        description=message.description,
        dataset_id=message.dataset_id,
        backend=_BACKENDS_FROM_WIRE.get(message.backend, TrainingBackend.DEFAULT),
        base_model=message.base_model,
        settings=_settings_from_wire(message.settings),
        state=_STATES.get(message.state, TrainingJobState.UNKNOWN),
        progress=_progress_from_wire(message.progress),
        error=_error_from_wire(message.error) if message.HasField("error") else None,
        result_model=message.result_model,
        create_time=time_from_wire(message, "create_time"),
        start_time=time_from_wire(message, "start_time"),
        end_time=time_from_wire(message, "end_time"),
        run=_run_from_wire(message.run) if message.HasField("run") else None,
        attempt_count=message.attempt_count,
    )


def event_from_wire(message: pb.WatchTrainingJobResponse) -> TrainingEvent | None:
    """The event of a message; None if a newer server sends a kind this client does not know."""
    match message.WhichOneof("event"):
        case "job":
            return job_from_wire(message.job)
        case "progress":
            return _progress_from_wire(message.progress)
        case "log":
            return line_from_wire(message.log)
        case _:
            return None


def line_from_wire(message: pb.TrainingLogLine) -> TrainingLogLine:
    """A line of a job's log."""
    return TrainingLogLine(time_from_wire(message, "log_time"), message.text)


def _progress_from_wire(message: pb.TrainingProgress) -> TrainingProgress:
    is_known = message.HasField("remaining_duration")
    return TrainingProgress(
        step=message.step,
        step_count=message.step_count,
        loss=message.loss,
        learning_rate=message.learning_rate,
        tokens_per_second=message.tokens_per_second,
        remaining_s=seconds_from_duration(message.remaining_duration) if is_known else None,
    )


def _settings_from_wire(message: pb.TrainingSettings) -> TrainingSettings:
    given = {name for name in _SETTINGS if message.HasField(name)}  # type: ignore[arg-type]
    return TrainingSettings(**{name: getattr(message, name) for name in given})


def _error_from_wire(message: Status) -> JobError:
    return JobError(_CODES.get(message.code, Code.UNKNOWN), message.message)


def _run_from_wire(message: pb.TrainingRun) -> TrainingRun:
    return TrainingRun(
        data_sha256=message.data_sha256,
        positive_example_count=message.positive_example_count,
        preference_pair_count=message.preference_pair_count,
        avoided_example_count=message.avoided_example_count,
        settings=_settings_from_wire(message.settings),
        versions=MappingProxyType(dict(message.versions)),
        metrics=MappingProxyType(dict(message.metrics)),
        provider_job_id=message.provider_job_id,
    )
