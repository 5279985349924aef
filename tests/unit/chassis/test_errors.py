"""The tree of errors."""

from __future__ import annotations

from collections.abc import Iterator

import grpc
import pytest

from voicemesh_chassis import errors
from voicemesh_chassis.errors import Code, ServiceError

pytestmark = pytest.mark.unit


def tree(cls: type[ServiceError] = ServiceError) -> Iterator[type[ServiceError]]:
    for subclass in cls.__subclasses__():
        if subclass.__module__ == errors.__name__:
            yield subclass
            yield from tree(subclass)


def test_every_failure_of_grpc_has_a_code_here() -> None:
    assert {code.value for code in Code} == {code.name for code in grpc.StatusCode} - {"OK"}


def test_every_class_is_public_has_a_reason_and_is_in_the_drawing() -> None:
    for cls in tree():
        assert cls.__name__ in errors.__all__
        assert cls.reason == cls.reason.upper()
        assert f"{cls.__name__} " in str(errors.__doc__)
        assert cls.code.value in str(errors.__doc__)


def test_only_what_may_pass_is_retryable() -> None:
    retryable = {cls.__name__ for cls in tree() if cls.retryable}

    assert retryable == {"OverloadedError", "UnavailableError"}


def test_a_field_is_told_to_people_and_programs() -> None:
    error = errors.InvalidArgumentError("too long", field="text", metadata={"limit": "5"})

    assert str(error) == error.message == "too long"
    assert error.field == "text"
    assert error.metadata == {"limit": "5", "field": "text"}


def test_an_error_does_not_change_with_the_metadata_that_it_was_made_from() -> None:
    metadata = {"model": "a"}
    error = errors.NotFoundError("no such model", metadata=metadata)

    metadata["model"] = "b"

    assert error.metadata == {"model": "a"}
