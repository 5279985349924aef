"""What can go wrong in the trainer, beyond the errors that every service has.

x InvalidArgumentError
  - ConversationTooLongError    the last turn alone does not fit the model
x NotFoundError
  - ModelNotFoundError          no such model, here or at the provider
x FailedPreconditionError
  - ProviderRefusedError        the model provider refuses key, quota or request
x OverloadedError
  - ProviderOverloadedError     the provider asks to come back later
x UnavailableError
  - ProviderUnavailableError    the provider cannot be reached, fails, or broke off
  - ModelFailedError            the embedded model broke off
x DeadlineExceededError
  - GenerationTimeoutError      an answer took longer than the service allows
x UnimplementedError
  - NotServedYetError           part of the contract that a later release serves
"""

from __future__ import annotations

from voicemesh_chassis.errors import (
    DeadlineExceededError,
    FailedPreconditionError,
    InvalidArgumentError,
    NotFoundError,
    OverloadedError,
    UnavailableError,
    UnimplementedError,
)

__all__ = (
    "ConversationTooLongError",
    "GenerationTimeoutError",
    "ModelFailedError",
    "ModelNotFoundError",
    "NotServedYetError",
    "ProviderOverloadedError",
    "ProviderRefusedError",
    "ProviderUnavailableError",
)


class ConversationTooLongError(InvalidArgumentError):
    """The turn to be answered does not fit the model, even with nothing before it."""

    reason = "CONVERSATION_TOO_LONG"


class ModelNotFoundError(NotFoundError):
    """The request names a model that the tenant does not have."""

    reason = "MODEL_NOT_FOUND"


class ProviderRefusedError(FailedPreconditionError):
    """The model provider refuses what this service is configured with; an operator must mend it."""

    reason = "PROVIDER_REFUSED"


class ProviderOverloadedError(OverloadedError):
    """The model provider limits the rate of requests."""

    reason = "PROVIDER_OVERLOADED"


class ProviderUnavailableError(UnavailableError):
    """The model provider cannot be reached, fails, is silent, or broke off."""

    reason = "PROVIDER_UNAVAILABLE"


class ModelFailedError(UnavailableError):
    """The embedded model broke off."""

    reason = "MODEL_FAILED"


class GenerationTimeoutError(DeadlineExceededError):
    """The answer took longer than this service allows."""

    reason = "GENERATION_TIMEOUT"


class NotServedYetError(UnimplementedError):
    """The call arrives with a later release; nothing was changed or recorded."""

    reason = "NOT_SERVED_YET"
