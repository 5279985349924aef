"""Gives each call its request id and one log line when it ends."""

from __future__ import annotations

import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from voicemesh_chassis.interceptors.call import ending_code
from voicemesh_chassis.logs import get_logger
from voicemesh_chassis.requests import (
    REQUEST_ID_KEY,
    accepted_request_id,
    bind_request_id,
    reset_request_id,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from voicemesh_chassis.interceptors.call import Call

__all__ = ("AccessLog",)

_logger = get_logger(__name__)


class AccessLog:
    """Takes or makes the request id, echoes it in the trailing metadata, logs the call's end.

    The line says which method, how it ended and how long it took, and nothing of what was in it.
    Health and reflection are logged at DEBUG: probes would fill the log.
    """

    @asynccontextmanager
    async def __call__(self, call: Call) -> AsyncIterator[None]:
        """Around one call."""
        request_id = accepted_request_id(call.metadata.get(REQUEST_ID_KEY))
        token = bind_request_id(request_id)
        # Trailing, not initial: initial metadata ends the client's chance of a retry.
        call.context.set_trailing_metadata(((REQUEST_ID_KEY, request_id),))
        begin = time.monotonic()
        error: BaseException | None = None
        try:
            yield
        except BaseException as raised:
            error = raised
            raise
        finally:
            log = _logger.debug if call.method.is_free else _logger.info
            log(
                "rpc",
                method=call.method.path,
                code=ending_code(call, error),
                duration_ms=round((time.monotonic() - begin) * 1000, 1),
            )
            reset_request_id(token)
