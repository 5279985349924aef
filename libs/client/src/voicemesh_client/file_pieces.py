"""The bytes of a recording piece by piece, read where they cannot hold up the event loop."""

from __future__ import annotations

import asyncio
import io
import os
import stat
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Generator, Iterator
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, BinaryIO, cast

if TYPE_CHECKING:
    from collections.abc import Iterable

    from voicemesh_client.files import FileSource

__all__ = ("can_be_sent_again", "opened")

_PIECE_BYTES = 1 << 18
_STEP_S = 1.0
"""How long a read that is under way is waited for when the upload ends before it."""


async def can_be_sent_again(source: FileSource) -> bool:
    """Whether the source has the same bytes when it is read a second time."""
    if isinstance(source, bytes | bytearray | memoryview):
        return True
    if not isinstance(source, str | os.PathLike):
        return False
    try:
        mode = (await asyncio.to_thread(os.stat, source)).st_mode
    except OSError:
        return False
    return stat.S_ISREG(mode)


@asynccontextmanager
async def opened(source: FileSource) -> AsyncGenerator[AsyncIterable[bytes], None]:
    """The pieces of the source; a path is open until the block ends, generators are closed.

    An open file is left open: it belongs to the caller.

    Raises:
        OSError: if a path cannot be opened.
    """
    if isinstance(source, AsyncIterable):
        yield source
        return
    pieces = _Threaded(await _steps(source))
    try:
        yield pieces
    finally:
        await pieces.aclose()


async def _steps(
    source: str | os.PathLike[str] | bytes | BinaryIO | Iterable[bytes],
) -> Iterator[bytes]:
    if isinstance(source, str | os.PathLike):
        return _PathSteps(await _open(source))
    if isinstance(source, bytes | bytearray | memoryview):
        return iter((bytes(source),))
    if hasattr(source, "read"):
        return _steps_of(cast("BinaryIO", source))
    return iter(source)


def _steps_of(file: BinaryIO) -> Generator[bytes, None, None]:
    while piece := file.read(_PIECE_BYTES):
        yield piece


async def _open(path: str | os.PathLike[str]) -> io.FileIO:
    opening = asyncio.get_running_loop().run_in_executor(None, partial(io.FileIO, path))
    try:
        return await asyncio.shield(opening)
    except asyncio.CancelledError:
        opening.add_done_callback(_close_opened)
        raise


def _close_opened(opening: asyncio.Future[io.FileIO]) -> None:
    if not opening.cancelled() and opening.exception() is None:
        opening.result().close()


class _PathSteps:
    """The pieces of a file that is closed with them, also if none was read."""

    def __init__(self, file: io.FileIO) -> None:
        self._file = file

    def __iter__(self) -> _PathSteps:
        return self

    def __next__(self) -> bytes:
        piece = self._file.read(_PIECE_BYTES)
        if not piece:
            raise StopIteration
        return piece

    def close(self) -> None:
        self._file.close()


class _Threaded(AsyncIterator[bytes]):
    """Runs an iterator on threads, one step at a time, and closes it at the end.

    A thread cannot be interrupted. If this is closed in the middle of a step that takes long (a
    pipe to which nobody writes), the iterator is closed as soon as the step ends.
    """

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._step: asyncio.Future[bytes | None] | None = None

    async def __anext__(self) -> bytes:
        step = asyncio.get_running_loop().run_in_executor(None, next, self._pieces, None)
        self._step = step
        piece = await asyncio.shield(step)
        if piece is None:
            raise StopAsyncIteration
        return piece

    async def aclose(self) -> None:
        """Closes the iterator, now or when its step ends."""
        if self._step is None:
            self._close()
            return
        await asyncio.wait({self._step}, timeout=_STEP_S)
        if self._step.done():
            self._close()
        else:
            self._step.add_done_callback(self._close)

    def _close(self, _step: object = None) -> None:
        if self._step is not None and not self._step.cancelled():
            self._step.exception()  # seen, or it would be reported as never retrieved
        close = getattr(self._pieces, "close", None)
        if close is not None:
            close()
