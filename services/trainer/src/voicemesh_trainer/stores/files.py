"""Keeps files: archives, adapters, checkpoints, pictures.

A file is there completely or not at all, is durable when `write` returns, never changes, and its
name holds the SHA-256 of its content, by which every reading is checked.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from voicemesh_chassis.service import StartupError
from voicemesh_trainer.domain.ids import new_id
from voicemesh_trainer.errors import FileLostError, FilesUnavailableError
from voicemesh_trainer.stores.file_places import file_fault, place_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from typing import TypeVar

    Result = TypeVar("Result")

__all__ = ("FileStore", "StoredFile")

_PIECE_BYTES = 256 * 1024
_BATCH_BYTES = 1024 * 1024
_ABANDONED_S = 24 * 3600
_THREADS = 4
_CLOSE_S = 5.0
_PREFIX = re.compile(r"[A-Za-z0-9]+(?:[/-][A-Za-z0-9]+)*")
_NAME = re.compile(_PREFIX.pattern + r"-[0-9A-Z]{26}-(?P<sha256>[0-9a-f]{64})")


@dataclass(frozen=True)
class StoredFile:
    """A file that is durable."""

    name: str
    """What it is to be asked for by."""
    sha256: str
    """Of its content, in lower-case hexadecimal digits."""
    byte_count: int
    """Its length in bytes."""


class FileStore:
    """The trainer's files, in a directory or a bucket; any number of tasks may use it at once."""

    def __init__(
        self,
        url: str,
        work_directory: Path,
        *,
        cache_bytes: int = 8 * 1024**3,
        transfer_s: float = 600.0,
    ) -> None:
        """Takes where files are kept; touches nothing yet.

        Args:
            url: a directory's path, or a bucket's address: `s3://bucket/folder`.
            work_directory: of this machine; files of a bucket are put together and cached there.
            cache_bytes: most bytes of them that are cached, beyond those in use.
            transfer_s: longest time to bring one file to the bucket or from it, in seconds.

        Raises:
            ConfigurationError: if the URL is neither, or what it needs is not installed.
        """
        self._place = place_of(url)
        self._incoming = self._place.incoming or work_directory / "incoming"
        self._cache = work_directory / "cache"
        self._cache_bytes = cache_bytes
        self._transfer_s = transfer_s
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="files")

    async def prepare(self) -> None:
        """Makes what is needed and tidies up after programs that were killed.

        Raises:
            StartupError: if files cannot be kept there.
        """
        try:
            await self._on_thread(self._prepare)
            probe = await self.write("probe", b"voicemesh")
            await self.delete(probe.name)
        except Exception as error:  # whatever the bucket's library raises
            msg = (
                f"files cannot be kept in {self._place.title} ({error}): correct "
                "VOICEMESH_TRAINER_STORAGE__FILES_URL, or see that this program may write there"
            )
            raise StartupError(msg) from error

    async def write(self, name_prefix: str, source: AsyncIterator[bytes] | bytes) -> StoredFile:
        """Keeps a file; it is complete and durable when this returns.

        Args:
            name_prefix: what its name begins with: letters and digits, with `/` and `-` between.
            source: its content.

        Raises:
            StorageFullError: if there is no room for it; nothing is kept.
            FilesUnavailableError: if it cannot be kept; nothing is.
        """
        if not _PREFIX.fullmatch(name_prefix):
            msg = f"{name_prefix!r} cannot begin the name of a file"
            raise ValueError(msg)
        file, path = await self._writer()
        try:
            digest, count = hashlib.sha256(), 0
            async for batch in _batches(source):
                digest.update(batch)
                count += len(batch)
                await self._on_thread(partial(file.write, batch))
            await self._on_thread(lambda: _make_durable(file))
            name = f"{name_prefix}-{new_id()}-{digest.hexdigest()}"
            await self._on_thread(lambda: self._place.keep(path, name))
        finally:
            # Not awaited: it is also done if the task was cancelled.
            self._threads.submit(_abandon, file, path)
        return StoredFile(name, digest.hexdigest(), count)

    async def open(self, name: str) -> AsyncIterator[bytes]:
        """The content of a file, in pieces of at most 256 KiB.

        Raises:
            FilesUnavailableError: if it is not there, or is not what was kept; the latter after its
                last piece.
        """
        wanted = _sha256_in(name)
        file = await self._reader(name)
        try:
            digest = hashlib.sha256()
            while piece := await self._on_thread(lambda: file.read(_PIECE_BYTES)):
                digest.update(piece)
                yield piece
        finally:
            self._threads.submit(file.close)
        _check(digest.hexdigest(), wanted)

    async def local_path(self, name: str) -> Path:
        """A file of this machine with the content, to be read only.

        That of a bucket is fetched, and may be gone some time after; what is open then stays so.

        Raises:
            FilesUnavailableError: if it is not there, or is not what was kept.
            StorageFullError: if there is no room to fetch it to.
        """
        wanted = _sha256_in(name)
        path = self._place.local(name)
        if path is None:
            path = self._cache / name.replace("/", "-")
            if not await self._on_thread(lambda: _touched(path)):
                await self._fetch(name, path)
        _check(await self._on_thread(lambda: _sha256_of(path)), wanted)
        return path

    async def delete(self, name: str) -> None:
        """Deletes a file; one that is gone is no error."""
        _sha256_in(name)
        await self._on_thread(lambda: self._place.delete(name))

    async def names(self) -> list[str]:
        """The names of all files that are kept."""
        found = await self._on_thread(self._place.names)
        return sorted(name for name in found if _NAME.fullmatch(name))

    async def aclose(self) -> None:
        """Ends what is still tidied up, and lets go of the threads. Safe to call twice."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_CLOSE_S):
                await asyncio.to_thread(self._threads.shutdown)

    async def _reader(self, name: str) -> BinaryIO:
        return await self._taken(lambda: self._place.read(name), lambda file: file.close())

    async def _writer(self) -> tuple[BinaryIO, Path]:
        return await self._taken(self._new_file, lambda made: _abandon(*made))

    async def _taken(
        self, take: Callable[[], Result], give_back: Callable[[Result], None]
    ) -> Result:
        """What a thread takes; it gives it back if nobody waits for it any more."""
        waiting, lock = True, threading.Lock()

        def work() -> Result:
            taken = take()
            with lock:
                if not waiting:
                    give_back(taken)
                return taken

        try:
            return await self._on_thread(work)
        except BaseException:
            with lock:
                waiting = False
            raise

    async def _fetch(self, name: str, path: Path) -> None:
        source = await self._reader(name)
        try:
            file, unfinished = await self._writer()

            def copy() -> None:
                while piece := source.read(_BATCH_BYTES):
                    file.write(piece)
                file.close()
                self._cache.mkdir(parents=True, exist_ok=True)
                os.replace(unfinished, path)
                self._make_room(path)

            try:
                await self._on_thread(copy)
            finally:
                self._threads.submit(_abandon, file, unfinished)
        finally:
            self._threads.submit(source.close)

    def _make_room(self, newest: Path) -> None:
        """Deletes what was used longest ago, until the cache is as small as it shall be."""
        entries: list[tuple[float, int, Path]] = []
        for entry in os.scandir(self._cache):
            with suppress(FileNotFoundError):  # another fetch may make room at the same time
                status = entry.stat()
                entries.append((status.st_mtime, status.st_size, Path(entry.path)))
        entries.sort()
        total = sum(size for _, size, _ in entries)
        for _, size, path in entries:
            if total <= self._cache_bytes:
                return
            if path != newest:
                path.unlink(missing_ok=True)
                total -= size

    def _prepare(self) -> None:
        self._incoming.mkdir(mode=0o700, parents=True, exist_ok=True)
        for entry in os.scandir(self._incoming):
            # Younger ones may be of a program that is still at it.
            with suppress(FileNotFoundError):
                if time.time() - entry.stat().st_mtime > _ABANDONED_S:
                    os.unlink(entry.path)

    def _new_file(self) -> tuple[BinaryIO, Path]:
        self._incoming.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor, path = tempfile.mkstemp(dir=self._incoming)
        return cast("BinaryIO", os.fdopen(descriptor, "wb")), Path(path)

    async def _on_thread(self, work: Callable[[], Result]) -> Result:
        loop = asyncio.get_running_loop()
        faults: tuple[type[Exception], ...] = (OSError, *self._place.faults)
        try:
            async with asyncio.timeout(self._transfer_s):
                return await loop.run_in_executor(self._threads, work)
        except TimeoutError as error:
            msg = f"the store of files did not answer within {self._transfer_s:g} s"
            raise FilesUnavailableError(msg) from error
        except faults as error:
            raise file_fault(error) from error


async def _batches(source: AsyncIterator[bytes] | bytes) -> AsyncIterator[bytes]:
    """What comes, in fewer and larger pieces."""
    if isinstance(source, bytes):
        yield source
        return
    waiting: list[bytes] = []
    async for piece in source:
        waiting.append(piece)
        if sum(map(len, waiting)) >= _BATCH_BYTES:
            yield b"".join(waiting)
            waiting = []
    yield b"".join(waiting)


def _make_durable(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())
    file.close()


def _abandon(file: BinaryIO, path: Path) -> None:
    with suppress(OSError):
        file.close()
    with suppress(OSError):
        path.unlink(missing_ok=True)


def _sha256_in(name: str) -> str:
    match = _NAME.fullmatch(name)
    if match is None:
        msg = "this is not the name of a file that was kept"
        raise ValueError(msg)
    return match["sha256"]


def _sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _touched(path: Path) -> bool:
    try:
        os.utime(path)
    except FileNotFoundError:
        return False
    return True


def _check(found: str, wanted: str) -> None:
    if found != wanted:
        msg = "a file is damaged: its content is not what was kept; restore it from a backup"
        raise FileLostError(msg)
