"""Counts and times each call."""

from __future__ import annotations

import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from voicemesh_chassis.interceptors.call import ending_code

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from voicemesh_chassis.interceptors.call import Call
    from voicemesh_chassis.metrics import GrpcMetrics

__all__ = ("Metering",)


class Metering:
    """Keeps `GrpcMetrics`; messages are counted by the chain, where they are coded."""

    def __init__(self, metrics: GrpcMetrics) -> None:
        self._metrics = metrics

    @asynccontextmanager
    async def __call__(self, call: Call) -> AsyncIterator[None]:
        """Around one call."""
        labels = call.method.labels
        self._metrics.started.labels(*labels).inc()
        in_flight = self._metrics.in_flight.labels(*labels)
        in_flight.inc()
        begin = time.monotonic()
        error: BaseException | None = None
        try:
            yield
        except BaseException as raised:
            error = raised
            raise
        finally:
            in_flight.dec()
            self._metrics.seconds.labels(*labels).observe(time.monotonic() - begin)
            code = _go_spelling(ending_code(call, error))
            self._metrics.handled.labels(*labels, code).inc()


def _go_spelling(code: str) -> str:
    """`InvalidArgument` for `INVALID_ARGUMENT`, as Go's `codes.Code` prints it."""
    if code == "OK":
        return code
    if code == "CANCELLED":
        return "Canceled"
    return "".join(word.capitalize() for word in code.split("_"))
