"""Packs datasets away and brings them back.

A file is kept before it is known, and forgotten before it is deleted: whatever breaks off in
between leaves at most a file that nobody knows of, never an archive without its file.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING

from voicemesh_chassis.logs import get_logger
from voicemesh_trainer.datasets.archive_file import example_line, packed, unpacked
from voicemesh_trainer.datasets.content import EMPTY, content_key, with_content
from voicemesh_trainer.datasets.errors import (
    ArchiveDamagedError,
    DatasetArchivedError,
    DatasetChangedError,
)
from voicemesh_trainer.datasets.lanes import Lane
from voicemesh_trainer.datasets.spool import Spool
from voicemesh_trainer.datasets.staging import Staging
from voicemesh_trainer.domain.datasets import Archive
from voicemesh_trainer.domain.ids import new_id
from voicemesh_trainer.errors import DatasetNotFoundError, FilesUnavailableError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Sequence
    from pathlib import Path

    from voicemesh_trainer.domain.datasets import Dataset, DatasetLimits, Example
    from voicemesh_trainer.ports.datasets import (
        ArchiveFiles,
        ArchiveStore,
        DatasetCatalogue,
        ExampleStore,
        KeptFile,
    )

__all__ = ("Archives",)

_logger = get_logger(__name__)

_BATCH = 500
_THREADS = 2
_TRIES = 3
_MOST_BYTES = 7 << 30
"""Most bytes of all examples of an archive; a tar file's member has less than 8 GiB."""


