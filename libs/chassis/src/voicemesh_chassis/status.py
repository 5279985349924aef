"""`ServiceError` on the wire and back: `google.rpc.Status` with exactly one `ErrorInfo`.

`BadRequest` names the field, `RetryInfo` the wait and `RequestInfo` the request id, where there
is one. The forms are those of https://google.aip.dev/193.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import grpc
import grpc.aio
from google.protobuf import any_pb2, duration_pb2
from google.protobuf.message import DecodeError
from google.rpc import error_details_pb2, status_pb2

from voicemesh_chassis import errors
from voicemesh_chassis.errors import Code, ServiceError
from voicemesh_chassis.requests import current_request_id

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from google.protobuf.message import Message

__all__ = ("CancelledOnServerError", "error_from_rpc", "to_status")

_DETAILS_KEY = "grpc-status-details-bin"

_LONGEST_MESSAGE = 500
"""Most bytes of a message; trailers over 8 KiB make gRPC drop the whole status."""

_LONGEST_FACT = 200
"""Most bytes of a metadata value, a field path and a description, for the same reason."""


class CancelledOnServerError(ServiceError):
    """The work was cancelled, and not by the caller."""

    code = Code.CANCELLED
    reason = "CANCELLED"


class _Status(NamedTuple):
    """What `abort_with_status` takes; it checks for `grpc.Status` by attributes only."""

    code: grpc.StatusCode
    details: str
    trailing_metadata: tuple[tuple[str, str | bytes], ...]


def to_status(
    error: ServiceError, domain: str, metadata: Sequence[tuple[str, str | bytes]] | None = None
) -> Any:
    """What to hand to `context.abort_with_status`.

    Args:
        error: the failure to tell.
        domain: the service, such as `stt.voicemesh`.
        metadata: trailing metadata to send along.
    """
    code = grpc.StatusCode[error.code.value]
    status = status_pb2.Status(
        code=code.value[0],
        message=_cut(error.message, _LONGEST_MESSAGE),
        details=[_packed(detail) for detail in _details(error, domain)],
    )
    trailing = (*(metadata or ()), (_DETAILS_KEY, status.SerializeToString()))
    return _Status(code, status.message, trailing)


def _cut(text: str, longest: int) -> str:
    """What a caller sent may be quoted in a message, and may be of any length."""
    encoded = text.encode()
    return text if len(encoded) <= longest else encoded[:longest].decode(errors="ignore") + "…"


def _details(error: ServiceError, domain: str) -> Iterator[Message]:
    facts = {key: _cut(value, _LONGEST_FACT) for key, value in error.metadata.items()}
    yield error_details_pb2.ErrorInfo(reason=error.reason, domain=domain, metadata=facts)
    if error.field is not None:
        violation = error_details_pb2.BadRequest.FieldViolation(
            field=_cut(error.field, _LONGEST_FACT),
            description=_cut(error.message, _LONGEST_FACT),
        )
        yield error_details_pb2.BadRequest(field_violations=[violation])
    if error.retry_after_s is not None:
        delay = duration_pb2.Duration()
        delay.FromMilliseconds(max(0, round(error.retry_after_s * 1000)))
        yield error_details_pb2.RetryInfo(retry_delay=delay)
    if (request_id := current_request_id()) is not None:
        yield error_details_pb2.RequestInfo(request_id=request_id)


def _packed(message: Message) -> any_pb2.Any:
    packed = any_pb2.Any()
    packed.Pack(message)
    return packed


def error_from_rpc(error: grpc.aio.AioRpcError) -> ServiceError:
    """The failed call as the `ServiceError` that the server raised, as far as this side knows it.

    A subclass with the same code and reason is used if one is loaded here, otherwise the class
    for the code, with the server's `reason`. Statuses that no service wrote (a dead connection,
    a passed deadline) become the class for their code.
    """
    code = Code(error.code().name)
    info, field, retry_after_s = _read_details(error)
    reason = info.reason if info is not None else ""
    cls = _class_for(code, reason, retry_after_s)
    rebuilt = cls.__new__(cls)
    # Not the subclass's own __init__: its arguments are not on the wire.
    ServiceError.__init__(
        rebuilt, error.details() or code.value, metadata=info.metadata if info else None
    )
    rebuilt.field, rebuilt.retry_after_s = field, retry_after_s
    if cls.code is not code:
        vars(rebuilt)["code"] = code
    if reason and cls.reason != reason:
        vars(rebuilt)["reason"] = reason
    return rebuilt


def _read_details(
    error: grpc.aio.AioRpcError,
) -> tuple[error_details_pb2.ErrorInfo | None, str | None, float | None]:
    info, bad, retry = (
        error_details_pb2.ErrorInfo(),
        error_details_pb2.BadRequest(),
        error_details_pb2.RetryInfo(),
    )
    found_info, field, retry_after_s = None, None, None
    for detail in _status_of(error).details:
        if detail.Unpack(info):
            found_info = info
        elif detail.Unpack(bad) and bad.field_violations:
            field = bad.field_violations[0].field
        elif detail.Unpack(retry):
            retry_after_s = retry.retry_delay.ToTimedelta().total_seconds()
    return found_info, field, retry_after_s


def _status_of(error: grpc.aio.AioRpcError) -> status_pb2.Status:
    status = status_pb2.Status()
    for key, value in error.trailing_metadata() or ():
        if key == _DETAILS_KEY and isinstance(value, bytes):
            try:
                status.ParseFromString(value)
            except DecodeError:  # not ours; the code alone must do
                return status_pb2.Status()
    return status


def _class_for(code: Code, reason: str, retry_after_s: float | None) -> type[ServiceError]:
    for cls in _subclasses(ServiceError):
        if reason and cls.reason == reason and cls.code is code:
            return cls
    if code is Code.RESOURCE_EXHAUSTED:
        overloaded = retry_after_s is not None
        return errors.OverloadedError if overloaded else errors.LimitExceededError
    return _BY_CODE.get(code, ServiceError)


def _subclasses(cls: type[ServiceError]) -> Iterator[type[ServiceError]]:
    for subclass in cls.__subclasses__():
        yield subclass
        yield from _subclasses(subclass)


_BY_CODE: dict[Code, type[ServiceError]] = {
    cls.code: cls
    for cls in (
        errors.InvalidArgumentError,
        errors.NotFoundError,
        errors.AlreadyExistsError,
        errors.FailedPreconditionError,
        errors.UnauthenticatedError,
        errors.PermissionDeniedError,
        errors.UnimplementedError,
        errors.UnavailableError,
        errors.DeadlineExceededError,
        errors.InternalError,
        CancelledOnServerError,
    )
}
