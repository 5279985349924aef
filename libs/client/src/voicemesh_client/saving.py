"""Streams of bytes as files, written where they cannot hold up the event loop."""

from __future__ import annotations

import asyncio
import os
import tempfile
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

__all__ = ("saved",)


async def saved(pieces: AsyncGenerator[bytes, None], path: str | os.PathLike[str]) -> int:
    """Writes a file, which appears, or takes the place of an old one, when it is whole.

    Args:
        pieces: its bytes; closed at the end.
        path: the file.

    Returns:
        Its size in bytes.

    Raises:
        OSError: if it cannot be written.
    """
    target = Path(path)
    size = 0
    async with aclosing(pieces) as incoming:
        file = await asyncio.to_thread(_temporary, target)
        try:
            async for piece in incoming:
                size += await asyncio.to_thread(file.write, piece)
            # Not on a thread that nobody waits for: what is moved must be complete.
            await asyncio.shield(asyncio.to_thread(_put, file, target))
        except BaseException:
            _discard(file)
            raise
    return size


def _temporary(target: Path) -> BinaryIO:
    """A file beside the target, so that it can be moved there in one step."""
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".part", dir=target.parent)
    file = os.fdopen(handle, "wb")
    file.close()
    return Path(name).open("wb")


def _discard(file: BinaryIO) -> None:
    file.close()
    Path(file.name).unlink(missing_ok=True)


def _put(file: BinaryIO, target: Path) -> None:
    file.close()
    # mkstemp lets nobody else read; an exported file is like any other.
    mask = os.umask(0)
    os.umask(mask)
    Path(file.name).chmod(0o666 & ~mask)
    Path(file.name).replace(target)
