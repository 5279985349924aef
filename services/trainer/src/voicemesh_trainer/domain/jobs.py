"""Training jobs: what is asked for, how far it is, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = (
    "BackendName",
    "Job",
    "JobError",
    "JobState",
    "LogEntry",
    "Progress",
    "TrainingRun",
    "TrainingSettings",
)


class JobState(StrEnum):
    """Where a job is in its life."""

    QUEUED = "queued"
    VALIDATING = "validating"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def ended(self) -> bool:
        """Whether nothing will happen to the job any more."""
        return self in (JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED)


class BackendName(StrEnum):
    """Where training runs."""

    LOCAL = "local"
    OPENAI = "openai"


@dataclass(frozen=True)
class TrainingSettings:
    """How training goes; None leaves a choice to the backend."""

    epoch_count: int | None = None
    """Times the whole dataset is seen, 1 to 100."""
    learning_rate: float | None = None
    """Step size, above 0 and at most 1."""
    batch_size: int | None = None
    """Examples a step, 1 to 256."""
    lora_rank: int | None = None
    """Rank of the adapter, 1 to 256."""
    seed: int | None = None
    """Makes the run reproducible."""
    max_example_tokens: int | None = None
    """Most tokens of an example, 32 to 8,192; longer ones lose the front of the prompt."""
    paraphrase_count: int | None = None
    """Other ways to ask each question that are made from it, 0 to 16."""
    preference_strength: float | None = None
    """Beta of DPO, above 0 and at most 10."""


@dataclass(frozen=True)
class Progress:
    """How far a run is. As an event of a backend: a step, or some, were done."""

    step: int = 0
    """Steps done."""
    step_count: int = 0
    """Steps in all; 0 until known."""
    loss: float = 0.0
    """Loss of the last step."""
    learning_rate: float = 0.0
    """Learning rate of the last step."""
    tokens_per_second: float = 0.0
    """Tokens trained on a second."""
    remaining_s: float | None = None
    """Time left, in seconds; None until known."""


@dataclass(frozen=True)
class JobError:
    """Why a job failed."""

    code: str
    """Name of a gRPC status code, such as "FAILED_PRECONDITION"."""
    reason: str
    """UPPER_SNAKE and stable."""
    message: str
    """One sentence for people."""


@dataclass(frozen=True)
class TrainingRun:
    """What is needed to understand a run, to repeat it, and to go on with it."""

    data_sha256: str = ""
    """Of what was trained on; see `TrainingData.sha256`."""
    positive_example_count: int = 0
    """Examples that were trained on to be followed."""
    preference_pair_count: int = 0
    """Pairs of a good and a bad answer."""
    avoided_example_count: int = 0
    """Bad answers without a good one to the same prompt; they stay in memory."""
    settings: TrainingSettings = TrainingSettings()
    """With the defaults of the backend filled in."""
    versions: Mapping[str, str] = field(default_factory=dict)
    """Package to version, of what trained."""
    metrics: Mapping[str, float] = field(default_factory=dict)
    """Figures at the end."""
    provider_job_id: str = ""
    """Id of the job at the provider, if it runs there."""
    provider_files: tuple[str, ...] = ()
    """Ids of the files that were uploaded for it and are to be deleted."""
    checkpoint_file: str = ""
    """Name of the last checkpoint among the trainer's files; empty if there is none."""
    checkpoint_step: int = 0
    """The step that was done when it was saved."""
    adapter_file: str = ""
    """Name of the adapter that it made among the trainer's files; empty if it made none."""
    setbacks: int = 0
    """Attempts in a row that ended badly, without a new checkpoint between them."""
    losses: tuple[tuple[int, float], ...] = ()
    """The curve so far, as (step, loss); thinned when it grows long."""


@dataclass(frozen=True)
class Job:
    """One run of training, as it is stored."""

    job_id: str
    """A ULID."""
    tenant: str
    """Who it belongs to."""
    description: str
    """What people call it."""
    dataset_id: str
    """What it trains on."""
    backend: BackendName
    """Where it runs."""
    base_model: str
    """The model it starts from."""
    settings: TrainingSettings
    """As asked for."""
    state: JobState
    """Where it is in its life."""
    progress: Progress
    """How far it is."""
    run: TrainingRun
    """How it runs."""
    create_time: float
    """When it was made, in seconds since 1970."""
    start_time: float | None = None
    """When a worker first took it."""
    end_time: float | None = None
    """When it ended."""
    error: JobError | None = None
    """Why it failed, if it did."""
    result_model: str | None = None
    """The model it made, if it did."""
    curve_file: str | None = None
    """Name of the picture of its loss among the trainer's files."""
    attempts: int = 0
    """Times that a worker began or went on with it."""
    worker_id: str | None = None
    """Who has it; None if nobody."""
    lease_until: float | None = None
    """Until when, unless its worker says that it goes on; `training.states` tells what it means
    for jobs that nobody has."""
    version: int = 0
    """Grows with every change; whoever writes names the version they know."""


@dataclass(frozen=True)
class LogEntry:
    """A line of a job's log."""

    number: int
    """Grows within a job."""
    time: float
    """When it was written, in seconds since 1970."""
    text: str
    """The line."""
