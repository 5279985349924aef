"""What is measured of training jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

if TYPE_CHECKING:
    from collections.abc import Mapping

    from voicemesh_trainer.domain.jobs import Job, Progress

__all__ = ("JobMetrics",)

_WAIT_S = (0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0, 14_400.0)
_DURATION_S = (1.0, 10.0, 60.0, 300.0, 900.0, 3600.0, 14_400.0, 86_400.0)
_ATTEMPTS = (1, 2, 3, 5, 8, 13)


class JobMetrics:
    """The metrics of all training jobs that this process works on or watches over."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def histogram(name: str, about: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
            full = f"voicemesh_trainer_{name}"
            return Histogram(full, about, ("backend", *labels), buckets=buckets, registry=registry)

        self.jobs = Gauge(
            "voicemesh_trainer_jobs",
            "Training jobs of all tenants in the database, by state.",
            ("backend", "state"),
            registry=registry,
        )
        self.attempts = Counter(
            "voicemesh_trainer_job_attempts_total",
            "Times that this process began or went on with a job.",
            ("backend",),
            registry=registry,
        )
        self.setbacks = Counter(
            "voicemesh_trainer_job_setbacks_total",
            "Attempts of this process that did not come to an end, by why.",
            ("backend", "reason"),
            registry=registry,
        )
        self.wait = histogram("job_wait_seconds", "From the making of a job to its start.", _WAIT_S)
        self.duration = histogram(
            "job_duration_seconds", "From the start of a job to its end.", _DURATION_S, "state"
        )
        self.attempts_a_job = histogram(
            "attempts_per_job", "Attempts of a job that ended here.", _ATTEMPTS, "state"
        )
        self.speed = Gauge(
            "voicemesh_trainer_training_tokens_per_second",
            "Tokens that this process trains on a second, as last reported.",
            ("backend",),
            registry=registry,
        )
        self._known: set[tuple[str, str]] = set()

    def counted(self, by_state: Mapping[tuple[str, str], int]) -> None:
        """Takes how many jobs there are, by backend and state; the others are none."""
        for each in self._known - by_state.keys():
            self.jobs.labels(*each).set(0)
        for each, count in by_state.items():
            self.jobs.labels(*each).set(count)
        self._known |= by_state.keys()

    def began(self, job: Job) -> None:
        """An attempt begins."""
        self.attempts.labels(job.backend).inc()
        if job.attempts == 1 and job.start_time is not None:
            self.wait.labels(job.backend).observe(max(0.0, job.start_time - job.create_time))

    def went_on(self, job: Job, progress: Progress) -> None:
        """An attempt went on."""
        if progress.tokens_per_second > 0:
            self.speed.labels(job.backend).set(progress.tokens_per_second)

    def set_back(self, job: Job, reason: str) -> None:
        """An attempt ended without an end of the job."""
        self.setbacks.labels(job.backend, reason).inc()
        self.speed.labels(job.backend).set(0)

    def ended(self, job: Job) -> None:
        """A job ended here."""
        self.speed.labels(job.backend).set(0)
        self.attempts_a_job.labels(job.backend, job.state).observe(job.attempts)
        if job.start_time is not None and job.end_time is not None:
            duration_s = max(0.0, job.end_time - job.start_time)
            self.duration.labels(job.backend, job.state).observe(duration_s)
