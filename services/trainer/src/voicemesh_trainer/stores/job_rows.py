"""Training jobs as rows, and back."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from voicemesh_trainer.domain.jobs import (
    BackendName,
    Job,
    JobError,
    JobState,
    Progress,
    TrainingRun,
    TrainingSettings,
)

if TYPE_CHECKING:
    from sqlalchemy import Row

__all__ = ("changing_values", "job_from", "new_values")


def new_values(job: Job) -> dict[str, Any]:
    """All columns of a job."""
    return {
        "job_id": job.job_id,
        "tenant": job.tenant,
        "description": job.description,
        "dataset_id": job.dataset_id,
        "backend": job.backend.value,
        "base_model": job.base_model,
        "settings": asdict(job.settings),
        "create_time": job.create_time,
        "version": job.version,
        **changing_values(job),
    }


def changing_values(job: Job) -> dict[str, Any]:
    """The columns that change in a job's life, without its version."""
    return {
        "state": job.state.value,
        "progress": asdict(job.progress),
        "run": asdict(job.run),
        "error": None if job.error is None else asdict(job.error),
        "result_model": job.result_model,
        "curve_file": job.curve_file,
        "attempts": job.attempts,
        "worker_id": job.worker_id,
        "lease_until": job.lease_until,
        "start_time": job.start_time,
        "end_time": job.end_time,
    }


def job_from(row: Row[Any]) -> Job:
    """The job that a row holds."""
    return Job(
        job_id=row.job_id,
        tenant=row.tenant,
        description=row.description,
        dataset_id=row.dataset_id,
        backend=BackendName(row.backend),
        base_model=row.base_model,
        settings=TrainingSettings(**row.settings),
        state=JobState(row.state),
        progress=Progress(**row.progress),
        run=_run(row.run),
        create_time=row.create_time,
        start_time=row.start_time,
        end_time=row.end_time,
        error=None if row.error is None else JobError(**row.error),
        result_model=row.result_model,
        curve_file=row.curve_file,
        attempts=row.attempts,
        worker_id=row.worker_id,
        lease_until=row.lease_until,
        version=row.version,
    )


def _run(stored: dict[str, Any]) -> TrainingRun:
    return TrainingRun(
        **{
            **stored,
            "settings": TrainingSettings(**stored["settings"]),
            "provider_files": tuple(stored["provider_files"]),
            "losses": tuple((step, loss) for step, loss in stored["losses"]),
        }
    )
