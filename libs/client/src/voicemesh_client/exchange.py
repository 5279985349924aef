"""Calls in both directions."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Any, Generic, TypeVar, cast

import grpc.aio

from voicemesh_client.call_status import CallStatus
from voicemesh_client.calls import Peer, is_being_cancelled, refusing_bad_values

__all__ = ("Exchange", "with_one_answer")

Piece = TypeVar("Piece")
Request = TypeVar("Request")
Response = TypeVar("Response")


class Exchange(Generic[Piece, Request, Response]):
    """One call in both directions.

    It sends from a task of its own, so that neither side holds up the other. The source of pieces
    is closed with the call. What the source raises ends the call and comes out of `responses`.

    The deadline is for the peer alone: a wait for the next response ends after `peer.timeout_s`
    in which the peer neither answered nor took a piece. Time in which the source makes the next
    piece does not count, nor does time in which nobody waits for a response: a peer may well take
    nothing more until its answers are read.
    """

    def __init__(
        self,
        call: grpc.aio.StreamStreamCall[Request, Response],
        first: Request,
        source: AsyncIterable[Piece],
        convert: Callable[[Piece], Iterable[Request]],
        peer: Peer,
    ) -> None:
        self._call = call
        self._status = CallStatus(call)
        # Iterated rather than read: `read` gives up what has arrived once a write has failed.
        self._arriving = aiter(call)
        self._first = first
        self._source = source
        self._convert = convert
        self._peer = peer
        self._source_failure: BaseException | None = None
        self._is_peers_turn = True
        self._waiting: asyncio.Timeout | None = None

    async def responses(self) -> AsyncGenerator[Response, None]:
        """What the peer answers, until it ends the call; raises `ServiceError`."""
        sender = asyncio.create_task(self._send(), name=f"send to {self._peer.target}")
        try:
            while True:
                try:
                    response = await self._next()
                except StopAsyncIteration:
                    return
                yield response
        finally:
            self._call.cancel()
            sender.cancel()
            await asyncio.wait({sender})
            await _close(self._arriving)

    async def _next(self) -> Response:
        """The next response; raises `StopAsyncIteration` after the last."""
        try:
            return await self._arrival()
        except TimeoutError:
            raise self._peer.too_slow() from None
        except grpc.aio.AioRpcError as error:
            true_error = await self._status.of(error)
            if true_error is None:
                raise StopAsyncIteration from None
            raise self._peer.failure(true_error) from error
        except asyncio.CancelledError:
            if is_being_cancelled():
                raise
            raise self._source_failure or self._peer.closed() from None

    async def _arrival(self) -> Response:
        try:
            async with asyncio.timeout_at(self._deadline()) as self._waiting:
                return await anext(self._arriving)
        finally:
            self._waiting = None

    async def _send(self) -> None:
        try:
            async with _owned(self._source) as pieces:
                if await self._write(self._first):
                    await self._write_all(pieces)
        except Exception as error:
            # Kept for the reader, which ends with it: this task has nobody to tell.
            self._source_failure = error
            self._call.cancel()

    async def _write_all(self, pieces: AsyncIterator[Piece]) -> None:
        async for piece in pieces:
            with refusing_bad_values():
                requests = tuple(self._convert(piece))
            for request in requests:
                if not await self._write(request):
                    return
        self._turn_to(peer=True)
        await self._call.done_writing()

    async def _write(self, request: Request) -> bool:
        """Whether the peer still listens; if not, the reader learns why."""
        self._turn_to(peer=True)
        try:
            await self._call.write(request)
        except (grpc.aio.AioRpcError, asyncio.InvalidStateError):
            return False
        self._turn_to(peer=False)
        return True

    def _turn_to(self, *, peer: bool) -> None:
        """Notes whether the peer or the source is to act next, and sets the deadline by it."""
        self._is_peers_turn = peer
        if self._waiting is not None and not self._waiting.expired():
            self._waiting.reschedule(self._deadline())

    def _deadline(self) -> float | None:
        """When the reader gives up, by the clock of the event loop."""
        if not self._is_peers_turn:
            return None
        return asyncio.get_running_loop().time() + self._peer.timeout_s


@asynccontextmanager
async def _owned(source: AsyncIterable[Piece]) -> AsyncIterator[AsyncIterator[Piece]]:
    """An iterator over the source, closed at the end if it can be."""
    iterator = aiter(source)
    try:
        yield iterator
    finally:
        await _close(iterator)


async def _close(iterator: AsyncIterator[object]) -> None:
    if isinstance(iterator, AsyncGenerator):
        await iterator.aclose()


def with_one_answer(
    call: grpc.aio.StreamUnaryCall[Request, Response],
) -> grpc.aio.StreamStreamCall[Request, Response]:
    """A call that streams requests and gets one answer, as `Exchange` takes it."""
    return cast("grpc.aio.StreamStreamCall[Request, Response]", _OneAnswer(call))


class _OneAnswer:
    """The call, whose one answer is iterated over."""

    def __init__(self, call: grpc.aio.StreamUnaryCall[Any, Any]) -> None:
        self._call = call

    def __getattr__(self, name: str) -> Any:
        return getattr(self._call, name)

    async def __aiter__(self) -> AsyncGenerator[Any, None]:
        yield await self._call
