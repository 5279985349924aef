"""Datasets packed away and brought back, and archives that somebody touched."""

from __future__ import annotations

import hashlib
import io
import tarfile
from pathlib import Path
from typing import Any

import grpc
import pytest
import pytest_asyncio
import zstandard

from voicemesh.trainer.v1 import dataset_service_pb2 as pb
from voicemesh.trainer.v1 import trainer_service_pb2, trainer_service_pb2_grpc

pytestmark = [pytest.mark.contract, pytest.mark.asyncio(loop_scope="session")]

TENANT = "guild-7"
TABLE = b"prompt,completion\n" + b"".join(b"q%d,a%d\n" % (n, n) for n in range(20))


@pytest_asyncio.fixture(loop_scope="session")
async def packed(stub: Any, new_dataset: Any, upload: Any) -> tuple[pb.Dataset, pb.Archive]:
    """A dataset of 20 examples that is selected and archived, and its archive."""
    dataset_id = await new_dataset(stub)
    named = {"tenant": TENANT, "dataset_id": dataset_id}
    await upload(stub, dataset_id, TABLE, file_name="a.csv", author_id="ann")
    await upload(stub, dataset_id, b"prompt,completion\nx,y\n", file_name="a.csv", author_id="bob")
    selected = await stub.SelectDataset(pb.SelectDatasetRequest(**named))
    done = await stub.ArchiveDataset(pb.ArchiveDatasetRequest(**named))
    return selected.dataset, done.archive


def file_of(data_dir: Path, archive: pb.Archive) -> Path:
    (found,) = (path for path in data_dir.rglob(f"*{archive.sha256}") if path.is_file())
    return found


async def restored(stub: Any, archive: pb.Archive, name: str = "") -> pb.Dataset:
    request = pb.RestoreDatasetRequest(tenant=TENANT, archive_id=archive.archive_id, name=name)
    response: pb.RestoreDatasetResponse = await stub.RestoreDataset(request)
    return response.dataset


async def downloaded(stub: Any, archive: pb.Archive) -> bytes:
    request = pb.DownloadArchiveRequest(tenant=TENANT, archive_id=archive.archive_id)
    return b"".join([each.content async for each in stub.DownloadArchive(request)])


async def test_an_archived_dataset_is_put_away(
    stub: Any, packed: Any, upload: Any, refused: Any
) -> None:
    dataset, archive = packed
    assert archive.example_count == 21
    assert archive.dataset_name == "facts"
    assert not (await stub.ListDatasets(pb.ListDatasetsRequest(tenant=TENANT))).datasets
    every = pb.ListDatasetsRequest(tenant=TENANT, include_archived=True)
    (found,) = (await stub.ListDatasets(every)).datasets
    assert (found.archived, found.selected, found.example_count) == (True, False, 21)
    named = {"tenant": TENANT, "dataset_id": dataset.dataset_id}
    for call, request in (
        (stub.SelectDataset, pb.SelectDatasetRequest(**named)),
        (stub.ListExamples, pb.ListExamplesRequest(**named)),
        (stub.ArchiveDataset, pb.ArchiveDatasetRequest(**named)),
        (stub.GetDatasetStatistics, pb.GetDatasetStatisticsRequest(**named)),
        (stub.SplitDataset, pb.SplitDatasetRequest(first_share=0.5, **named)),
    ):
        with refused(grpc.StatusCode.FAILED_PRECONDITION):
            await call(request)
    with refused(grpc.StatusCode.FAILED_PRECONDITION):
        await upload(stub, dataset.dataset_id, TABLE, file_name="a.csv")
    with refused(grpc.StatusCode.FAILED_PRECONDITION):
        await upload(stub, dataset.dataset_id, TABLE, file_name="a.csv", request_id="r")


async def test_it_comes_back_as_it_was(stub: Any, packed: Any, examples_of: Any) -> None:
    dataset, archive = packed
    back = await restored(stub, archive)
    assert back.dataset_id == dataset.dataset_id
    assert not back.archived
    for field in ("name", "example_count", "byte_count", "content_sha256"):
        assert getattr(back, field) == getattr(dataset, field)
    found = await examples_of(stub, back.dataset_id)
    assert [each.prompt for each in found] == [*(f"q{n}" for n in range(20)), "x"]
    assert found[0].source == "line 2"


async def test_it_comes_back_under_another_name_as_another(
    stub: Any, packed: Any, refused: Any
) -> None:
    dataset, archive = packed
    copy = await restored(stub, archive, "copy")
    assert copy.dataset_id != dataset.dataset_id
    assert copy.content_sha256 == dataset.content_sha256
    assert (await restored(stub, archive)).dataset_id == dataset.dataset_id
    for name in ("", "Copy"):
        with refused(grpc.StatusCode.ALREADY_EXISTS):
            await restored(stub, archive, name)


