"""The status that a peer gave a call, kept from being lost.

Where the peer ends a call while a request is being written, the write fails, and grpc.aio then
puts INTERNAL "Internal error from Core" in the place of the peer's status, or over it (seen in
grpcio 1.85: more than half of the calls whose peer ends first; `_call.py`, `_write`). A client
would see a fault where the service said "no such voice".
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeVar

import grpc
import grpc.aio

if TYPE_CHECKING:
    from collections.abc import Coroutine

__all__ = ("CallStatus",)

_OVERWRITTEN = "Internal error from Core"
_SETTLING_S = 1.0
_STEP_S = 0.005

T = TypeVar("T")


class CallStatus:
    """Watches one call from its beginning."""

    def __init__(self, call: grpc.aio.Call) -> None:
        self._call = call
        self._first: grpc.aio.AioRpcError | None = None
        call.add_done_callback(self._note)

    async def of(self, error: grpc.aio.AioRpcError) -> grpc.aio.AioRpcError | None:
        """The status that the peer gave, where `error` is what the call ended with here.

        None means OK.
        """
        if not _is_overwritten(error):
            return error
        if self._first is None:
            await self._settle()
        if self._first is None:
            return error
        return None if self._first.code() is grpc.StatusCode.OK else self._first

    def _note(self, _call: Any) -> None:
        """Runs whenever a status is set, before anything else can set another."""
        status = self._status_now()
        if self._first is None and status is not None and not _is_overwritten(status):
            self._first = status

    async def _settle(self) -> None:
        """Waits for the peer's status where the failed write was faster."""
        deadline = asyncio.get_running_loop().time() + _SETTLING_S
        while self._first is None and asyncio.get_running_loop().time() < deadline:
            await asyncio.sleep(_STEP_S)
            self._note(self._call)

    def _status_now(self) -> grpc.aio.AioRpcError | None:
        code = _now(self._call.code())
        if code is None:
            return None
        return grpc.aio.AioRpcError(
            code,
            grpc.aio.Metadata(),
            _now(self._call.trailing_metadata()) or grpc.aio.Metadata(),
            details=_now(self._call.details()),
        )


def _is_overwritten(error: grpc.aio.AioRpcError) -> bool:
    return error.code() is grpc.StatusCode.INTERNAL and (error.details() or "").startswith(
        _OVERWRITTEN
    )


def _now(coroutine: Coroutine[Any, Any, T]) -> T | None:
    """What the coroutine returns at once; None if it would wait.

    The status is behind coroutines, but a done callback cannot await: once one is set, they return
    without waiting.
    """
    try:
        coroutine.send(None)
    except StopIteration as returned:
        value: T = returned.value
        return value
    coroutine.close()
    return None
