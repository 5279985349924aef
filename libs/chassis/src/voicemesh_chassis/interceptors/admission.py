"""Takes on only as much work as the service can do at once.

A queue in front of a model only moves the wait to where the caller cannot see it, so a call that
does not fit is refused at once, and told when to come back.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from prometheus_client import Gauge

from voicemesh_chassis.errors import OverloadedError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from prometheus_client import CollectorRegistry

    from voicemesh_chassis.interceptors.call import Call

__all__ = ("Admission",)

_RETRY_AFTER_S = 1.0


class Admission:
    """A weighted semaphore that never waits.

    A call heavier than the whole capacity is let in when nothing else is being served; otherwise
    a small capacity would lock its method out for good.
    """

    def __init__(
        self, capacity: int, weights: Mapping[str, int], registry: CollectorRegistry
    ) -> None:
        self._capacity = capacity
        self._weights = dict(weights)
        self._used = 0
        Gauge(
            "voicemesh_admission_capacity",
            "Sum of the weights of the calls that are served at once.",
            registry=registry,
        ).set(capacity)
        Gauge(
            "voicemesh_admission_used",
            "Sum of the weights of the calls being served.",
            registry=registry,
        ).set_function(lambda: self._used)

    @asynccontextmanager
    async def __call__(self, call: Call) -> AsyncIterator[None]:
        """Around one call."""
        weight = 0 if call.method.is_free else self._weights.get(call.method.path, 1)
        weight = min(weight, self._capacity)
        if self._used + weight > self._capacity and weight > 0:
            msg = "the service has as much work as it takes on at once; try again later"
            raise OverloadedError(msg, retry_after_s=_RETRY_AFTER_S)
        self._used += weight
        try:
            yield
        finally:
            self._used -= weight
