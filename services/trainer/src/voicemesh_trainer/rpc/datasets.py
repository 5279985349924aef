"""Answers the calls of DatasetService; translation only."""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from voicemesh.trainer.v1 import dataset_service_pb2 as pb
from voicemesh.trainer.v1 import dataset_service_pb2_grpc
from voicemesh_chassis.deadlines import remaining_s
from voicemesh_chassis.errors import InvalidArgumentError
from voicemesh_chassis.pages import PageLimits, key_in, page_size, token_for
from voicemesh_trainer.datasets.exports import export
from voicemesh_trainer.datasets.splitting import split
from voicemesh_trainer.domain.ids import is_id
from voicemesh_trainer.rpc.checks import check_tenant
from voicemesh_trainer.rpc.dataset_messages import (
    archive_message,
    check_id,
    check_name,
    dataset_message,
    example_message,
    export_format_from,
    import_request_from,
    report_message,
    split_request_from,
    statistics_message,
)
from voicemesh_trainer.rpc.uploads import config_of, content_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from voicemesh_trainer.datasets.archives import Archives
    from voicemesh_trainer.datasets.imports import Imports
    from voicemesh_trainer.domain.datasets import DatasetLimits
    from voicemesh_trainer.ports.datasets import ArchiveStore, DatasetCatalogue, ExampleStore

__all__ = ("DatasetServicer", "DatasetWork")

_PAGES = PageLimits(default=50, largest=500)
_MOST_PAGE_BYTES = 2 << 20
"""A page ends early when it has more than this: callers take messages of at most 4 MiB."""


@dataclass(frozen=True)
class DatasetWork:
    """What does the work behind the rpcs."""

    catalogue: DatasetCatalogue
    """Keeps datasets."""
    examples: ExampleStore
    """Keeps their examples."""
    archive_store: ArchiveStore
    """Keeps what is known of archives."""
    archives: Archives
    """Packs and unpacks them."""
    imports: Imports
    """Takes uploads."""
    limits: DatasetLimits
    """Bounds of what people may give."""
    upload_s: float
    """Longest time for an upload, in seconds."""
    silence_s: float
    """Longest wait for an upload's config, in seconds."""


