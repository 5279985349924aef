"""Takes uploads: to a file without a name, through a reader on a thread, into the database.

Nothing is in the dataset until the one transaction at the end, so that a call that fails, is
cancelled, or whose process is killed has changed nothing.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from voicemesh_trainer.datasets.encodings import named_encoding
from voicemesh_trainer.datasets.errors import (
    DatasetArchivedError,
    ImportsBusyError,
    UploadTimeoutError,
)
from voicemesh_trainer.datasets.lanes import Lane
from voicemesh_trainer.datasets.reading import UploadReader
from voicemesh_trainer.datasets.reports import report_from_json, report_to_json
from voicemesh_trainer.datasets.spool import Spool
from voicemesh_trainer.datasets.staging import Staging
from voicemesh_trainer.domain.datasets import (
    Dataset,
    Draft,
    Example,
    ImportReport,
    ImportRequest,
    RejectedRow,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from voicemesh_trainer.domain.datasets import DatasetLimits
    from voicemesh_trainer.ports.datasets import DatasetCatalogue, ExampleStore

__all__ = ("ImportOptions", "Imports")

_SHOWN_REFUSALS = 100
_SHOWN_EXAMPLES = 20
_RETRY_AFTER_S = 5.0


@dataclass(frozen=True)
class ImportOptions:
    """How uploads are taken."""

    uploads: int = 4
    """Most at once; each may keep a thread busy."""
    silence_s: float = 60.0
    """Longest wait for the next part of an upload, in seconds."""
    total_s: float = 1_800.0
    """Longest time for an upload to come and be read, in seconds."""
    directory: Path | None = None
    """Where uploads are while they are read; None means the system's for temporary files."""


class Imports:
    """Adds uploads to datasets, several at a time. Belongs to one event loop; `aclose` it there."""

    def __init__(
        self,
        catalogue: DatasetCatalogue,
        examples: ExampleStore,
        limits: DatasetLimits,
        options: ImportOptions,
    ) -> None:
        self._catalogue = catalogue
        self._examples = examples
        self._limits = limits
        self._options = options
        self._open = 0
        self._threads = ThreadPoolExecutor(options.uploads, thread_name_prefix="import")

    async def run(
        self, request: ImportRequest, parts: AsyncIterator[bytes], timeout_s: float
    ) -> ImportReport:
        """Takes one upload.

        Args:
            request: what it is.
            parts: its bytes, cut anywhere.
            timeout_s: longest time for it to come and be read, in seconds.

        Raises:
            ImportsBusyError: at once, if as many as may be are being taken.
            DatasetNotFoundError: at once, if the tenant has no such dataset.
            DatasetArchivedError: if the dataset is archived.
            UploadTimeoutError: if it does not come, or cannot be read, in time.
            ServiceError: whatever else is wrong with the upload, see `UploadReader.items`, or
                stands in the way, see `ExampleStore.add`.
        """
        if request.encoding:
            named_encoding(request.encoding)
        if self._open >= self._options.uploads:
            msg = f"{self._open} uploads are being taken already; try again later"
            raise ImportsBusyError(msg, retry_after_s=_RETRY_AFTER_S)
        self._open += 1
        lane = Lane(self._threads)
        work = _Work(request, self._limits, self._options.directory)
        try:
            if not request.request_id:  # a repeated request may be about one that is gone
                await self._check_target(request)
            try:
                async with asyncio.timeout(min(timeout_s, self._options.total_s)):
                    await self._receive(lane, work, parts)
                    await lane.run(lambda: work.read(lane))
            except TimeoutError as error:
                msg = "the upload did not come, or could not be read, in time; nothing was imported"
                raise UploadTimeoutError(msg) from error
            return await (self._preview if request.preview else self._add)(lane, work)
        finally:
            self._open -= 1
            lane.end(work.close)

    async def aclose(self) -> None:
        """Ends the threads, once all uploads are done or cancelled."""
        await asyncio.to_thread(self._threads.shutdown)

    async def _check_target(self, request: ImportRequest) -> Dataset:
        dataset = await self._catalogue.find(request.tenant, request.dataset_id)
        if dataset.archived:
            msg = "the dataset is archived; restore it first (RestoreDataset)"
            raise DatasetArchivedError(msg)
        return dataset

    async def _receive(self, lane: Lane, work: _Work, parts: AsyncIterator[bytes]) -> None:
        incoming = aiter(parts)
        while True:
            try:
                async with asyncio.timeout(self._options.silence_s) as silence:
                    part = await anext(incoming, None)
            except TimeoutError as error:
                if not silence.expired():
                    raise
                msg = (
                    f"no part of the upload came for {self._options.silence_s:g} s; "
                    "nothing was imported"
                )
                raise UploadTimeoutError(msg) from error
            if part is None:
                return
            await lane.run(partial(work.take, part))

    async def _add(self, lane: Lane, work: _Work) -> ImportReport:
        request = work.request
        kept = await self._examples.add(
            request.tenant,
            request.dataset_id,
            lane.iterate(work.staging.batches()),
            self._limits,
            (request.request_id, work.fingerprint()),
            lambda dataset, added: report_to_json(work.report(dataset, added)),
        )
        return report_from_json(kept)

    async def _preview(self, lane: Lane, work: _Work) -> ImportReport:
        request = work.request
        dataset = await self._check_target(request)
        new, shown = 0, list[Example]()
        async for batch in lane.iterate(work.staging.batches()):
            keys = [each.content_key for each in batch]
            known = await self._examples.known(request.tenant, request.dataset_id, keys)
            fresh = [each for each in batch if each.content_key not in known]
            new += len(fresh)
            for each in fresh[: _SHOWN_EXAMPLES - len(shown)]:
                shown.append(Example("", len(shown), each.draft))
        return work.report(dataset, new, tuple(shown))


class _Work:
    """One upload. All but `report` and `fingerprint` may block."""

    def __init__(
        self, request: ImportRequest, limits: DatasetLimits, directory: Path | None
    ) -> None:
        self.request = request
        self.staging = Staging(limits.unpacked_bytes, directory)
        self._spool = Spool(limits.upload_bytes, directory)
        self._reader = UploadReader(request, limits)
        self._rejected: list[RejectedRow] = []
        self._rejected_count = 0

    def take(self, part: bytes) -> None:
        """The next part of the upload."""
        self._spool.append(part)

    def read(self, lane: Lane) -> None:
        """Reads the upload, which has ended, into examples."""
        for item in self._reader.items(lane.watched(self._spool.file)):
            if isinstance(item, Draft):
                self.staging.add(item)
                continue
            self._rejected_count += 1
            if self._rejected_count <= _SHOWN_REFUSALS:
                self._rejected.append(item)

    def close(self) -> None:
        """Frees the disk."""
        self._spool.close()
        self.staging.close()

    def fingerprint(self) -> str:
        """Of all that the request asks for."""
        request = self.request
        kind = request.format.value if request.format else ""
        asked = (
            request.dataset_id,
            request.polarity.value,
            request.file_name,
            kind,
            request.encoding,
            request.author_id,
            self._spool.sha256,
        )
        return hashlib.sha256(json.dumps(asked).encode()).hexdigest()

    def report(
        self, dataset: Dataset, added: int, preview: tuple[Example, ...] = ()
    ) -> ImportReport:
        """What became of it, once `added` of the examples were new."""
        return ImportReport(
            dataset=dataset,
            imported_count=added,
            duplicate_count=self.staging.duplicate_count + self.staging.count - added,
            rejected_count=self._rejected_count,
            rejected_rows=tuple(self._rejected),
            files=tuple(self._reader.files),
            preview=preview,
        )
