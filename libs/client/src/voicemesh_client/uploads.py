"""What is uploaded in an import of examples, and as what."""

from __future__ import annotations

import os
import uuid
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from voicemesh_client.directories import is_directory, zipped
from voicemesh_client.examples import DatasetFormat, ImportOptions

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterable, Callable

    from voicemesh_client.files import FileSource

__all__ = ("Progress", "counted", "named", "new_request_id", "prepared")

Progress: TypeAlias = "Callable[[int], None]"
"""Told the bytes that have been handed over so far; a repeated upload begins again at 0."""


def new_request_id() -> str:
    """A name for one request, which no other has."""
    return uuid.uuid4().hex


def named(source: FileSource, options: ImportOptions) -> ImportOptions:
    """The options with a name of the file, where it has one, and of the request."""
    path = source if isinstance(source, str | os.PathLike) else getattr(source, "name", "")
    name = Path(path).name if isinstance(path, str | os.PathLike) else ""
    return replace(
        options,
        file_name=options.file_name or name,
        request_id=options.request_id or new_request_id(),
    )


@asynccontextmanager
async def prepared(
    source: FileSource, options: ImportOptions
) -> AsyncGenerator[tuple[FileSource, ImportOptions], None]:
    """The source as it can be uploaded: a directory as a zip archive, all else as it is.

    Raises:
        OSError: if a file of a directory cannot be read.
        InvalidArgumentError: if a directory has no file of examples.
    """
    if isinstance(source, str | os.PathLike) and await is_directory(source):
        async with zipped(Path(source)) as archive:
            options = replace(options, format=DatasetFormat.ZIP, file_name="directory.zip")
            yield archive, options
        return
    yield source, options


async def counted(
    pieces: AsyncIterable[bytes], progress: Progress | None
) -> AsyncGenerator[bytes, None]:
    """The pieces, with their bytes counted as they are handed over.

    The pieces are not closed with it: who opened them does that.
    """
    byte_count = 0
    async for piece in pieces:
        yield piece
        byte_count += len(piece)
        if progress is not None:
            progress(byte_count)
