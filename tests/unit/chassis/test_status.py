"""`ServiceError` to a status and back."""

from __future__ import annotations

from typing import Any, ClassVar

import grpc
import grpc.aio
import pytest

from voicemesh_chassis import errors
from voicemesh_chassis.errors import Code, ServiceError
from voicemesh_chassis.requests import bind_request_id, reset_request_id
from voicemesh_chassis.status import error_from_rpc, to_status

pytestmark = pytest.mark.unit


class JobRunningError(errors.FailedPreconditionError):
    reason: ClassVar[str] = "JOB_RUNNING"

    def __init__(self, job: str, state: str) -> None:
        super().__init__(f"job {job} is {state}", metadata={"job": job})


def over_the_wire(error: ServiceError) -> ServiceError:
    status: Any = to_status(error, "test.voicemesh")
    return error_from_rpc(
        grpc.aio.AioRpcError(
            status.code,
            grpc.aio.Metadata(),
            grpc.aio.Metadata(*status.trailing_metadata),
            details=status.details,
        )
    )


@pytest.mark.parametrize(
    "error",
    [
        errors.InvalidArgumentError("bad", field="config.language"),
        errors.NotFoundError("bad"),
        errors.AlreadyExistsError("bad"),
        errors.FailedPreconditionError("bad"),
        errors.LimitExceededError("bad", field="text"),
        errors.OverloadedError("bad", retry_after_s=2.5),
        errors.UnauthenticatedError("bad"),
        errors.PermissionDeniedError("bad"),
        errors.UnimplementedError("bad"),
        errors.UnavailableError("bad", retry_after_s=1.0),
        errors.DeadlineExceededError("bad"),
        errors.InternalError("bad", metadata={"error_id": "1"}),
        JobRunningError("7", "running"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_error_comes_back_as_it_was(error: ServiceError) -> None:
    back = over_the_wire(error)

    assert type(back) is type(error)
    for name in ("message", "reason", "code", "retryable", "field", "retry_after_s", "metadata"):
        assert getattr(back, name) == getattr(error, name), name


def test_a_reason_that_is_not_known_here_is_kept_on_the_class_of_its_code() -> None:
    class Elsewhere(errors.NotFoundError):
        reason: ClassVar[str] = "ELSEWHERE"

    error = Elsewhere("gone")
    status: Any = to_status(error, "test.voicemesh")
    Elsewhere.reason = "RENAMED"

    back = error_from_rpc(
        grpc.aio.AioRpcError(
            status.code, grpc.aio.Metadata(), grpc.aio.Metadata(*status.trailing_metadata)
        )
    )

    assert type(back) is errors.NotFoundError
    assert back.reason == "ELSEWHERE"
    assert errors.NotFoundError.reason == "NOT_FOUND"


@pytest.mark.parametrize("code", [code for code in grpc.StatusCode if code.name != "OK"])
def test_a_status_that_no_service_wrote_keeps_its_code(code: grpc.StatusCode) -> None:
    empty = grpc.aio.Metadata()

    back = error_from_rpc(grpc.aio.AioRpcError(code, empty, empty, details="from the transport"))

    assert (back.code, back.message) == (Code(code.name), "from the transport")
    assert back.metadata == {}


def test_details_that_are_no_status_are_passed_over() -> None:
    broken = grpc.aio.Metadata(("grpc-status-details-bin", b"\xff\xff"))

    back = error_from_rpc(
        grpc.aio.AioRpcError(grpc.StatusCode.NOT_FOUND, grpc.aio.Metadata(), broken)
    )

    assert type(back) is errors.NotFoundError


def test_the_request_id_is_sent_along_while_there_is_one() -> None:
    token = bind_request_id("the-request")
    inside: Any = to_status(errors.NotFoundError("gone"), "test.voicemesh")
    reset_request_id(token)
    outside: Any = to_status(errors.NotFoundError("gone"), "test.voicemesh")

    assert b"the-request" in inside.trailing_metadata[-1][1]
    assert b"RequestInfo" not in outside.trailing_metadata[-1][1]
