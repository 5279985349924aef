"""The one `grpc.aio` interceptor: gives all four kinds of rpc one shape and enters the guards.

Whatever its kind, a handler becomes a coroutine function. For a streamed response this matters:
`grpc.aio` drives an async generator from outside, so a caller who vanishes during a write leaves
the generator suspended until the garbage collector finds it. Here the generator is driven from
inside the guarded coroutine, so cancellation reaches it at once and its `finally` blocks run
before the call ends.

A write waits until the caller has read enough of what came before. One who stops reading, with
the connection alive, would hold the call's place for ever, so each write has a deadline.

A unary request is taken as a stream of one message, because `grpc.aio` hands a unary handler its
whole message: 200 MB would lie in memory before token and capacity are checked. A stream is read
only when asked, so a refused call costs no more than its headers.

Messages are decoded and encoded inside the guards too. A request that is no protobuf or too large
then gets a proper status; `grpc.aio` alone would answer UNKNOWN with the text of a Python error.
"""

from __future__ import annotations

import asyncio
import inspect
from contextlib import AsyncExitStack, aclosing
from typing import TYPE_CHECKING, Any

import grpc
import grpc.aio

from voicemesh_chassis.errors import (
    DeadlineExceededError,
    InvalidArgumentError,
    LimitExceededError,
    UnimplementedError,
)
from voicemesh_chassis.interceptors.call import Call, Method

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

    from prometheus_client import Counter

    from voicemesh_chassis.interceptors.call import Guard
    from voicemesh_chassis.metrics import GrpcMetrics

    Handler = grpc.RpcMethodHandler[Any, Any]
    Context = grpc.aio.ServicerContext[Any, Any]
    Behaviour = Callable[[Any, Context], Any]
    Coded = Callable[[Any], Any] | None

__all__ = ("GuardChain",)

_REQUEST_TIMEOUT_S = 120.0
"""How long the one message of a unary request may take to arrive once the call is admitted."""


class GuardChain(grpc.aio.ServerInterceptor):
    """Runs every handler inside the guards, the first guard outermost."""

    def __init__(
        self,
        guards: Sequence[Guard],
        metrics: GrpcMetrics,
        *,
        max_message_bytes: int,
        write_timeout_s: float,
    ) -> None:
        self._guards = tuple(guards)
        self._metrics = metrics
        self._max_message_bytes = max_message_bytes
        self._write_timeout_s = write_timeout_s

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Handler | None]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Handler:
        """The handler of the called method, guarded; an unknown method gets one that refuses."""
        handler = await continuation(handler_call_details)
        method = Method.of(handler_call_details.method, handler)
        metadata = {
            key: value
            for key, value in handler_call_details.invocation_metadata or ()
            if isinstance(value, str)
        }
        return self._guarded(method, handler or _unserved(method), metadata)

    def _guarded(self, method: Method, handler: Handler, metadata: dict[str, str]) -> Handler:
        decode = self._decoder(handler.request_deserializer, method)
        encode = self._encoder(handler.response_serializer, method)
        behaviour = _behaviour(handler)
        unary_request = not handler.request_streaming
        unary_response = not handler.response_streaming

        async def guarded(incoming: AsyncIterator[Any], context: Context) -> Any:
            async with AsyncExitStack() as stack:
                call = Call(method, context, metadata)
                for guard in self._guards:
                    await stack.enter_async_context(guard(call))
                request = decode(await _only(incoming)) if unary_request else incoming
                response = behaviour(request, context)
                if unary_response:
                    return encode(await response)
                await _respond(response, context, self._write_timeout_s)
                return None

        make = _MAKERS[unary_response]
        return make(guarded, None if unary_request else decode, None if unary_response else encode)

    def _decoder(self, deserializer: Coded, method: Method) -> Callable[[bytes], Any]:
        count = self._metrics.received.labels(*method.labels)

        def decode(raw: bytes) -> Any:
            count.inc()
            self._check_size(raw, "request")
            try:
                return deserializer(raw) if deserializer else raw
            except Exception as error:  # whatever the codec of the method raises
                msg = f"the request is not a valid message of {method.path}"
                raise InvalidArgumentError(msg, field="request") from error

        return decode

    def _encoder(self, serializer: Coded, method: Method) -> Callable[[Any], bytes]:
        count: Counter = self._metrics.sent.labels(*method.labels)

        def encode(message: Any) -> bytes:
            raw: bytes = serializer(message) if serializer else message
            self._check_size(raw, "response")
            count.inc()
            return raw

        return encode

    def _check_size(self, raw: bytes, field: str) -> None:
        if len(raw) > self._max_message_bytes:
            msg = (
                f"a {field} message of {len(raw)} bytes is larger than the "
                f"{self._max_message_bytes} bytes allowed; send less or use a streaming call"
            )
            raise LimitExceededError(
                msg, field=field, metadata={"max_message_bytes": str(self._max_message_bytes)}
            )


async def _only(incoming: AsyncIterator[bytes]) -> bytes:
    """The one message of a unary request."""
    try:
        async with asyncio.timeout(_REQUEST_TIMEOUT_S) as deadline:
            async for message in incoming:
                return message
    except TimeoutError as error:
        if not deadline.expired():  # pragma: no cover - grpc.aio raises none of its own
            raise
        msg = f"the request did not arrive within {_REQUEST_TIMEOUT_S:g} s"
        raise DeadlineExceededError(msg) from error
    msg = "the call carries no request message"
    raise InvalidArgumentError(msg, field="request")


async def _respond(response: Any, context: Context, write_timeout_s: float) -> None:
    """Runs a streaming handler, written as a coroutine or as an async generator, to its end."""
    if inspect.isawaitable(response):
        await response
        return
    async with aclosing(response) as messages:
        async for message in messages:
            await _write(message, context, write_timeout_s)


async def _write(message: Any, context: Context, timeout_s: float) -> None:
    try:
        async with asyncio.timeout(timeout_s) as deadline:
            await context.write(message)
    except TimeoutError as error:
        if not deadline.expired():  # pragma: no cover - grpc.aio raises none of its own
            raise
        msg = f"the caller has not read enough for {timeout_s:g} s to be sent more"
        raise DeadlineExceededError(msg) from error


def _behaviour(handler: Handler) -> Behaviour:
    kinds: tuple[Any, ...] = (
        handler.unary_unary,
        handler.unary_stream,
        handler.stream_unary,
        handler.stream_stream,
    )
    behaviour: Behaviour = next(kind for kind in kinds if kind is not None)
    return behaviour


def _unserved(method: Method) -> Handler:
    async def refuse(_requests: AsyncIterator[bytes], _context: Context) -> None:
        msg = f"{method.path} is not served here"
        raise UnimplementedError(msg)

    return grpc.stream_stream_rpc_method_handler(refuse)


_MAKERS: dict[bool, Callable[..., Handler]] = {
    True: grpc.stream_unary_rpc_method_handler,
    False: grpc.stream_stream_rpc_method_handler,
}
"""By whether there is one response. All requests are taken as streams; see the module."""
