"""ImportDataset: good rows in at once, bad rows named, nothing by halves."""

from __future__ import annotations

import asyncio
import io
import json
import zipfile
from typing import Any

import grpc
import pytest

from voicemesh.trainer.v1 import dataset_service_pb2 as pb
from voicemesh.trainer.v1 import dataset_service_pb2_grpc

pytestmark = [pytest.mark.contract, pytest.mark.asyncio(loop_scope="session")]

TENANT = "guild-7"
TABLE = b"question,answer,label\nWho?,We,\nWhen?,Now,negative\nWhere?,,\nWho?,We,\n"


async def dataset_of(stub: Any, dataset_id: str, tenant: str = TENANT) -> pb.Dataset:
    request = pb.GetDatasetRequest(tenant=tenant, dataset_id=dataset_id)
    response: pb.GetDatasetResponse = await stub.GetDataset(request)
    return response.dataset


async def test_adds_good_rows_and_names_bad_ones(
    stub: Any, new_dataset: Any, upload: Any, examples_of: Any
) -> None:
    dataset_id = await new_dataset(stub)
    report = await upload(stub, dataset_id, TABLE, file_name="C:\\x\\facts.csv", piece=7)
    assert (report.imported_count, report.duplicate_count, report.rejected_count) == (2, 1, 1)
    (row,) = report.rejected_rows
    assert (row.file_name, row.line, row.reason) == ("", 4, "it has no answer")
    (file,) = report.files
    assert (file.format, file.encoding, file.delimiter, file.row_count) == (
        pb.DATASET_FORMAT_CSV,
        "utf-8",
        ",",
        4,
    )
    dataset = report.dataset
    assert (dataset.example_count, dataset.negative_example_count) == (2, 1)
    assert dataset.byte_count == len("Who?WeWhen?Now")
    assert dataset == await dataset_of(stub, dataset_id)
    found = await examples_of(stub, dataset_id)
    assert [(each.prompt, each.completion, each.polarity) for each in found] == [
        ("Who?", "We", pb.POLARITY_POSITIVE),
        ("When?", "Now", pb.POLARITY_NEGATIVE),
    ]
    assert [each.source for each in found] == ["line 2", "line 3"]


async def test_what_is_there_already_is_not_added_again(
    stub: Any, new_dataset: Any, upload: Any, examples_of: Any
) -> None:
    dataset_id = await new_dataset(stub)
    first = await upload(stub, dataset_id, TABLE, file_name="a.csv")
    again = await upload(
        stub, dataset_id, b"prompt,completion\nWho?,We\nWhy?,So\n", file_name="b.csv"
    )
    assert (again.imported_count, again.duplicate_count) == (1, 1)
    assert again.dataset.content_sha256 != first.dataset.content_sha256
    nothing = await upload(stub, dataset_id, TABLE, file_name="a.csv")
    assert (nothing.imported_count, nothing.duplicate_count) == (0, 3)
    assert nothing.dataset.content_sha256 == again.dataset.content_sha256
    assert [each.prompt for each in await examples_of(stub, dataset_id)] == [
        "Who?",
        "When?",
        "Why?",
    ]


async def test_the_hash_is_the_same_however_examples_came(
    stub: Any, new_dataset: Any, upload: Any
) -> None:
    one, two = await new_dataset(stub, "one"), await new_dataset(stub, "two")
    rows = [f"q{number},a{number}\n".encode() for number in range(5)]
    header = b"prompt,completion\n"
    for row in rows:
        first = await upload(stub, one, header + row, file_name="x.csv")
    second = await upload(stub, two, header + b"".join(reversed(rows)), file_name="x.csv")
    assert first.dataset.content_sha256 == second.dataset.content_sha256


async def test_a_repeated_request_counts_once(
    stub: Any, new_dataset: Any, upload: Any, refused: Any
) -> None:
    dataset_id = await new_dataset(stub)
    reports = [
        await upload(stub, dataset_id, TABLE, file_name="a.csv", request_id="r1") for _ in range(2)
    ]
    assert reports[0] == reports[1]
    assert (await dataset_of(stub, dataset_id)).example_count == 2
    with refused(grpc.StatusCode.ALREADY_EXISTS):
        await upload(stub, dataset_id, TABLE + b"x,y,\n", file_name="a.csv", request_id="r1")
    await stub.DeleteDataset(pb.DeleteDatasetRequest(tenant=TENANT, dataset_id=dataset_id))
    assert await upload(stub, dataset_id, TABLE, file_name="a.csv", request_id="r1") == reports[0]


