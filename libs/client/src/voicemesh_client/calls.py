"""Runs calls: a deadline on every wait, errors of the one tree, nothing left behind.

A streaming call is an async generator. Closing it (`aclose`, or leaving `contextlib.aclosing`)
cancels the call and ends the task that sends, before it returns.
"""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar, cast

import grpc
import grpc.aio

from voicemesh_chassis.channel import error_from_rpc
from voicemesh_client.errors import (
    DeadlineExceededError,
    InvalidArgumentError,
    LimitExceededError,
    ServiceError,
    UnavailableError,
)
from voicemesh_client.unreached import unreached

if TYPE_CHECKING:
    from collections.abc import (
        AsyncGenerator,
        Awaitable,
        Iterator,
    )

    from voicemesh_client.connection import Connection

__all__ = ("Peer", "is_being_cancelled", "receive", "refusing_bad_values", "single")

Piece = TypeVar("Piece")
Request = TypeVar("Request")
Response = TypeVar("Response")

_DETAILS_KEY = "grpc-status-details-bin"


@dataclass(frozen=True, slots=True)
class Peer:
    """Who is called, for sentences, and how long to wait for them."""

    target: str
    timeout_s: float
    speaks_tls: bool = False

    @classmethod
    def of(cls, connection: Connection) -> Peer:
        """Who is at the other end of a connection."""
        return cls(connection.target, connection.timeout_s, connection.tls is not None)

    def failure(self, error: grpc.aio.AioRpcError) -> ServiceError:
        """The error as the service raised it; said plainly if no service was reached."""
        if not any(key == _DETAILS_KEY for key, _ in error.trailing_metadata() or ()):
            if error.code() is grpc.StatusCode.UNAVAILABLE:
                return unreached(error.details() or "", self.target, speaks_tls=self.speaks_tls)
            if error.code() is grpc.StatusCode.DEADLINE_EXCEEDED:
                return self.too_slow()
            if error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED:
                return self.too_large()
        return error_from_rpc(error)

    def too_slow(self) -> DeadlineExceededError:
        """The error for a wait that was too long."""
        return DeadlineExceededError(
            f"the service at {self.target} did not answer within {self.timeout_s:g} s"
        )

    def too_large(self) -> LimitExceededError:
        """The error for a message that this side sends or takes no part of."""
        return LimitExceededError(
            f"the request to {self.target}, or its answer, is larger than this connection allows; "
            "send less, or raise Connection.max_message_bytes",
            field="request",
        )

    def closed(self) -> UnavailableError:
        """The error for a call whose channel was closed under it."""
        return UnavailableError(f"the connection to {self.target} was closed during the call")


@contextmanager
def refusing_bad_values() -> Iterator[None]:
    """Turns what protobuf says of a value that fits no field into `InvalidArgumentError`."""
    try:
        yield
    except (ValueError, OverflowError, TypeError) as error:
        msg = f"a value of the request cannot be sent: {error}"
        raise InvalidArgumentError(msg, field="request") from error


async def single(call: Awaitable[Response], peer: Peer) -> Response:
    """The one answer of a call; raises `ServiceError`."""
    try:
        return await call
    except grpc.aio.AioRpcError as error:
        raise peer.failure(error) from error
    except asyncio.CancelledError:
        if is_being_cancelled():
            raise
        raise peer.closed() from None


async def receive(
    call: grpc.aio.UnaryStreamCall[Any, Response], peer: Peer
) -> AsyncGenerator[Response, None]:
    """The answers of a call that streams them, each at most `peer.timeout_s` after the last."""
    try:
        while True:
            try:
                async with asyncio.timeout(peer.timeout_s):
                    response = await call.read()
            except TimeoutError:
                raise peer.too_slow() from None
            except grpc.aio.AioRpcError as error:
                raise peer.failure(error) from error
            except asyncio.CancelledError:
                if is_being_cancelled():
                    raise
                raise peer.closed() from None
            if response is grpc.aio.EOF:
                return
            yield cast("Response", response)
    finally:
        call.cancel()


def is_being_cancelled() -> bool:
    """Whether a CancelledError is meant for this task, and not the end of the call alone."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
