"""`Datasets` against a real trainer; against scripts where a service has to fail."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from voicemesh.trainer.v1 import dataset_service_pb2 as pb
from voicemesh_chassis.errors import UnavailableError
from voicemesh_chassis.testing import RunningService
from voicemesh_client import (
    AlreadyExistsError,
    DatasetFormat,
    Datasets,
    FailedPreconditionError,
    ImportOptions,
    InvalidArgumentError,
    NotFoundError,
    Polarity,
)

pytestmark = pytest.mark.contract

FAILURES = 5
"""In a row: gRPC makes a call that failed at once up to four times by itself."""
TABLE = b"prompt,completion\nWho leads?,Ann\nWho cooks?,Bob\nWho sings?,\n"


@pytest.fixture
async def datasets(trainer: RunningService) -> AsyncIterator[Datasets]:
    async with Datasets(trainer.target) as client:
        yield client


async def made(datasets: Datasets, name: str = "facts") -> str:
    return (await datasets.create(name, tenant="t")).id


async def test_a_dataset_is_made_filled_shown_and_deleted(
    datasets: Datasets, tmp_path: Path
) -> None:
    file = tmp_path / "facts.csv"
    file.write_bytes(TABLE)
    facts = await datasets.create("facts", tenant="t")
    counts: list[int] = []

    shown = await datasets.preview(facts.id, file, tenant="t")
    report = await datasets.import_file(facts.id, file, tenant="t", progress=counts.append)

    assert (facts.name, facts.tenant, facts.example_count) == ("facts", "t", 0)
    assert [each.completion for each in shown.examples] == ["Ann", "Bob"]
    assert shown.dataset.example_count == 0
    assert (report.imported_count, report.rejected_count, report.duplicate_count) == (2, 1, 0)
    assert [row.line for row in report.rejected_rows] == [4]
    assert report.files[0].format is DatasetFormat.CSV
    assert counts == [len(TABLE)]
    examples = [each async for each in datasets.examples(facts.id, tenant="t")]
    assert [each.prompt for each in examples] == ["Who leads?", "Who cooks?"]
    assert {each.polarity for each in examples} == {Polarity.POSITIVE}
    statistics = await datasets.statistics(facts.id, tenant="t")
    assert statistics.prompt_characters.maximum == len("Who leads?")
    assert (await datasets.get(facts.id, tenant="t")).example_count == 2
    await datasets.delete(facts.id, tenant="t")
    with pytest.raises(NotFoundError):
        await datasets.get(facts.id, tenant="t")


async def test_a_repeated_import_counts_once(datasets: Datasets) -> None:
    facts = await made(datasets)
    options = ImportOptions(file_name="a.csv", request_id="r", polarity=Polarity.NEGATIVE)

    reports = [
        await datasets.import_file(facts, TABLE, tenant="t", options=options) for _ in range(2)
    ]

    assert [report.imported_count for report in reports] == [2, 2]
    assert (await datasets.get(facts, tenant="t")).negative_example_count == 2


async def test_pieces_and_a_directory_are_imported(datasets: Datasets, tmp_path: Path) -> None:
    facts = await made(datasets)
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "a.jsonl").write_text('{"prompt": "a?", "completion": "b"}\n')
    (tmp_path / "c.csv").write_bytes(TABLE)

    async def pieces() -> AsyncGenerator[bytes, None]:
        for start in range(0, len(TABLE), 7):
            yield TABLE[start : start + 7]

    options = ImportOptions(file_name="facts.csv")
    first = await datasets.import_file(facts, pieces(), tenant="t", options=options)
    second = await datasets.import_file(facts, tmp_path, tenant="t")

    assert first.imported_count == 2
    assert (second.imported_count, second.duplicate_count) == (1, 2)
    assert [file.file_name for file in second.files] == ["below/a.jsonl", "c.csv"]


async def test_lists_are_followed_over_all_pages(datasets: Datasets) -> None:
    names = [f"number {number}" for number in range(53)]
    for name in names:
        await datasets.create(name, tenant="t")

    assert [each.name async for each in datasets.list(tenant="t")] == names[::-1]
    assert [each async for each in datasets.list(tenant="nobody")] == []


async def test_a_dataset_is_selected_split_and_exported(datasets: Datasets, tmp_path: Path) -> None:
    facts = await made(datasets)
    rows = b"prompt,completion\n" + b"".join(b"q %d?,a %d\n" % (n, n) for n in range(10))
    options = ImportOptions(file_name="a.csv")
    await datasets.import_file(facts, rows, tenant="t", options=options)

    assert (await datasets.select(facts, tenant="t")).selected
    parts = await datasets.split(facts, 0.8, tenant="t", names=("train", "test"), seed=7)
    target = tmp_path / "facts.csv"
    size = await datasets.export_to(target, facts, tenant="t", format=DatasetFormat.CSV)

    assert [(part.name, part.example_count) for part in parts] == [("train", 8), ("test", 2)]
    assert size == target.stat().st_size
    assert target.read_bytes().count(b"\n") == 11
    streamed = b"".join([piece async for piece in datasets.export(facts, tenant="t")])
    assert streamed.count(b"\n") == 10


async def test_an_archive_goes_out_and_comes_back(datasets: Datasets, tmp_path: Path) -> None:
    facts = await made(datasets)
    options = ImportOptions(file_name="a.csv")
    await datasets.import_file(facts, TABLE, tenant="t", options=options)

    archive = await datasets.archive(facts, tenant="t")
    with pytest.raises(FailedPreconditionError):
        await datasets.import_file(facts, TABLE, tenant="t", options=options)
    size = await datasets.download_archive_to(tmp_path / "a.tar.zst", archive.id, tenant="t")
    back = await datasets.restore(archive.id, tenant="t", name="facts again")

    assert (archive.dataset_name, archive.example_count) == ("facts", 2)
    assert size == archive.byte_count
    assert (back.name, back.example_count) == ("facts again", 2)
    assert [each async for each in datasets.archives(tenant="t")] == [archive]
    with pytest.raises(FailedPreconditionError, match="only copy"):
        await datasets.delete_archive(archive.id, tenant="t")
    await datasets.delete(facts, tenant="t")
    await datasets.delete_archive(archive.id, tenant="t")
    assert [each async for each in datasets.archives(tenant="t")] == []


async def test_what_the_trainer_refuses_is_an_error_of_its_kind(datasets: Datasets) -> None:
    facts = await made(datasets)

    with pytest.raises(AlreadyExistsError):
        await made(datasets)
    with pytest.raises(InvalidArgumentError) as refused:
        await datasets.import_file(facts, b"\x89PNG\r\n\x1a\n" + b"\x00" * 64, tenant="t")
    assert refused.value.field == "content"
    with pytest.raises(NotFoundError):
        await datasets.import_file("01J00000000000000000000000", TABLE * 10_000, tenant="t")
    with pytest.raises(NotFoundError):
        await anext(datasets.export(facts, tenant="somebody-else"))


async def test_an_import_that_fails_is_sent_again_under_the_same_name(
    script: Any, tmp_path: Path
) -> None:
    tries: list[tuple[str, bytes]] = []
    failures = FAILURES

    async def take(requests: Any, _context: Any) -> pb.ImportDatasetResponse:
        incoming = [request async for request in requests]
        content = b"".join(request.content for request in incoming[1:])
        tries.append((incoming[0].config.request_id, content))
        if len(tries) <= failures:
            raise UnavailableError("the service stops", retry_after_s=0.01)
        return pb.ImportDatasetResponse(imported_count=2)

    script.ImportDataset = take
    file = tmp_path / "facts.csv"
    file.write_bytes(TABLE)
    async with Datasets(script.target) as datasets:
        report = await datasets.import_file("d", file, tenant="t")

        assert report.imported_count == 2
        assert len(tries) == failures + 1
        assert set(tries) == {(tries[0][0], TABLE)}
        assert tries[0][0]

        async def once() -> AsyncGenerator[bytes, None]:
            yield TABLE

        tries.clear()
        with pytest.raises(UnavailableError):
            await datasets.import_file("d", once(), tenant="t")
        tries.clear()
        with pytest.raises(UnavailableError):
            await datasets.import_file("d", file, tenant="t", retries=0)


async def test_a_source_that_fails_ends_the_import_with_its_error(script: Any) -> None:
    async def take(requests: Any, _context: Any) -> pb.ImportDatasetResponse:
        async for _ in requests:
            pass
        pytest.fail("the upload has no end")

    script.ImportDataset = take

    async def broken() -> AsyncGenerator[bytes, None]:
        yield TABLE
        msg = "the disk is gone"
        raise OSError(msg)

    async with Datasets(script.target) as datasets:
        with pytest.raises(OSError, match="the disk is gone"):
            await datasets.import_file("d", broken(), tenant="t")
