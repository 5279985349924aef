"""A directory of examples as one zip archive."""

from __future__ import annotations

import asyncio
import os
import tempfile
import zipfile
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from voicemesh_client.errors import InvalidArgumentError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator

__all__ = ("is_directory", "zipped")

_EXTENSIONS = frozenset(
    (".csv", ".tsv", ".tab", ".json", ".jsonl", ".ndjson", ".txt", ".text", ".md")
)
"""Of the files that the service reads out of archives."""
_EARLIEST = (1980, 1, 1, 0, 0, 0)
"""The one time in all archives, so that the same files make the same bytes, and a repeated import
is known for what it is."""


async def is_directory(source: object) -> bool:
    """Whether the source of an import is the path of a directory."""
    if not isinstance(source, str | os.PathLike):
        return False
    return await asyncio.to_thread(os.path.isdir, source)


@asynccontextmanager
async def zipped(directory: Path) -> AsyncGenerator[Path, None]:
    """A zip archive of the files of a directory that hold examples; gone when the block ends.

    Of directories below it too, in the order of their names. Left out are hidden files, files of
    other kinds, and symbolic links, which may lead anywhere.

    Raises:
        OSError: if a file cannot be read.
        InvalidArgumentError: if there is no such file.
    """
    making = asyncio.ensure_future(asyncio.to_thread(_archive_of, directory))
    try:
        archive = await asyncio.shield(making)
    except asyncio.CancelledError:
        making.add_done_callback(_discard_made)
        raise
    try:
        yield archive
    finally:
        archive.unlink(missing_ok=True)


def _discard_made(making: asyncio.Future[Path]) -> None:
    if not making.cancelled() and making.exception() is None:
        making.result().unlink(missing_ok=True)


def _archive_of(directory: Path) -> Path:
    handle, name = tempfile.mkstemp(prefix="voicemesh-", suffix=".zip")
    archive, is_empty = Path(name), True
    try:
        with (
            os.fdopen(handle, "wb") as file,
            zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed,
        ):
            for path in _files_in(directory):
                entry = zipfile.ZipInfo(path.relative_to(directory).as_posix(), _EARLIEST)
                entry.compress_type = zipfile.ZIP_DEFLATED
                entry.external_attr = 0o100644 << 16
                with path.open("rb") as source, packed.open(entry, "w", force_zip64=True) as sink:
                    while piece := source.read(1 << 20):
                        sink.write(piece)
                is_empty = False
        if is_empty:
            kinds = ", ".join(sorted(_EXTENSIONS))
            msg = f"{directory} has no file of examples ({kinds})"
            raise InvalidArgumentError(msg, field="content")
    except BaseException:
        archive.unlink(missing_ok=True)
        raise
    return archive


def _files_in(directory: Path) -> Iterator[Path]:
    for parent, directories, names in os.walk(directory, followlinks=False, onerror=_raise):
        directories[:] = sorted(name for name in directories if not name.startswith("."))
        for name in sorted(names):
            path = Path(parent, name)
            is_wanted = not name.startswith(".") and path.suffix.casefold() in _EXTENSIONS
            if is_wanted and path.is_file() and not path.is_symlink():
                yield path


def _raise(error: OSError) -> None:
    raise error
