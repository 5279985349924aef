"""Turns what a handler raises into a status that a caller can use, and nothing more."""

from __future__ import annotations

import asyncio
import uuid
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, NoReturn

import grpc.aio

from voicemesh_chassis.errors import InternalError, ServiceError
from voicemesh_chassis.logs import get_logger
from voicemesh_chassis.status import CancelledOnServerError, to_status

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from voicemesh_chassis.interceptors.call import Call

__all__ = ("Errors",)

_logger = get_logger(__name__)

_TELL_S = 5.0
"""How long a caller may take to read the status of its call, in seconds."""


class Errors:
    """`ServiceError` becomes its status; anything else INTERNAL with an id that is in the log.

    A call that the caller cancelled stays cancelled: there is nobody left to tell.
    """

    def __init__(self, domain: str) -> None:
        self._domain = domain

    @asynccontextmanager
    async def __call__(self, call: Call) -> AsyncIterator[None]:
        """Around one call."""
        try:
            yield
        except (grpc.aio.AbortError, grpc.aio.InternalError):
            # The handler has ended the call itself, or writes to a caller who is gone.
            raise
        except asyncio.CancelledError as error:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            # Nobody cancelled this call: something that it awaited was cancelled. Left alone,
            # grpc.aio would drop the call without a status.
            await self._abort(call, CancelledOnServerError("the work was cancelled"), error)
        except ServiceError as error:
            await self._abort(call, error, error)
        except Exception as error:  # everything else is our fault
            await self._abort(call, _known(error) or _unexpected(call, error), error)

    async def _abort(self, call: Call, error: ServiceError, cause: BaseException) -> NoReturn:
        status = to_status(error, self._domain, tuple(call.context.trailing_metadata() or ()))
        try:
            # The status waits behind messages that the caller has not read. gRPC keeps it for
            # them; the handler need not stay.
            async with asyncio.timeout(_TELL_S):
                await call.context.abort_with_status(status)
        except grpc.aio.AbortError as abort:
            raise abort from cause
        except TimeoutError:
            _logger.warning("the caller does not read its status", method=call.method.path)
            raise asyncio.CancelledError from cause


def _known(error: Exception) -> ServiceError | None:
    """The first `ServiceError` of a group that holds nothing else, as a task group raises."""
    if not isinstance(error, ExceptionGroup):
        return None
    known, other = error.split(ServiceError)
    if known is None or other is not None:
        return None
    first: BaseException = known
    while isinstance(first, ExceptionGroup):
        first = first.exceptions[0]
    return first if isinstance(first, ServiceError) else None


def _unexpected(call: Call, error: Exception) -> InternalError:
    error_id = uuid.uuid4().hex[:12]
    _logger.error("unexpected error", method=call.method.path, error_id=error_id, exc_info=error)
    return InternalError(
        f"internal error {error_id}; the service's log has the cause",
        metadata={"error_id": error_id},
    )
