"""What the failures of an OpenAI-compatible endpoint mean to a caller of the trainer.

    401, 403, refused credentials    ProviderRefusedError         an operator must mend the key
    404                              ModelNotFoundError
    400, 422 for a long context      ConversationTooLongError
    402, 429 for an empty account    ProviderRefusedError
    429                              ProviderOverloadedError      with the provider's Retry-After
    other 4xx                        ProviderRefusedError
    5xx, no connection, silence      ProviderUnavailableError
    cut streams                      ProviderUnavailableError

The provider's own words are never passed on: they may quote the key or the conversation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx2
import openai

from voicemesh_trainer.errors import (
    ConversationTooLongError,
    ModelNotFoundError,
    ProviderOverloadedError,
    ProviderRefusedError,
    ProviderUnavailableError,
)
from voicemesh_trainer.provider.rate import retry_after_s

if TYPE_CHECKING:
    from voicemesh_chassis.errors import ServiceError

__all__ = ("PROVIDER_FAILURES", "service_error")

PROVIDER_FAILURES: tuple[type[Exception], ...] = (
    openai.OpenAIError,
    httpx2.HTTPError,
    httpx2.StreamError,
)
"""What the library lets out when an endpoint fails or is cut off: its own errors and those of its
HTTP client. What does not keep to the API is found where it is read, in `openai_chunks`."""

_EMPTY_ACCOUNT = frozenset({"insufficient_quota", "billing_hard_limit_reached"})
_TOO_LONG = frozenset({"context_length_exceeded", "exceed_context_size_error"})
_DEFAULT_RETRY_S = 1.0


def service_error(error: Exception, model: str, host: str) -> ServiceError:
    """The error that tells a caller what a failure means.

    Args:
        error: one of `PROVIDER_FAILURES`.
        model: the name that the endpoint was asked for.
        host: the endpoint, for sentences.
    """
    if isinstance(error, openai.APITimeoutError | httpx2.TimeoutException):
        return ProviderUnavailableError(f"the model provider at {host} did not answer in time")
    if isinstance(error, openai.APIStatusError):
        return _of_status(error, model, host)
    if isinstance(error, openai.APIConnectionError | httpx2.ConnectError):
        msg = f"the model provider at {host} cannot be reached; check OPENAI_BASE_URL"
        return ProviderUnavailableError(msg)
    if isinstance(error, httpx2.HTTPError | httpx2.StreamError):
        return ProviderUnavailableError("the model provider broke off its answer")
    if isinstance(error, openai.APIError) and error.body is not None:
        return ProviderUnavailableError("the model provider failed while it answered")
    return ProviderUnavailableError("the model provider's answer cannot be read")


def _of_status(error: openai.APIStatusError, model: str, host: str) -> ServiceError:
    status = error.status_code
    kinds = {kind for kind in (error.code, error.type) if isinstance(kind, str)}
    metadata = {"http_status": str(status)}
    if status in (401, 403):
        msg = f"the model provider refuses the key ({status}); check OPENAI_API_KEY"
        return ProviderRefusedError(msg, metadata=metadata)
    if status == 404:
        msg = (
            f"the model provider at {host} has no such model or address; check the model and "
            "OPENAI_BASE_URL (it usually ends in /v1)"
        )
        return ModelNotFoundError(msg, metadata={**metadata, "model": model})
    if status == 402 or kinds & _EMPTY_ACCOUNT:
        msg = f"the account at the model provider is used up ({status})"
        return ProviderRefusedError(msg, metadata=metadata)
    if kinds & _TOO_LONG:
        msg = "the conversation does not fit the model's context; shorten it"
        return ConversationTooLongError(msg, field="history", metadata=metadata)
    if status == 429:
        wait_s = retry_after_s(error.response.headers) or _DEFAULT_RETRY_S
        msg = "the model provider limits the rate of requests; try again later"
        return ProviderOverloadedError(msg, retry_after_s=wait_s, metadata=metadata)
    if status >= 500 or status in (408, 409):
        msg = f"the model provider at {host} fails ({status})"
        return ProviderUnavailableError(msg, metadata=metadata)
    msg = f"the model provider refuses the request ({status}); check the model and its options"
    return ProviderRefusedError(msg, metadata=metadata)
