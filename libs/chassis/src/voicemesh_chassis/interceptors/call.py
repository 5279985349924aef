"""One call as the guards see it, and what a guard is."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import grpc
import grpc.aio

from voicemesh_chassis.errors import Code

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AbstractAsyncContextManager

__all__ = ("HEALTH", "Call", "Guard", "Method", "ending_code")

HEALTH = "grpc.health.v1.Health"

_FREE_SERVICES = frozenset(
    {HEALTH, "grpc.reflection.v1alpha.ServerReflection", "grpc.reflection.v1.ServerReflection"}
)

_LONGEST_PATH = 100
"""Most characters of a path that nobody serves: the caller chose it, and it goes into the log."""

_KINDS = {
    (False, False): "unary",
    (True, False): "client_stream",
    (False, True): "server_stream",
    (True, True): "bidi_stream",
}


@dataclass(frozen=True)
class Method:
    """An rpc method; one that is not served is `unknown`, so that callers cannot grow metrics."""

    path: str
    """`/package.Service/Method` as called."""

    service: str
    name: str
    kind: str
    """go-grpc-middleware's word: `unary`, `client_stream`, `server_stream` or `bidi_stream`."""

    @classmethod
    def of(cls, path: str, handler: grpc.RpcMethodHandler[Any, Any] | None) -> Method:
        """The method at `path`, served by `handler` or, if None, by nobody."""
        if handler is None:
            return cls(path[:_LONGEST_PATH], "unknown", "unknown", "unary")
        service, _, name = path.removeprefix("/").rpartition("/")
        kind = _KINDS[bool(handler.request_streaming), bool(handler.response_streaming)]
        return cls(path, service, name, kind)

    @property
    def labels(self) -> tuple[str, str, str]:
        """`grpc_type`, `grpc_service`, `grpc_method`."""
        return self.kind, self.service, self.name

    @property
    def is_free(self) -> bool:
        """Whether this is health or reflection, which are not the service's work."""
        return self.service in _FREE_SERVICES


@dataclass(frozen=True)
class Call:
    """One call being served."""

    method: Method
    context: grpc.aio.ServicerContext[Any, Any]
    metadata: Mapping[str, str]
    """The caller's textual metadata; the last value of each key."""


class Guard(Protocol):
    """Something that happens around each call.

    Called once per call; the context manager is entered before the handler and left after it, in
    the same task. An exception of the handler passes through it, and one that it raises itself
    goes to the guards outside of it. It must let `asyncio.CancelledError` through.
    """

    def __call__(self, call: Call) -> AbstractAsyncContextManager[None]:
        """A context manager for one call."""


def ending_code(call: Call, error: BaseException | None) -> str:
    """The status code that a call ended with, by name; `error` is what left the handler."""
    if isinstance(error, asyncio.CancelledError | grpc.aio.InternalError):
        # InternalError: a write to a caller who is gone.
        remaining = call.context.time_remaining()
        past = remaining is not None and remaining <= 0
        return (Code.DEADLINE_EXCEEDED if past else Code.CANCELLED).value
    code: Any = call.context.code()
    if error is not None and not isinstance(error, grpc.aio.AbortError):
        return Code.UNKNOWN.value
    # None until somebody sets it; grpc.aio keeps what it was given, a StatusCode or its number.
    return _CODE_NAMES.get(code, "OK") if code is None or isinstance(code, int) else str(code.name)


_CODE_NAMES: dict[int | None, str] = {int(code.value[0]): code.name for code in grpc.StatusCode}
