"""Training jobs: work that turns a dataset into a model."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime  # noqa: TC003 - dataclass readers resolve it at run time
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeAlias

from voicemesh_client.errors import Code  # noqa: TC001 - dataclass readers resolve it at run time

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = (
    "JobError",
    "NewTrainingJob",
    "TrainingBackend",
    "TrainingEvent",
    "TrainingJob",
    "TrainingJobState",
    "TrainingLogLine",
    "TrainingProgress",
    "TrainingRun",
    "TrainingSettings",
)


class TrainingBackend(StrEnum):
    """Where training runs."""

    DEFAULT = "default"
    """The server's default; of a job, a backend that this client does not know."""

    LOCAL = "local"
    """A low-rank adapter for the server's own model."""

    OPENAI = "openai"
    """A fine-tuning job of the OpenAI API."""


class TrainingJobState(StrEnum):
    """Where a job is in its life."""

    UNKNOWN = "unknown"
    """Not said, or by a newer server in words this client does not know."""

    QUEUED = "queued"
    """Waiting for a worker."""

    VALIDATING = "validating"
    """The dataset is being checked."""

    RUNNING = "running"
    """Training."""

    SUCCEEDED = "succeeded"
    """Done; the model is registered."""

    FAILED = "failed"
    """Ended by an error."""

    CANCELLED = "cancelled"
    """Ended by `TrainingJobs.cancel`."""

    @property
    def ended(self) -> bool:
        """Whether nothing more happens to the job."""
        return self in {self.SUCCEEDED, self.FAILED, self.CANCELLED}


@dataclass(frozen=True, slots=True)
class TrainingSettings:
    """How training goes; None leaves a value to the backend."""

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
    """Most tokens of an example, 32 to 8,192; longer ones are cut at the front of the prompt."""

    paraphrase_count: int | None = None
    """Other ways to ask each question that are made from it, 0 to 16."""

    preference_strength: float | None = None
    """Strength of training by preference (beta of DPO), above 0 and at most 10."""


@dataclass(frozen=True, slots=True)
class NewTrainingJob:
    """A job that is wanted."""

    dataset_id: str = ""
    """What to train on; empty means the selected dataset."""

    description: str = ""
    """What people call it, at most 200 characters."""

    backend: TrainingBackend = TrainingBackend.DEFAULT
    """Where to run."""

    base_model: str = ""
    """The model to start from; empty means the tenant's active one."""

    settings: TrainingSettings = field(default_factory=TrainingSettings)
    """How training goes."""

    request_id: str = ""
    """Names this request, 1 to 64 characters, so that a repeated one makes one job; empty makes a
    new name."""


@dataclass(frozen=True, slots=True)
class TrainingProgress:
    """How far a run is."""

    step: int
    """Steps done."""

    step_count: int
    """Steps in all; 0 until known."""

    loss: float
    """Loss of the last step."""

    learning_rate: float
    """Learning rate of the last step."""

    tokens_per_second: float
    """Tokens trained on a second."""

    remaining_s: float | None
    """Time left in seconds; None until known."""


@dataclass(frozen=True, slots=True)
class TrainingLogLine:
    """A line of a job's log."""

    time: datetime | None
    """When it was written, in UTC."""

    text: str
    """The line."""


@dataclass(frozen=True, slots=True)
class JobError:
    """Why a job failed."""

    code: Code
    """The kind of failure."""

    message: str
    """What went wrong, for people."""


@dataclass(frozen=True, slots=True)
class TrainingRun:
    """How a model was made: what is needed to understand and to repeat it."""

    data_sha256: str
    """SHA-256 of the examples that were trained on, in lower-case hexadecimal digits."""

    positive_example_count: int
    """Examples that were trained on to be followed."""

    preference_pair_count: int
    """Pairs of a good and a bad answer that were trained on by preference."""

    avoided_example_count: int
    """Negative examples without a good answer to the same prompt: they are kept in memory as
    answers to avoid."""

    settings: TrainingSettings
    """Settings with all defaults filled in."""

    versions: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Versions of what trained: package to version."""

    metrics: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    """Figures at the end, such as `loss`, `tokens`, `tokens_per_second`, `seconds`."""

    provider_job_id: str = ""
    """Id of the job at the provider, if it ran there."""


@dataclass(frozen=True, slots=True)
class TrainingJob:
    """One run of training."""

    id: str
    """What the calls of `TrainingJobs` take: a ULID."""

    tenant: str
    """The tenant it belongs to."""

    description: str
    """What people call it."""

    dataset_id: str
    """What it trains on."""

    backend: TrainingBackend
    """Where it runs."""

    base_model: str
    """The model it starts from."""

    settings: TrainingSettings
    """Its settings, as they were asked for."""

    state: TrainingJobState
    """Where it is in its life."""

    progress: TrainingProgress
    """How far it is."""

    error: JobError | None
    """Why it failed, if it did."""

    result_model: str
    """The model it made, if it did; else empty."""

    create_time: datetime | None
    """When it was made, in UTC."""

    start_time: datetime | None
    """When a worker first took it, in UTC."""

    end_time: datetime | None
    """When it ended, in UTC."""

    run: TrainingRun | None
    """How it runs; None until it does."""

    attempt_count: int
    """Times a worker began or went on with it; more than 1 if a worker was lost."""


TrainingEvent: TypeAlias = TrainingJob | TrainingProgress | TrainingLogLine
"""What `TrainingJobs.watch` yields."""
