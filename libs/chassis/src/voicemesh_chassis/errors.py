"""The vocabulary of failure that services raise and clients get back.

A servicer raises one of these and nothing else; the chassis puts it on the wire. Services
subclass the leaves with a `reason` of their own. This module knows nothing of gRPC.

    ServiceError
    ├── InvalidArgumentError      INVALID_ARGUMENT     names the field
    ├── NotFoundError             NOT_FOUND            names the field, if there is one
    ├── AlreadyExistsError        ALREADY_EXISTS
    ├── FailedPreconditionError   FAILED_PRECONDITION
    ├── LimitExceededError        RESOURCE_EXHAUSTED   names the field; the same call fails again
    ├── OverloadedError           RESOURCE_EXHAUSTED   retryable, says after how long
    ├── UnauthenticatedError      UNAUTHENTICATED
    ├── PermissionDeniedError     PERMISSION_DENIED
    ├── UnimplementedError        UNIMPLEMENTED
    ├── UnavailableError          UNAVAILABLE          retryable: starting, draining or down
    ├── DeadlineExceededError     DEADLINE_EXCEEDED
    └── InternalError             INTERNAL
"""

from __future__ import annotations

from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = (
    "AlreadyExistsError",
    "Code",
    "DeadlineExceededError",
    "FailedPreconditionError",
    "InternalError",
    "InvalidArgumentError",
    "LimitExceededError",
    "NotFoundError",
    "OverloadedError",
    "PermissionDeniedError",
    "ServiceError",
    "UnauthenticatedError",
    "UnavailableError",
    "UnimplementedError",
)


class Code(StrEnum):
    """The gRPC status codes of failure, by name."""

    INVALID_ARGUMENT = "INVALID_ARGUMENT"
    NOT_FOUND = "NOT_FOUND"
    ALREADY_EXISTS = "ALREADY_EXISTS"
    FAILED_PRECONDITION = "FAILED_PRECONDITION"
    OUT_OF_RANGE = "OUT_OF_RANGE"
    RESOURCE_EXHAUSTED = "RESOURCE_EXHAUSTED"
    UNAUTHENTICATED = "UNAUTHENTICATED"
    PERMISSION_DENIED = "PERMISSION_DENIED"
    UNIMPLEMENTED = "UNIMPLEMENTED"
    UNAVAILABLE = "UNAVAILABLE"
    DEADLINE_EXCEEDED = "DEADLINE_EXCEEDED"
    CANCELLED = "CANCELLED"
    ABORTED = "ABORTED"
    INTERNAL = "INTERNAL"
    DATA_LOSS = "DATA_LOSS"
    UNKNOWN = "UNKNOWN"


class ServiceError(Exception):
    """A failure with a status of its own, whose message may be shown to the caller.

    Attributes:
        code: the status code.
        reason: UPPER_SNAKE, stable, and what a program should branch on.
        retryable: whether the same call may succeed later.
        message: one sentence for people; no words spoken, tokens or names in it.
        metadata: further facts for programs, sent in `ErrorInfo.metadata`.
        field: the request field at fault, by its path in the message, where there is one.
        retry_after_s: how long to wait before trying again, in seconds, where it is known.
    """

    code: ClassVar[Code] = Code.UNKNOWN
    reason: ClassVar[str] = "UNKNOWN"
    retryable: ClassVar[bool] = False

    def __init__(self, message: str, *, metadata: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.metadata: Mapping[str, str] = MappingProxyType(dict(metadata or {}))
        self.field: str | None = None
        self.retry_after_s: float | None = None


class InvalidArgumentError(ServiceError):
    """A field of the request cannot be used, whatever the state of the service."""

    code = Code.INVALID_ARGUMENT
    reason = "INVALID_ARGUMENT"

    def __init__(
        self, message: str, *, field: str, metadata: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message, metadata={**(metadata or {}), "field": field})
        self.field = field


class NotFoundError(ServiceError):
    """What the request names, in `field` if that is known, does not exist."""

    code = Code.NOT_FOUND
    reason = "NOT_FOUND"

    def __init__(
        self, message: str, *, field: str | None = None, metadata: Mapping[str, str] | None = None
    ) -> None:
        named = {} if field is None else {"field": field}
        super().__init__(message, metadata={**(metadata or {}), **named})
        self.field = field


class AlreadyExistsError(ServiceError):
    """What the request would create is there already."""

    code = Code.ALREADY_EXISTS
    reason = "ALREADY_EXISTS"


class FailedPreconditionError(ServiceError):
    """The request is sound but the state of the service forbids it."""

    code = Code.FAILED_PRECONDITION
    reason = "FAILED_PRECONDITION"


class LimitExceededError(ServiceError):
    """The request is larger than a limit; sending it again will not help."""

    code = Code.RESOURCE_EXHAUSTED
    reason = "LIMIT_EXCEEDED"

    def __init__(
        self, message: str, *, field: str, metadata: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message, metadata={**(metadata or {}), "field": field})
        self.field = field


class OverloadedError(ServiceError):
    """The service has as much work as it takes on; try again after `retry_after_s` seconds."""

    code = Code.RESOURCE_EXHAUSTED
    reason = "OVERLOADED"
    retryable = True

    def __init__(
        self, message: str, *, retry_after_s: float, metadata: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message, metadata=metadata)
        self.retry_after_s = retry_after_s


class UnauthenticatedError(ServiceError):
    """The call carries no token, or one that is not known."""

    code = Code.UNAUTHENTICATED
    reason = "UNAUTHENTICATED"


class PermissionDeniedError(ServiceError):
    """The caller is known and may not do this."""

    code = Code.PERMISSION_DENIED
    reason = "PERMISSION_DENIED"


class UnimplementedError(ServiceError):
    """The call is part of the contract but is not served here."""

    code = Code.UNIMPLEMENTED
    reason = "UNIMPLEMENTED"


class UnavailableError(ServiceError):
    """The service is starting, draining or down, or cannot reach what it needs."""

    code = Code.UNAVAILABLE
    reason = "UNAVAILABLE"
    retryable = True

    def __init__(
        self,
        message: str,
        *,
        retry_after_s: float | None = None,
        metadata: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message, metadata=metadata)
        self.retry_after_s = retry_after_s


class DeadlineExceededError(ServiceError):
    """The work did not end within the caller's deadline."""

    code = Code.DEADLINE_EXCEEDED
    reason = "DEADLINE_EXCEEDED"


class InternalError(ServiceError):
    """The service is at fault."""

    code = Code.INTERNAL
    reason = "INTERNAL"