async def test_a_preview_adds_nothing(stub: Any, new_dataset: Any, upload: Any) -> None:
    dataset_id = await new_dataset(stub)
    await upload(stub, dataset_id, b"prompt,completion\nWho?,We\n", file_name="a.csv")
    before = await dataset_of(stub, dataset_id)
    report = await upload(stub, dataset_id, TABLE, file_name="a.csv", preview=True)
    assert (report.imported_count, report.duplicate_count, report.rejected_count) == (1, 2, 1)
    assert [each.prompt for each in report.preview_examples] == ["When?"]
    assert await dataset_of(stub, dataset_id) == before


async def test_imports_archives_of_many_kinds_of_files(
    stub: Any, new_dataset: Any, upload: Any, examples_of: Any
) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("dir/a.tsv", "question\tanswer\nq1\ta1\n")
        archive.writestr("dir/b.json", json.dumps([{"instruction": "q2", "output": "a2"}, 7]))
        archive.writestr("c.txt", "Plain.\n\nText.")
    dataset_id = await new_dataset(stub)
    report = await upload(stub, dataset_id, file.getvalue(), polarity=pb.POLARITY_NEGATIVE)
    assert report.imported_count == 4
    assert [(row.file_name, row.line) for row in report.rejected_rows] == [("dir/b.json", 1)]
    found = await examples_of(stub, dataset_id)
    assert {each.completion: each.source for each in found} == {
        "Plain.": "c.txt, line 1",
        "Text.": "c.txt, line 3",
        "a1": "dir/a.tsv, line 2",
        "a2": "dir/b.json, line 1",
    }
    assert report.dataset.negative_example_count == 4


@pytest.mark.parametrize(
    ("data", "config", "field"),
    [
        (b"", {}, "content"),
        (b"\x89PNG\r\n", {}, "content"),
        (b"colour,size\nred,1\n", {"file_name": "a.csv"}, "content"),
        (TABLE, {"encoding": "klingon"}, "config.encoding"),
        (TABLE, {"polarity": pb.POLARITY_UNSPECIFIED}, "config.polarity"),
        (TABLE, {"format": pb.DATASET_FORMAT_PARQUET}, "config.format"),
        (TABLE, {"tenant": ""}, "tenant"),
        (TABLE, {"author_id": "x" * 65}, "config.author_id"),
        (TABLE, {"format": pb.DATASET_FORMAT_ZIP}, "content"),
    ],
)
async def test_refuses_what_cannot_be_read(
    stub: Any,
    new_dataset: Any,
    upload: Any,
    refused: Any,
    refusal: Any,
    data: bytes,
    config: dict[str, Any],
    field: str,
) -> None:
    dataset_id = await new_dataset(stub)
    with refused(grpc.StatusCode.INVALID_ARGUMENT) as caught:
        await upload(stub, dataset_id, data, **config)
    assert refusal(caught.value)[1] == field
    assert (await dataset_of(stub, dataset_id)).example_count == 0


async def test_unknown_and_foreign_datasets_are_not_found(
    stub: Any, new_dataset: Any, upload: Any, refused: Any
) -> None:
    mine = await new_dataset(stub)
    for tenant, dataset_id in ((TENANT, "01J00000000000000000000000"), ("other", mine)):
        with refused(grpc.StatusCode.NOT_FOUND):
            await upload(stub, dataset_id, TABLE, tenant=tenant)
        with refused(grpc.StatusCode.NOT_FOUND):
            await dataset_of(stub, dataset_id, tenant)


@pytest.mark.parametrize(
    "messages",
    [
        [],
        [pb.ImportDatasetRequest(content=b"x")],
        [pb.ImportDatasetRequest()],
    ],
)
async def test_an_upload_begins_with_its_config(stub: Any, refused: Any, messages: Any) -> None:
    with refused(grpc.StatusCode.INVALID_ARGUMENT):
        await stub.ImportDataset(messages)


async def test_a_config_in_the_middle_and_large_pieces_are_refused(
    stub: Any, new_dataset: Any, refused: Any
) -> None:
    config = pb.ImportDatasetConfig(
        tenant=TENANT, dataset_id=await new_dataset(stub), polarity=pb.POLARITY_POSITIVE
    )
    first = pb.ImportDatasetRequest(config=config)
    for second in (first, pb.ImportDatasetRequest(content=bytes((1 << 20) + 1))):
        with refused(grpc.StatusCode.INVALID_ARGUMENT):
            await stub.ImportDataset([first, second])


