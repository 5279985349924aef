"""What can go wrong in the trainer, beyond the errors that every service has.

x InvalidArgumentError
  - ConversationTooLongError    the last turn alone does not fit the model
x NotFoundError
  - DatasetNotFoundError        the tenant has no such dataset
  - JobNotFoundError            the tenant has no such training job
  - ModelNotFoundError          no such model, here or at the provider
  - ResponseNotFoundError       no such answer, or no longer
x AlreadyExistsError
  - RequestReusedError          a request_id named another request before
x FailedPreconditionError
  - NoDatasetSelectedError      a training job names no dataset, and none is selected
  - DatasetNotTrainableError    the dataset is archived, or has nothing to train on
  - NoWorkerError               nobody is there who could run the training job
  - TrainingDataError           data, settings and base model do not go together
  - TrainingFailedError         training came to an end without a model
  - NoLossCurveError            the training job has no curve (yet)
  - ProviderRefusedError        the model provider refuses key, quota or request
  - ModelUnusableError          a tenant's model is there but cannot answer as things are
  - ModelInUseError             the active model is not deleted
  - PromotionRefusedError       the evaluation is worse or missing
  - NothingToRollBackError      no other model was active before
x ServiceError (RESOURCE_EXHAUSTED)
  - QuotaExceededError          the tenant may have no further training job now
x OverloadedError
  - EvaluationsBusyError        as many evaluations as may be are running
  - ModelsBusyError             as many models as may be in memory are in use
  - ProviderOverloadedError     the provider asks to come back later
  - StorageFullError            there is no room to write to
x UnavailableError
  - DatabaseUnavailableError    the database does not answer, or cannot be written to
  - FilesUnavailableError       the store of files does not answer
    - FileLostError             a file is gone or damaged
  - ProviderUnavailableError    the provider cannot be reached, fails, or broke off
  - ModelFailedError            the embedded model broke off
  - ModelLoadingError           a tenant's model is still being loaded
x DeadlineExceededError
  - GenerationTimeoutError      an answer took longer than the service allows
x ServiceError (ABORTED)
  - ModelsChangedError          somebody else was quicker
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from voicemesh_chassis.database.errors import DatabaseUnavailableError, StorageFullError
from voicemesh_chassis.errors import (
    AlreadyExistsError,
    Code,
    DeadlineExceededError,
    FailedPreconditionError,
    InvalidArgumentError,
    NotFoundError,
    OverloadedError,
    ServiceError,
    UnavailableError,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = (
    "ConversationTooLongError",
    "DatabaseUnavailableError",
    "DatasetNotFoundError",
    "DatasetNotTrainableError",
    "EvaluationsBusyError",
    "FileLostError",
    "FilesUnavailableError",
    "GenerationTimeoutError",
    "JobNotFoundError",
    "ModelFailedError",
    "ModelInUseError",
    "ModelLoadingError",
    "ModelNotFoundError",
    "ModelUnusableError",
    "ModelsBusyError",
    "ModelsChangedError",
    "NoDatasetSelectedError",
    "NoLossCurveError",
    "NoWorkerError",
    "NothingToRollBackError",
    "PromotionRefusedError",
    "ProviderOverloadedError",
    "ProviderRefusedError",
    "ProviderUnavailableError",
    "QuotaExceededError",
    "RequestReusedError",
    "ResponseNotFoundError",
    "StorageFullError",
    "TrainingDataError",
    "TrainingFailedError",
)


class ConversationTooLongError(InvalidArgumentError):
    """The turn to be answered does not fit the model, even with nothing before it."""

    reason = "CONVERSATION_TOO_LONG"


class ModelNotFoundError(NotFoundError):
    """The request names a model that the tenant does not have."""

    reason = "MODEL_NOT_FOUND"


class ResponseNotFoundError(NotFoundError):
    """The request names an answer that the tenant was not given, or that has expired."""

    reason = "RESPONSE_NOT_FOUND"


class RequestReusedError(AlreadyExistsError):
    """A `request_id` that named another request of the tenant before."""

    reason = "REQUEST_REUSED"

    def __init__(self) -> None:
        msg = "this request_id was used for another request before; choose a new one"
        super().__init__(msg, metadata={"field": "request_id"})
        self.field = "request_id"


class ProviderRefusedError(FailedPreconditionError):
    """The model provider refuses what this service is configured with; an operator must mend it."""

    reason = "PROVIDER_REFUSED"


class ModelUnusableError(FailedPreconditionError):
    """A model of a tenant's own cannot answer as things are; another one must be promoted."""

    reason = "MODEL_UNUSABLE"