class Archives:
    """The archives of datasets. Belongs to one event loop; `aclose` it there."""

    def __init__(
        self,
        datasets: tuple[DatasetCatalogue, ExampleStore],
        store: ArchiveStore,
        files: ArchiveFiles,
        limits: DatasetLimits,
        directory: Path | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        """Puts them together.

        Args:
            datasets: what is packed, and where it is unpacked to.
            store: keeps what is known of archives.
            files: keeps the archives.
            limits: how much a tenant may have.
            directory: for temporary files; None means the system's.
            now: the time in seconds since 1970.
        """
        self._catalogue, self._examples = datasets
        self._store = store
        self._files = files
        self._limits = limits
        self._directory = directory
        self._now = now
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="archive")
        self._restores = asyncio.Semaphore(_THREADS)

    async def aclose(self) -> None:
        """Ends the threads, once all calls are done or cancelled."""
        await asyncio.to_thread(self._threads.shutdown)

    async def pack(self, tenant: str, dataset_id: str) -> Archive:
        """Packs a dataset away.

        Raises:
            DatasetNotFoundError: if the tenant has no such dataset.
            DatasetArchivedError: if it is archived already.
            DatasetChangedError: if it is changed again and again meanwhile.
            FilesUnavailableError: if the archive cannot be kept.
        """
        for _ in range(_TRIES - 1):
            try:
                return await self._pack(tenant, dataset_id)
            except DatasetChangedError:
                continue
        return await self._pack(tenant, dataset_id)

    async def restore(self, tenant: str, archive_id: str, name: str) -> Dataset:
        """Brings a dataset back.

        Args:
            tenant: whose.
            archive_id: which archive.
            name: of the dataset; empty: the old one.

        Raises:
            ArchiveNotFoundError: if the tenant has no such archive.
            ArchiveDamagedError: if it is not what was packed.
            FilesUnavailableError: if the archive cannot be read.
            ServiceError: what `ArchiveStore.bring_back` raises.
        """
        archive = await self._store.find(tenant, archive_id)
        # Each has a thread of its own: one whose transaction is open must not wait for another's.
        async with self._restores:
            lane = Lane(self._threads)
            spool = Spool(archive.byte_count, self._directory, "the archive")
            staging = Staging(_MOST_BYTES, self._directory)
            try:
                await self._fetch(archive, lane, spool)
                await lane.run(lambda: _stage(lane, spool, staging, archive))
                batches = lane.iterate(staging.batches())
                return await self._store.bring_back(archive, name, batches, self._limits)
            finally:
                lane.end(spool.close, staging.close)

    async def open(self, tenant: str, archive_id: str) -> AsyncGenerator[bytes]:
        """The bytes of an archive, in pieces of at most 256 KiB.

        Raises:
            ArchiveNotFoundError: if the tenant has no such archive.
            FilesUnavailableError: if it cannot be read, or is damaged; the latter at its end.
        """
        archive = await self._store.find(tenant, archive_id)
        async for piece in self._files.open(archive.file):
            yield piece

    async def delete(self, tenant: str, archive_id: str) -> None:
        """Deletes an archive.

        Raises:
            ArchiveNotFoundError: if the tenant has no such archive.
            LastArchiveError: if the examples of an archived dataset are nowhere else.
        """
        archive = await self._store.delete(tenant, archive_id)
        await self._drop(archive.file)

    async def _pack(self, tenant: str, dataset_id: str) -> Archive:
        dataset = await self._catalogue.find(tenant, dataset_id)
        lane = Lane(self._threads)
        spool = Spool(_MOST_BYTES, self._directory, "the archive")
        try:
            content, after = EMPTY, -1
            while examples := await self._examples.examples(tenant, dataset_id, after, _BATCH):
                after = examples[-1].position
                content = await lane.run(partial(_append, spool, examples, content))
            if content != dataset.content_sha256:
                msg = "the dataset was changed while it was being packed; nothing was archived"
                raise DatasetChangedError(msg)
            pieces = packed(dataset, spool.blocks(), spool.size, spool.sha256)
            file = await self._files.write("archives", lane.iterate(pieces))
        finally:
            lane.end(spool.close)
        archive = self._archive(dataset, file)
        try:
            await self._store.put_away(archive, content)
        except (DatasetArchivedError, DatasetChangedError, DatasetNotFoundError):
            # After any other error the database may know the archive.
            await self._drop(file.name)
            raise
        return archive

    def _archive(self, dataset: Dataset, file: KeptFile) -> Archive:
        return Archive(
            archive_id=new_id(),
            tenant=dataset.tenant,
            dataset_id=dataset.dataset_id,
            dataset_name=dataset.name,
            file=file.name,
            sha256=file.sha256,
            byte_count=file.byte_count,
            example_count=dataset.example_count,
            create_time=self._now(),
        )

    async def _fetch(self, archive: Archive, lane: Lane, spool: Spool) -> None:
        """Copies an archive to a file of our own, so that what is checked is what is read."""
        digest, count = hashlib.sha256(), 0
        try:
            async for piece in self._files.open(archive.file):
                digest.update(piece)
                count += len(piece)
                if count > archive.byte_count:
                    break
                await lane.run(partial(spool.append, piece))
        except FilesUnavailableError:
            # The store found out at the end that the file is another one; or it broke off.
            if not count or digest.hexdigest() == archive.sha256:
                raise
        if digest.hexdigest() != archive.sha256 or count != archive.byte_count:
            msg = "the archive is damaged: it is not the file that was packed; nothing was restored"
            raise ArchiveDamagedError(msg)

    async def _drop(self, file: str) -> None:
        try:
            await self._files.delete(file)
        except FilesUnavailableError as error:
            _logger.warning("an archive's file is left over", file=file, error=error.reason)


def _append(spool: Spool, examples: Sequence[Example], content: str) -> str:
    """Writes examples; returns the content hash of all that were, told that of those before."""
    spool.append(b"".join(example_line(each.draft) for each in examples))
    return with_content(content, (content_key(each.draft) for each in examples))


def _stage(lane: Lane, spool: Spool, staging: Staging, archive: Archive) -> None:
    for draft in unpacked(lane.watched(spool.file), archive.example_count):
        staging.add(draft)
    if staging.duplicate_count:
        msg = "the archive is damaged: it has examples twice; nothing was restored"
        raise ArchiveDamagedError(msg)
