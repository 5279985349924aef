"""Settings of training jobs, and of the workers that run them; a part of the trainer's."""

# No `from __future__ import annotations`: pydantic evaluates these annotations at run time.

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

__all__ = ("JobSettings",)


class JobSettings(BaseModel):
    """Training jobs, and the workers that run them."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    workers: int = Field(default=1, ge=0, le=64)
    """Jobs that this process trains at once; 0 is none: others (`voicemesh-trainer-worker`) take
    them from the same database."""

    backend: Literal["auto", "local", "openai"] = "auto"
    """Where jobs run that do not say. `auto`: where the model that they start from answers."""

    unfinished_jobs: int = Field(default=4, ge=1, le=10_000)
    """Jobs of one tenant that may wait or run."""

    jobs_a_day: int = Field(default=50, ge=1, le=1_000_000)
    """Jobs that one tenant may make in 24 hours."""

    most_examples: int = Field(default=100_000, ge=1, le=10_000_000)
    """Examples that one job may train on; they are held in memory."""

    attempts: int = Field(default=3, ge=1, le=100)
    """Times in a row that a job may lose its worker, or fail by what may pass, before it fails for
    good; a checkpoint in between begins the count anew."""

    retry_s: float = Field(default=10.0, gt=0, le=3600)
    """Wait after the first of them, in seconds; doubled after each further one."""

    lease_s: float = Field(default=30.0, ge=2, le=3600)
    """Silence after which a worker counts as lost and another takes its job over, in seconds. The
    clocks of all machines must agree to a fraction of it."""

    poll_s: float = Field(default=1.0, gt=0, le=60)
    """How often workers look for jobs, and watchers at theirs, in seconds; what happens in the same
    process is seen at once."""

    pause_s: float = Field(default=10.0, gt=0, le=600)
    """Time that jobs have to save a checkpoint after the drain, in seconds."""

    outage_s: float = Field(default=300.0, ge=1, le=86_400)
    """How long a job goes on without its database before it gives up, in seconds."""

    log_lines: int = Field(default=2000, ge=10, le=1_000_000)
    """Lines that are kept of the log of one job; the newest."""

    watchers: int = Field(default=256, ge=1, le=100_000)
    """Callers that may follow jobs at once."""

    provider_poll_s: float = Field(default=2.0, gt=0, le=600)
    """How often a job at OpenAI is looked at while something happens there, in seconds."""

    provider_longest_poll_s: float = Field(default=30.0, gt=0, le=3600)
    """How often while nothing does, in seconds."""
