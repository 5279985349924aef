"""What a call can fail with: the errors that the services raise, as they raise them.

Branch on the class or on `reason`; show `message` to people. `retryable` says whether the same
call may succeed later, `retry_after_s` after how long, `field` which argument is at fault. The
tree is drawn in `voicemesh_chassis.errors`; this side alone raises

x UnavailableError
  - TlsMismatchError    the two sides do not agree on TLS, or on the certificate
"""

from __future__ import annotations

from voicemesh_chassis.errors import (
    AlreadyExistsError,
    Code,
    DeadlineExceededError,
    FailedPreconditionError,
    InternalError,
    InvalidArgumentError,
    LimitExceededError,
    NotFoundError,
    OverloadedError,
    PermissionDeniedError,
    ServiceError,
    UnauthenticatedError,
    UnavailableError,
    UnimplementedError,
)

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
    "TlsMismatchError",
    "UnauthenticatedError",
    "UnavailableError",
    "UnimplementedError",
)


class TlsMismatchError(UnavailableError):
    """Somebody is at the target, but no connection comes about; `Connection.tls` must change."""

    reason = "TLS_MISMATCH"
    retryable = False