class DatasetServicer(dataset_service_pb2_grpc.DatasetServiceServicer):
    """Makes, fills, shows, packs and deletes datasets."""

    def __init__(self, work: DatasetWork) -> None:
        self._work = work

    async def CreateDataset(  # noqa: N802 - named by the contract
        self, request: pb.CreateDatasetRequest, context: Any
    ) -> pb.CreateDatasetResponse:
        """Makes an empty dataset."""
        tenant, name = check_tenant(request.tenant), check_name(request.name, "name")
        dataset = await self._work.catalogue.create(tenant, name, self._work.limits)
        return pb.CreateDatasetResponse(dataset=dataset_message(dataset))

    async def ImportDataset(  # noqa: N802 - named by the contract
        self, requests: AsyncIterator[pb.ImportDatasetRequest], context: Any
    ) -> pb.ImportDatasetResponse:
        """Adds examples from an upload."""
        incoming = aiter(requests)
        config = await config_of(incoming, self._work.silence_s)
        async with aclosing(content_of(incoming)) as parts:
            timeout_s = remaining_s(context, self._work.upload_s)
            report = await self._work.imports.run(import_request_from(config), parts, timeout_s)
        return report_message(report)

    async def GetDataset(  # noqa: N802 - named by the contract
        self, request: pb.GetDatasetRequest, context: Any
    ) -> pb.GetDatasetResponse:
        """Returns one dataset."""
        dataset = await self._work.catalogue.find(*_names_of(request))
        return pb.GetDatasetResponse(dataset=dataset_message(dataset))

    async def ListDatasets(  # noqa: N802 - named by the contract
        self, request: pb.ListDatasetsRequest, context: Any
    ) -> pb.ListDatasetsResponse:
        """Lists datasets, newest first."""
        size = page_size(request.page_size, _PAGES)
        # One more than is asked for tells whether there is a next page.
        found = await self._work.catalogue.page(
            check_tenant(request.tenant),
            _id_in(request.page_token),
            size + 1,
            archived=request.include_archived,
        )
        return pb.ListDatasetsResponse(
            datasets=[dataset_message(each) for each in found[:size]],
            next_page_token=token_for(found[size - 1].dataset_id) if len(found) > size else "",
        )

    async def ListExamples(  # noqa: N802 - named by the contract
        self, request: pb.ListExamplesRequest, context: Any
    ) -> pb.ListExamplesResponse:
        """Lists the examples of a dataset."""
        size = page_size(request.page_size, _PAGES)
        after = _position_in(request.page_token)
        found = await self._work.examples.examples(*_names_of(request), after, size + 1)
        shown, byte_count = list[pb.Example](), 0
        for example in found[:size]:
            message = example_message(example)
            byte_count += message.ByteSize()
            if shown and byte_count > _MOST_PAGE_BYTES:
                break
            shown.append(message)
        rest = len(found) > len(shown)
        return pb.ListExamplesResponse(
            examples=shown,
            next_page_token=token_for(str(found[len(shown) - 1].position)) if rest else "",
        )

    async def SelectDataset(  # noqa: N802 - named by the contract
        self, request: pb.SelectDatasetRequest, context: Any
    ) -> pb.SelectDatasetResponse:
        """Makes a dataset the one that training uses."""
        dataset = await self._work.catalogue.select(*_names_of(request))
        return pb.SelectDatasetResponse(dataset=dataset_message(dataset))

    async def ExportDataset(  # noqa: N802 - named by the contract
        self, request: pb.ExportDatasetRequest, context: Any
    ) -> AsyncIterator[pb.ExportDatasetResponse]:
        """Streams a dataset out as a file."""
        kind = export_format_from(request.format)
        async with aclosing(export(self._work.examples, *_names_of(request), kind)) as pieces:
            async for piece in pieces:
                yield pb.ExportDatasetResponse(content=piece)

    async def ArchiveDataset(  # noqa: N802 - named by the contract
        self, request: pb.ArchiveDatasetRequest, context: Any
    ) -> pb.ArchiveDatasetResponse:
        """Packs a dataset."""
        archive = await self._work.archives.pack(*_names_of(request))
        return pb.ArchiveDatasetResponse(archive=archive_message(archive))

    async def RestoreDataset(  # noqa: N802 - named by the contract
        self, request: pb.RestoreDatasetRequest, context: Any
    ) -> pb.RestoreDatasetResponse:
        """Brings a dataset back."""
        name = check_name(request.name, "name", required=False)
        dataset = await self._work.archives.restore(*_archive_of(request), name)
        return pb.RestoreDatasetResponse(dataset=dataset_message(dataset))

    async def DeleteDataset(  # noqa: N802 - named by the contract
        self, request: pb.DeleteDatasetRequest, context: Any
    ) -> pb.DeleteDatasetResponse:
        """Deletes a dataset."""
        await self._work.catalogue.delete(*_names_of(request))
        return pb.DeleteDatasetResponse()

    async def GetDatasetStatistics(  # noqa: N802 - named by the contract
        self, request: pb.GetDatasetStatisticsRequest, context: Any
    ) -> pb.GetDatasetStatisticsResponse:
        """Describes what is in a dataset."""
        return statistics_message(await self._work.examples.statistics(*_names_of(request)))

    async def SplitDataset(  # noqa: N802 - named by the contract
        self, request: pb.SplitDatasetRequest, context: Any
    ) -> pb.SplitDatasetResponse:
        """Parts a dataset in two new ones."""
        work = self._work
        wanted = split_request_from(request)
        first, second = await split(work.catalogue, work.examples, wanted, work.limits)
        return pb.SplitDatasetResponse(first=dataset_message(first), second=dataset_message(second))

    async def ListArchives(  # noqa: N802 - named by the contract
        self, request: pb.ListArchivesRequest, context: Any
    ) -> pb.ListArchivesResponse:
        """Lists archives, newest first."""
        size = page_size(request.page_size, _PAGES)
        found = await self._work.archive_store.page(
            check_tenant(request.tenant), _id_in(request.page_token), size + 1
        )
        return pb.ListArchivesResponse(
            archives=[archive_message(each) for each in found[:size]],
            next_page_token=token_for(found[size - 1].archive_id) if len(found) > size else "",
        )

    async def DownloadArchive(  # noqa: N802 - named by the contract
        self, request: pb.DownloadArchiveRequest, context: Any
    ) -> AsyncIterator[pb.DownloadArchiveResponse]:
        """Streams an archive out as a file."""
        async with aclosing(self._work.archives.open(*_archive_of(request))) as pieces:
            async for piece in pieces:
                yield pb.DownloadArchiveResponse(content=piece)

    async def DeleteArchive(  # noqa: N802 - named by the contract
        self, request: pb.DeleteArchiveRequest, context: Any
    ) -> pb.DeleteArchiveResponse:
        """Deletes an archive."""
        await self._work.archives.delete(*_archive_of(request))
        return pb.DeleteArchiveResponse()


def _names_of(request: Any) -> tuple[str, str]:
    """Tenant and dataset of any request that names both."""
    return check_tenant(request.tenant), check_id(request.dataset_id, "dataset_id")


def _archive_of(request: Any) -> tuple[str, str]:
    """Tenant and archive of any request that names both."""
    return check_tenant(request.tenant), check_id(request.archive_id, "archive_id")


def _id_in(token: str) -> str:
    key = key_in(token)
    if key and not is_id(key):
        raise _foreign_token()
    return key


def _position_in(token: str) -> int:
    key = key_in(token) or "-1"
    if key != "-1" and not (key.isascii() and key.isdigit() and len(key) <= 18):
        raise _foreign_token()
    return int(key)


def _foreign_token() -> InvalidArgumentError:
    msg = "page_token is not one that this service gave out"
    return InvalidArgumentError(msg, field="page_token")
