"""What the assistant is to learn from: datasets, their examples and archives."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING

from voicemesh.trainer.v1 import dataset_service_pb2 as pb
from voicemesh.trainer.v1.dataset_service_pb2_grpc import DatasetServiceStub
from voicemesh_client.backoff import Backoff
from voicemesh_client.calls import receive, refusing_bad_values, single
from voicemesh_client.errors import InternalError, ServiceError
from voicemesh_client.examples import DatasetFormat, ImportOptions
from voicemesh_client.exchange import Exchange, with_one_answer
from voicemesh_client.file_pieces import can_be_sent_again, opened
from voicemesh_client.pages import pages
from voicemesh_client.saving import saved
from voicemesh_client.service_client import ServiceClient
from voicemesh_client.uploads import counted, named, prepared
from voicemesh_client.wire import examples

if TYPE_CHECKING:
    import os
    from collections.abc import AsyncGenerator

    from voicemesh.trainer.v1.dataset_service_pb2_grpc import (
        DatasetServiceAsyncStub,  # noqa: F401 - named in a string below
    )
    from voicemesh_client.connection import Connection
    from voicemesh_client.examples import (
        Archive,
        Dataset,
        DatasetStatistics,
        Example,
        ImportReport,
    )
    from voicemesh_client.files import FileSource
    from voicemesh_client.uploads import Progress

__all__ = ("Datasets",)

_DEFAULTS = ImportOptions()


class Datasets(ServiceClient["DatasetServiceAsyncStub"]):
    """A client of the trainer's datasets. What a call has returned is durable.

    Every call raises `ServiceError` as the service answers; `NotFoundError` for a dataset or an
    archive that the tenant does not have.

    Example:
        async with Datasets("127.0.0.1:50053") as datasets:
            facts = await datasets.create("facts", tenant="me")
            report = await datasets.import_file(facts.id, "facts.csv", tenant="me")
            print(report.imported_count, "new,", report.rejected_count, "not usable")
    """

    def __init__(self, connection: Connection | str) -> None:
        super().__init__(connection, DatasetServiceStub)

    async def create(self, name: str, *, tenant: str) -> Dataset:
        """Makes an empty dataset.

        Args:
            name: for people, 1 to 100 characters.
            tenant: whom it shall belong to.

        Raises:
            ServiceError: as the service answers; `AlreadyExistsError` for a name in use.
        """
        with refusing_bad_values():
            request = pb.CreateDatasetRequest(tenant=tenant, name=name)
        response = await single(self._stub().CreateDataset(request), self._peer)
        return examples.dataset_from_wire(response.dataset)

    async def import_file(
        self,
        dataset_id: str,
        source: FileSource,
        *,
        tenant: str,
        options: ImportOptions = _DEFAULTS,
        progress: Progress | None = None,
        retries: int = 3,
    ) -> ImportReport:
        """Adds the examples of a file: all good rows at once at the end, or none.

        After `UNAVAILABLE` or overload a path (or bytes) is sent again. All attempts have the same
        name, so that the rows count once even if only the answer was lost.

        Args:
            dataset_id: the dataset to add to.
            source: the file: a path, bytes, an open binary file, or pieces of bytes from any
                iterable, async or not. Of a directory the files that hold examples are sent, in
                one zip archive; symbolic links and hidden files are left out.
            tenant: whom the dataset belongs to.
            options: how to read it.
            progress: told how many bytes have been handed over, as they are.
            retries: failures in a row that are forgiven; 0 for none.

        Raises:
            OSError: if the source cannot be read.
            ServiceError: as the service answers; `InvalidArgumentError` for a file that cannot be
                read, `FailedPreconditionError` for an archived dataset, `DeadlineExceededError` if
                for `Connection.timeout_s` the service neither took nor answered anything.
        """
        return await self._imported(
            dataset_id, source, tenant, options, progress, Backoff(retries), preview=False
        )

    async def preview(
        self,
        dataset_id: str,
        source: FileSource,
        *,
        tenant: str,
        options: ImportOptions = _DEFAULTS,
        progress: Progress | None = None,
    ) -> ImportReport:
        """What `import_file` would add; nothing is added.

        Returns:
            A report with the first 20 examples.

        Raises:
            OSError: if the source cannot be read.
            ServiceError: as `import_file`.
        """
        return await self._imported(
            dataset_id, source, tenant, options, progress, Backoff(0), preview=True
        )

    async def _imported(  # noqa: PLR0913 - what both calls above were given
        self,
        dataset_id: str,
        source: FileSource,
        tenant: str,
        options: ImportOptions,
        progress: Progress | None,
        backoff: Backoff,
        *,
        preview: bool,
    ) -> ImportReport:
        async with prepared(source, named(source, options)) as (file, as_named):
            with refusing_bad_values():
                config = examples.config_to_wire(tenant, dataset_id, as_named, preview=preview)
            while True:
                try:
                    return await self._uploaded(file, config, progress)
                except ServiceError as error:
                    wait_s = backoff.wait_s(error)
                    if wait_s is None or self._is_closed or not await can_be_sent_again(file):
                        raise
                await asyncio.sleep(wait_s)

    async def _uploaded(
        self, source: FileSource, config: pb.ImportDatasetRequest, progress: Progress | None
    ) -> ImportReport:
        async with opened(source) as pieces:
            call = with_one_answer(self._stub().ImportDataset())
            parts = counted(pieces, progress)
            exchange = Exchange(call, config, parts, examples.piece_to_wire, self._peer)
            async with aclosing(exchange.responses()) as responses:
                async for response in responses:
                    return examples.report_from_wire(response)
        msg = f"the service at {self._peer.target} ended the import without a report"
        raise InternalError(msg)

    async def get(self, dataset_id: str, *, tenant: str) -> Dataset:
        """One dataset."""
        with refusing_bad_values():
            request = pb.GetDatasetRequest(tenant=tenant, dataset_id=dataset_id)
        response = await single(self._stub().GetDataset(request), self._peer)
        return examples.dataset_from_wire(response.dataset)

    async def list(
        self, *, tenant: str, include_archived: bool = False
    ) -> AsyncGenerator[Dataset, None]:
        """The tenant's datasets, newest first, page by page as they are wanted."""
        with refusing_bad_values():
            request = pb.ListDatasetsRequest(tenant=tenant, include_archived=include_archived)

        async def ask(token: str) -> pb.ListDatasetsResponse:
            request.page_token = token
            return await single(self._stub().ListDatasets(request), self._peer)

        async with aclosing(pages(ask)) as found:
            async for page in found:
                for dataset in page.datasets:
                    yield examples.dataset_from_wire(dataset)

    async def examples(self, dataset_id: str, *, tenant: str) -> AsyncGenerator[Example, None]:
        """The examples of a dataset, in the order of import, page by page as they are wanted."""
        with refusing_bad_values():
            request = pb.ListExamplesRequest(tenant=tenant, dataset_id=dataset_id)

        async def ask(token: str) -> pb.ListExamplesResponse:
            request.page_token = token
            return await single(self._stub().ListExamples(request), self._peer)

        async with aclosing(pages(ask)) as found:
            async for page in found:
                for example in page.examples:
                    yield examples.example_from_wire(example)

    async def statistics(self, dataset_id: str, *, tenant: str) -> DatasetStatistics:
        """What is in a dataset: lengths, polarities, contradictions."""
        with refusing_bad_values():
            request = pb.GetDatasetStatisticsRequest(tenant=tenant, dataset_id=dataset_id)
        response = await single(self._stub().GetDatasetStatistics(request), self._peer)
        return examples.statistics_from_wire(response)

    async def select(self, dataset_id: str, *, tenant: str) -> Dataset:
        """Makes a dataset the one that training uses unless a job names another."""
        with refusing_bad_values():
            request = pb.SelectDatasetRequest(tenant=tenant, dataset_id=dataset_id)
        response = await single(self._stub().SelectDataset(request), self._peer)
        return examples.dataset_from_wire(response.dataset)

    async def split(
        self,
        dataset_id: str,
        first_share: float,
        *,
        tenant: str,
        names: tuple[str, str] = ("", ""),
        seed: int | None = None,
    ) -> tuple[Dataset, Dataset]:
        """Parts a dataset in two new ones, at random but reproducibly; it stays as it is.

        Args:
            dataset_id: the dataset. Examples of the same prompt stay together.
            first_share: share of the first part, above 0 and below 1.
            tenant: whom it belongs to.
            names: names of the parts; an empty one is the dataset's with " (1)" or " (2)".
            seed: makes another parting; None means 0.
        """
        with refusing_bad_values():
            request = pb.SplitDatasetRequest(
                tenant=tenant,
                dataset_id=dataset_id,
                first_share=first_share,
                first_name=names[0],
                second_name=names[1],
                seed=seed,
            )
        response = await single(self._stub().SplitDataset(request), self._peer)
        first = examples.dataset_from_wire(response.first)
        return first, examples.dataset_from_wire(response.second)

    async def export(
        self, dataset_id: str, *, tenant: str, format: DatasetFormat = DatasetFormat.JSONL
    ) -> AsyncGenerator[bytes, None]:
        """A dataset as a file, in pieces of at most 1 MiB.

        Args:
            dataset_id: the dataset.
            tenant: whom it belongs to.
            format: CSV, JSONL, PARQUET or OPENAI; the last has the positive examples alone.
        """
        with refusing_bad_values():
            request = examples.export_to_wire(tenant, dataset_id, format)
        call = self._stub().ExportDataset(request)
        async with aclosing(receive(call, self._peer)) as responses:
            async for response in responses:
                yield response.content

    async def export_to(
        self,
        path: str | os.PathLike[str],
        dataset_id: str,
        *,
        tenant: str,
        format: DatasetFormat = DatasetFormat.JSONL,
    ) -> int:
        """As `export`, into a file, which appears when it is whole; returns its size in bytes.

        Raises:
            OSError: if the file cannot be written.
            ServiceError: as the service answers; what was in the file stays.
        """
        return await saved(self.export(dataset_id, tenant=tenant, format=format), path)

    async def archive(self, dataset_id: str, *, tenant: str) -> Archive:
        """Packs a dataset, which can no longer be imported into, and is restored from there."""
        with refusing_bad_values():
            request = pb.ArchiveDatasetRequest(tenant=tenant, dataset_id=dataset_id)
        response = await single(self._stub().ArchiveDataset(request), self._peer)
        return examples.archive_from_wire(response.archive)

    async def archives(self, *, tenant: str) -> AsyncGenerator[Archive, None]:
        """The tenant's archives, newest first, page by page as they are wanted."""
        with refusing_bad_values():
            request = pb.ListArchivesRequest(tenant=tenant)

        async def ask(token: str) -> pb.ListArchivesResponse:
            request.page_token = token
            return await single(self._stub().ListArchives(request), self._peer)

        async with aclosing(pages(ask)) as found:
            async for page in found:
                for archive in page.archives:
                    yield examples.archive_from_wire(archive)

    async def download_archive(
        self, archive_id: str, *, tenant: str
    ) -> AsyncGenerator[bytes, None]:
        """An archive as a file (tar.zst), in pieces of at most 1 MiB."""
        with refusing_bad_values():
            request = pb.DownloadArchiveRequest(tenant=tenant, archive_id=archive_id)
        call = self._stub().DownloadArchive(request)
        async with aclosing(receive(call, self._peer)) as responses:
            async for response in responses:
                yield response.content

    async def download_archive_to(
        self, path: str | os.PathLike[str], archive_id: str, *, tenant: str
    ) -> int:
        """As `download_archive`, into a file; returns its size in bytes.

        Raises:
            OSError: if the file cannot be written.
            ServiceError: as the service answers; what was in the file stays.
        """
        return await saved(self.download_archive(archive_id, tenant=tenant), path)

    async def restore(self, archive_id: str, *, tenant: str, name: str = "") -> Dataset:
        """Brings an archived dataset back, under its old name unless another is given."""
        with refusing_bad_values():
            request = pb.RestoreDatasetRequest(tenant=tenant, archive_id=archive_id, name=name)
        response = await single(self._stub().RestoreDataset(request), self._peer)
        return examples.dataset_from_wire(response.dataset)

    async def delete_archive(self, archive_id: str, *, tenant: str) -> None:
        """Deletes an archive.

        Raises:
            ServiceError: as the service answers; `FailedPreconditionError` while it holds the only
                copy of a dataset that is archived.
        """
        with refusing_bad_values():
            request = pb.DeleteArchiveRequest(tenant=tenant, archive_id=archive_id)
        await single(self._stub().DeleteArchive(request), self._peer)

    async def delete(self, dataset_id: str, *, tenant: str) -> None:
        """Deletes a dataset with its examples; archives of it stay."""
        with refusing_bad_values():
            request = pb.DeleteDatasetRequest(tenant=tenant, dataset_id=dataset_id)
        await single(self._stub().DeleteDataset(request), self._peer)