async def test_an_archive_outlives_its_dataset(stub: Any, packed: Any) -> None:
    dataset, archive = packed
    named = {"tenant": TENANT, "dataset_id": dataset.dataset_id}
    await stub.DeleteDataset(pb.DeleteDatasetRequest(**named))
    back = await restored(stub, archive)
    assert back.name == "facts"
    assert back.content_sha256 == dataset.content_sha256


async def test_the_only_copy_is_not_deleted(
    stub: Any, packed: Any, refused: Any, data_dir: Path
) -> None:
    _, archive = packed
    request = pb.DeleteArchiveRequest(tenant=TENANT, archive_id=archive.archive_id)
    with refused(grpc.StatusCode.FAILED_PRECONDITION):
        await stub.DeleteArchive(request)
    path = file_of(data_dir, archive)
    await restored(stub, archive)
    await stub.DeleteArchive(request)
    assert not path.exists()
    with refused(grpc.StatusCode.NOT_FOUND):
        await stub.DeleteArchive(request)
    with refused(grpc.StatusCode.NOT_FOUND):
        await downloaded(stub, archive)
    assert not (await stub.ListArchives(pb.ListArchivesRequest(tenant=TENANT))).archives


async def test_archives_are_listed_newest_first_and_belong_to_their_tenant(
    stub: Any, packed: Any, refused: Any
) -> None:
    _, first = packed
    back = await restored(stub, first)
    named = {"tenant": TENANT, "dataset_id": back.dataset_id}
    second = (await stub.ArchiveDataset(pb.ArchiveDatasetRequest(**named))).archive
    assert second.sha256 == first.sha256
    assert second.archive_id != first.archive_id
    page = await stub.ListArchives(pb.ListArchivesRequest(tenant=TENANT, page_size=1))
    rest = await stub.ListArchives(
        pb.ListArchivesRequest(tenant=TENANT, page_size=1, page_token=page.next_page_token)
    )
    assert [*page.archives, *rest.archives] == [second, first]
    assert not rest.next_page_token
    with refused(grpc.StatusCode.NOT_FOUND):
        await stub.RestoreDataset(
            pb.RestoreDatasetRequest(tenant="other", archive_id=first.archive_id)
        )


async def test_a_downloaded_archive_is_what_it_says(stub: Any, packed: Any) -> None:
    _, archive = packed
    data = await downloaded(stub, archive)
    assert hashlib.sha256(data).hexdigest() == archive.sha256
    assert len(data) == archive.byte_count
    plain = zstandard.ZstdDecompressor().stream_reader(data).read()
    with tarfile.open(fileobj=io.BytesIO(plain)) as tar:
        assert tar.getnames() == ["manifest.json", "examples.jsonl"]


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[:-1],
        lambda data: data + b"x",
        lambda data: bytes([data[0] ^ 1]) + data[1:],
        lambda data: zstandard.ZstdCompressor().compress(bytes(32 << 20)),
    ],
)
async def test_a_touched_archive_is_refused_and_nothing_changes(
    stub: Any, packed: Any, refused: Any, refusal: Any, data_dir: Path, damage: Any
) -> None:
    dataset, archive = packed
    path = file_of(data_dir, archive)
    sound = path.read_bytes()
    path.chmod(0o600)
    path.write_bytes(damage(sound))
    with refused(grpc.StatusCode.FAILED_PRECONDITION) as caught:
        await restored(stub, archive)
    assert refusal(caught.value)[0] == "ARCHIVE_DAMAGED"
    path.write_bytes(sound)
    assert (await restored(stub, archive)).content_sha256 == dataset.content_sha256


async def test_a_lost_archive_is_said_to_be(
    stub: Any, packed: Any, refused: Any, data_dir: Path
) -> None:
    _, archive = packed
    file_of(data_dir, archive).unlink()
    with refused(grpc.StatusCode.UNAVAILABLE):
        await restored(stub, archive)


async def test_whoever_was_forgotten_does_not_come_back(
    service: Any, stub: Any, packed: Any, examples_of: Any
) -> None:
    _, archive = packed
    people = trainer_service_pb2_grpc.TrainerServiceStub(service.channel())
    request = trainer_service_pb2.DeleteAuthorDataRequest(tenant=TENANT, author_id="ann")
    await people.DeleteAuthorData(request)
    back = await restored(stub, archive)
    assert back.example_count == 1
    assert [each.prompt for each in await examples_of(stub, back.dataset_id)] == ["x"]


async def test_an_empty_dataset_can_be_archived(stub: Any, new_dataset: Any) -> None:
    named = {"tenant": TENANT, "dataset_id": await new_dataset(stub)}
    done = await stub.ArchiveDataset(pb.ArchiveDatasetRequest(**named))
    assert (await restored(stub, done.archive)).example_count == 0
