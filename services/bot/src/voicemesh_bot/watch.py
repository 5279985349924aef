"""Keeps an eye on the backends and tells every session when one goes or comes back."""

from __future__ import annotations

import asyncio
from types import MappingProxyType
from typing import TYPE_CHECKING

from voicemesh_bot.domain import Backend

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from voicemesh_bot.ports import Readiness

__all__ = ("BackendWatch",)

_STEADY_CHECKS = 2
"""A backend counts as back after this many good checks: by then connections to it have been made
anew, whose pauses between attempts grow while it is away."""


class BackendWatch:
    """Asks each backend every `interval_s` seconds; `run` it as a task."""

    def __init__(self, readiness: Readiness, *, interval_s: float = 2.0) -> None:
        self._readiness = readiness
        self._interval_s = interval_s
        self._ready: dict[Backend, bool] = {}
        self._good_checks: dict[Backend, int] = {}
        self._subscribers: list[Callable[[Backend, bool], None]] = []

    @property
    def ready(self) -> Mapping[Backend, bool]:
        """What is known of each backend; empty before the first answers."""
        return MappingProxyType(self._ready)

    def subscribe(self, tell: Callable[[Backend, bool], None]) -> Callable[[], None]:
        """Calls `tell` at every change from now on, until the returned function is called."""
        self._subscribers.append(tell)
        return lambda: self._subscribers.remove(tell)

    async def run(self) -> None:
        """Watches until cancelled."""
        while True:
            async with asyncio.TaskGroup() as checks:
                for backend in Backend:
                    checks.create_task(self._check(backend))
            await asyncio.sleep(self._interval_s)

    async def _check(self, backend: Backend) -> None:
        good = await self._readiness.is_ready(backend)
        count = self._good_checks.get(backend, 0) + 1 if good else 0
        self._good_checks[backend] = count
        before = self._ready.get(backend)
        if before is good or (before is False and count < _STEADY_CHECKS):
            return
        self._ready[backend] = good
        for tell in tuple(self._subscribers):
            tell(backend, good)