class ModelInUseError(FailedPreconditionError):
    """The tenant's active model cannot be deleted."""

    reason = "MODEL_IN_USE"


class PromotionRefusedError(FailedPreconditionError):
    """The model is not promoted unless that is forced: its evaluation is worse or missing."""

    reason = "PROMOTION_REFUSED"


class NothingToRollBackError(FailedPreconditionError):
    """No other model was active before."""

    reason = "NOTHING_TO_ROLL_BACK"


class ModelsChangedError(ServiceError):
    """Somebody else changed the tenant's models at the same time; nothing was done."""

    code = Code.ABORTED
    reason = "MODELS_CHANGED"


class EvaluationsBusyError(OverloadedError):
    """As many evaluations as may be at once are running."""

    reason = "EVALUATIONS_BUSY"


class ModelsBusyError(OverloadedError):
    """As many models of tenants as may be in memory are in use."""

    reason = "MODELS_BUSY"


class ProviderOverloadedError(OverloadedError):
    """The model provider limits the rate of requests."""

    reason = "PROVIDER_OVERLOADED"


class FilesUnavailableError(UnavailableError):
    """The store of files does not answer, or does not give a file that should be there."""

    reason = "FILES_UNAVAILABLE"

    def __init__(self, message: str, *, metadata: Mapping[str, str] | None = None) -> None:
        super().__init__(message, retry_after_s=2.0, metadata=metadata)


class FileLostError(FilesUnavailableError):
    """A file that should be there is gone or damaged; waiting does not bring it back."""

    reason = "FILE_LOST"
    retryable = False


class ProviderUnavailableError(UnavailableError):
    """The model provider cannot be reached, fails, is silent, or broke off."""

    reason = "PROVIDER_UNAVAILABLE"


class ModelFailedError(UnavailableError):
    """The embedded model broke off."""

    reason = "MODEL_FAILED"


class ModelLoadingError(UnavailableError):
    """A tenant's model is still being loaded."""

    reason = "MODEL_LOADING"


class GenerationTimeoutError(DeadlineExceededError):
    """The answer took longer than this service allows."""

    reason = "GENERATION_TIMEOUT"


class JobNotFoundError(NotFoundError):
    """The tenant has no training job of this id."""

    reason = "JOB_NOT_FOUND"


class NoDatasetSelectedError(FailedPreconditionError):
    """A training job names no dataset, and the tenant has selected none."""

    reason = "NO_DATASET_SELECTED"


class DatasetNotTrainableError(FailedPreconditionError):
    """The dataset is archived, or has no positive example."""

    reason = "DATASET_NOT_TRAINABLE"


class NoWorkerError(FailedPreconditionError):
    """No worker is there that could run the job; an operator must start one."""

    reason = "NO_WORKER"


class TrainingDataError(FailedPreconditionError):
    """Data, settings and base model of a job cannot be trained together."""

    reason = "TRAINING_DATA_UNUSABLE"


class TrainingFailedError(FailedPreconditionError):
    """Training came to an end without a model."""

    reason = "TRAINING_FAILED"


class NoLossCurveError(FailedPreconditionError):
    """The training job has no curve of its loss: it has not ended, or ended too soon."""

    reason = "NO_LOSS_CURVE"


class QuotaExceededError(ServiceError):
    """The tenant has, or had today, as many training jobs as it may."""

    code = Code.RESOURCE_EXHAUSTED
    reason = "QUOTA_EXCEEDED"


class DatasetNotFoundError(NotFoundError):
    """The tenant has no dataset of this id."""

    reason = "DATASET_NOT_FOUND"
