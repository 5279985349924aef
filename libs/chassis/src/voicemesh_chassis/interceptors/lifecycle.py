"""Where the service is between start and stop, and which calls that lets in."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from enum import Enum
from typing import TYPE_CHECKING

from voicemesh_chassis.errors import UnavailableError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from voicemesh_chassis.interceptors.call import Call

__all__ = ("Lifecycle", "Phase")

_RETRY_AFTER_S = 1.0


class Phase(Enum):
    """The phases of a service, in order."""

    STARTING = "starting"
    SERVING = "serving"
    DRAINING = "draining"


class Lifecycle:
    """Refuses calls unless the service is serving, and knows which calls are open.

    Health and reflection are always let in, and are not waited for: a balancer watches health
    for as long as it lives.

    Attributes:
        phase: where the service is; set by `app`.
    """

    def __init__(self) -> None:
        self.phase = Phase.STARTING
        self._open: dict[asyncio.Task[object], bool] = {}  # to: whether it is free
        self._cut: set[asyncio.Task[object]] = set()
        self._changed = asyncio.Event()

    @asynccontextmanager
    async def __call__(self, call: Call) -> AsyncIterator[None]:
        """Around one call."""
        if not call.method.is_free and self.phase is not Phase.SERVING:
            msg = f"the service is {self.phase.value}; try again or use another replica"
            raise UnavailableError(msg, retry_after_s=_RETRY_AFTER_S)
        task = asyncio.current_task()
        if task is None:  # pragma: no cover - grpc.aio runs every call in a task
            msg = "a call must run in a task"
            raise RuntimeError(msg)
        self._open[task] = call.method.is_free
        try:
            yield
        except asyncio.CancelledError as error:
            if task not in self._cut:
                raise
            task.uncancel()
            msg = "the service is stopping and the call did not end in time"
            raise UnavailableError(msg, retry_after_s=_RETRY_AFTER_S) from error
        finally:
            self._cut.discard(task)
            self._open.pop(task, None)
            self._changed.set()

    def open_calls(self, *, free: bool) -> list[asyncio.Task[object]]:
        """The calls in progress: of health and reflection if `free`, else of the service."""
        return [task for task, is_free in self._open.items() if is_free is free]

    async def idle(self, *, free: bool = False) -> None:
        """Returns when no call of that sort is in progress."""
        while self.open_calls(free=free):
            self._changed.clear()
            await self._changed.wait()

    def cut(self, *, free: bool) -> int:
        """Ends all calls of that sort with UNAVAILABLE; says how many there were."""
        tasks = self.open_calls(free=free)
        for task in tasks:
            self._cut.add(task)
            task.cancel()
        return len(tasks)