async def test_limits_refuse_whole_files(
    open_trainer: Any, database_url: str, new_dataset: Any, upload: Any, refused: Any
) -> None:
    limits = {"upload_bytes": 5_000, "rows": 40, "examples": 30, "datasets": 2}
    async with open_trainer(database_url, **limits) as service:
        stub = dataset_service_pb2_grpc.DatasetServiceStub(service.channel())
        dataset_id = await new_dataset(stub)

        def table(count: int) -> bytes:
            return b"prompt,completion\n" + b"".join(b"q%d,a\n" % n for n in range(count))

        for data in (b"x" * 6_000, table(41), table(31)):
            with refused(grpc.StatusCode.RESOURCE_EXHAUSTED):
                await upload(stub, dataset_id, data, file_name="a.csv")
        assert (await dataset_of(stub, dataset_id)).example_count == 0
        assert (await upload(stub, dataset_id, table(30), file_name="a.csv")).imported_count == 30
        other = await new_dataset(stub, "other")
        with refused(grpc.StatusCode.RESOURCE_EXHAUSTED):
            await upload(stub, other, table(1), file_name="a.csv")
        with refused(grpc.StatusCode.RESOURCE_EXHAUSTED):
            await new_dataset(stub, "third")


async def test_a_caller_that_vanishes_has_added_nothing(
    service: Any, stub: Any, new_dataset: Any, upload: Any
) -> None:
    dataset_id = await new_dataset(stub)
    config = pb.ImportDatasetConfig(
        tenant=TENANT, dataset_id=dataset_id, polarity=pb.POLARITY_POSITIVE, file_name="a.csv"
    )
    call = stub.ImportDataset()
    await call.write(pb.ImportDatasetRequest(config=config))
    await call.write(pb.ImportDatasetRequest(content=TABLE))
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    await service.check_well()
    assert (await dataset_of(stub, dataset_id)).example_count == 0
    assert (await upload(stub, dataset_id, TABLE, file_name="a.csv")).imported_count == 2


async def test_a_silent_caller_is_let_go(
    open_trainer: Any, database_url: str, new_dataset: Any
) -> None:
    async with open_trainer(database_url, silence_s=0.2, uploads=1) as service:
        stub = dataset_service_pb2_grpc.DatasetServiceStub(service.channel())
        config = pb.ImportDatasetConfig(
            tenant=TENANT, dataset_id=await new_dataset(stub), polarity=pb.POLARITY_POSITIVE
        )
        call = stub.ImportDataset()
        await call.write(pb.ImportDatasetRequest(config=config))
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call
        assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
        await service.check_well()


async def test_more_uploads_than_may_be_are_refused_with_a_time_to_come_again(
    open_trainer: Any, database_url: str, new_dataset: Any, upload: Any, refused: Any, refusal: Any
) -> None:
    async with open_trainer(database_url, uploads=1) as service:
        stub = dataset_service_pb2_grpc.DatasetServiceStub(service.channel())
        dataset_id = await new_dataset(stub)
        config = pb.ImportDatasetConfig(
            tenant=TENANT, dataset_id=dataset_id, polarity=pb.POLARITY_POSITIVE, file_name="a.csv"
        )
        held = stub.ImportDataset()
        await held.write(pb.ImportDatasetRequest(config=config))

        async def is_full() -> bool:
            try:
                await upload(stub, dataset_id, TABLE, file_name="a.csv", preview=True)
            except grpc.aio.AioRpcError as error:
                return bool(refusal(error)[0] == "IMPORTS_BUSY")
            return False

        await service.until(is_full)
        await held.write(pb.ImportDatasetRequest(content=TABLE))
        await held.done_writing()
        assert (await held).imported_count == 2


async def test_two_imports_at_once_add_each_example_once(
    stub: Any, new_dataset: Any, upload: Any, examples_of: Any
) -> None:
    dataset_id = await new_dataset(stub)
    table = b"prompt,completion\n" + b"".join(b"q%d,a\n" % n for n in range(700))
    reports = await asyncio.gather(
        *(upload(stub, dataset_id, table, file_name="a.csv") for _ in range(3))
    )
    assert sorted(report.imported_count for report in reports) == [0, 0, 700]
    found = await examples_of(stub, dataset_id, page_size=499)
    assert [each.prompt for each in found] == [f"q{number}" for number in range(700)]
    assert (await dataset_of(stub, dataset_id)).example_count == 700


async def test_one_endless_line_takes_no_memory(stub: Any, new_dataset: Any, upload: Any) -> None:
    dataset_id = await new_dataset(stub)
    data = b"prompt,completion\na,b\n" + b"x" * (24 << 20) + b"\nc,d\n"
    report = await upload(stub, dataset_id, data, piece=1 << 20, file_name="a.csv")
    assert report.imported_count == 2
    assert report.rejected_rows[0].line == 3
