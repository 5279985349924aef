"""Datasets as people handle them: made, listed, selected, described, parted, written, deleted."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import grpc
import pyarrow.parquet  # type: ignore[import-untyped]
import pytest

from voicemesh.trainer.v1 import dataset_service_pb2 as pb
from voicemesh.trainer.v1 import trainer_service_pb2, trainer_service_pb2_grpc

pytestmark = [pytest.mark.contract, pytest.mark.asyncio(loop_scope="session")]

TENANT = "guild-7"
FORMULAS = ["=1+1", "+1", "-1", "@sum", "'=x", "''-1", "it's"]


async def listed(
    stub: Any, size: int = 0, *, archived: bool = False, tenant: str = TENANT
) -> list[pb.Dataset]:
    found, token = [], ""
    while True:
        page = await stub.ListDatasets(
            pb.ListDatasetsRequest(
                tenant=tenant, page_size=size, page_token=token, include_archived=archived
            )
        )
        found += page.datasets
        token = page.next_page_token
        if not token:
            return found


def table(*rows: tuple[str, ...]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows([("prompt", "completion", "label"), *rows])
    return text.getvalue().encode()


async def exported(stub: Any, dataset_id: str, kind: Any) -> bytes:
    request = pb.ExportDatasetRequest(tenant=TENANT, dataset_id=dataset_id, format=kind)
    pieces = [each.content async for each in stub.ExportDataset(request)]
    assert all(0 < len(piece) <= 1 << 20 for piece in pieces)
    return b"".join(pieces)


async def test_names_are_unique_in_a_tenant_without_regard_to_case(
    stub: Any, new_dataset: Any, refused: Any
) -> None:
    await new_dataset(stub, "Facts")
    await new_dataset(stub, "Facts", tenant="other")
    for name in ("Facts", "  FACTS ", "\uff46acts"):
        with refused(grpc.StatusCode.ALREADY_EXISTS):
            await new_dataset(stub, name)
    for name in ("", "   ", "x" * 101, "a\nb", "a\0b"):
        with refused(grpc.StatusCode.INVALID_ARGUMENT):
            await new_dataset(stub, name)
    assert (await listed(stub))[0].name == "Facts"


async def test_lists_newest_first_in_pages_that_new_ones_do_not_shift(
    stub: Any, new_dataset: Any
) -> None:
    names = [f"d{number}" for number in range(5)]
    for name in names:
        await new_dataset(stub, name)
    first = await stub.ListDatasets(pb.ListDatasetsRequest(tenant=TENANT, page_size=2))
    await new_dataset(stub, "late")
    rest = await stub.ListDatasets(
        pb.ListDatasetsRequest(tenant=TENANT, page_size=9, page_token=first.next_page_token)
    )
    assert [each.name for each in [*first.datasets, *rest.datasets]] == names[::-1]
    assert not rest.next_page_token
    assert [each.name for each in await listed(stub, 1)] == ["late", *names[::-1]]
    assert await listed(stub, tenant="other") == []


@pytest.mark.parametrize("token", ["?", "eA==", "LTU="])
async def test_refuses_tokens_that_it_did_not_give(
    stub: Any, new_dataset: Any, refused: Any, token: str
) -> None:
    dataset_id = await new_dataset(stub)
    with refused(grpc.StatusCode.INVALID_ARGUMENT):
        await stub.ListDatasets(pb.ListDatasetsRequest(tenant=TENANT, page_token=token))
    with refused(grpc.StatusCode.INVALID_ARGUMENT):
        await stub.ListExamples(
            pb.ListExamplesRequest(tenant=TENANT, dataset_id=dataset_id, page_token=token)
        )
    with refused(grpc.StatusCode.INVALID_ARGUMENT):
        await stub.ListArchives(pb.ListArchivesRequest(tenant=TENANT, page_token=token))


async def test_one_dataset_is_selected(stub: Any, new_dataset: Any, refused: Any) -> None:
    one, two = await new_dataset(stub, "one"), await new_dataset(stub, "two")
    for chosen in (one, two):
        request = pb.SelectDatasetRequest(tenant=TENANT, dataset_id=chosen)
        assert (await stub.SelectDataset(request)).dataset.selected
    assert [each.name for each in await listed(stub) if each.selected] == ["two"]
    with refused(grpc.StatusCode.NOT_FOUND):
        await stub.SelectDataset(pb.SelectDatasetRequest(tenant="other", dataset_id=one))


async def test_a_deleted_dataset_is_gone_with_its_examples(
    stub: Any, new_dataset: Any, upload: Any, refused: Any
) -> None:
    dataset_id = await new_dataset(stub)
    await upload(stub, dataset_id, table(("a", "b", "")), file_name="a.csv")
    named = {"tenant": TENANT, "dataset_id": dataset_id}
    await stub.SelectDataset(pb.SelectDatasetRequest(**named))
    await stub.DeleteDataset(pb.DeleteDatasetRequest(**named))
    for call, request in (
        (stub.GetDataset, pb.GetDatasetRequest),
        (stub.ListExamples, pb.ListExamplesRequest),
        (stub.DeleteDataset, pb.DeleteDatasetRequest),
        (stub.GetDatasetStatistics, pb.GetDatasetStatisticsRequest),
    ):
        with refused(grpc.StatusCode.NOT_FOUND):
            await call(request(**named))
    again = await new_dataset(stub)
    assert not (await listed(stub))[0].selected
    assert again != dataset_id


async def test_long_examples_make_shorter_pages(
    stub: Any, new_dataset: Any, upload: Any, examples_of: Any
) -> None:
    dataset_id = await new_dataset(stub)
    rows = [(f"{number}", "ü" * 15_000, "") for number in range(150)]
    await upload(stub, dataset_id, table(*rows), file_name="a.csv")
    page = await stub.ListExamples(
        pb.ListExamplesRequest(tenant=TENANT, dataset_id=dataset_id, page_size=500)
    )
    assert 1 < len(page.examples) < 150
    found = await examples_of(stub, dataset_id, page_size=500)
    assert [each.prompt for each in found] == [row[0] for row in rows]


async def test_describes_what_is_in_a_dataset(stub: Any, new_dataset: Any, upload: Any) -> None:
    dataset_id = await new_dataset(stub)
    rows = [("Who?", "We", ""), ("who", "They", "neg"), ("When?", "Now", ""), ("When?", "Then", "")]
    await upload(stub, dataset_id, table(*rows), file_name="a.csv")
    await upload(stub, dataset_id, "Plain täxt.".encode(), file_name="a.txt")
    got = await stub.GetDatasetStatistics(
        pb.GetDatasetStatisticsRequest(tenant=TENANT, dataset_id=dataset_id)
    )
    assert (got.text_example_count, got.ambiguous_prompt_count, got.preference_pair_count) == (
        1,
        2,
        1,
    )
    prompts, completions = got.prompt_characters, got.completion_characters
    assert (prompts.minimum, prompts.median, prompts.maximum) == (3, 4, 5)
    assert (completions.minimum, completions.maximum) == (2, 11)
    assert completions.mean == pytest.approx((2 + 4 + 3 + 4 + 11) / 5)
    assert got.estimated_token_count == -(-got.dataset.byte_count // 3)


async def test_an_empty_dataset_can_be_described_and_written(
    stub: Any, new_dataset: Any, refused: Any
) -> None:
    dataset_id = await new_dataset(stub)
    request = pb.GetDatasetStatisticsRequest(tenant=TENANT, dataset_id=dataset_id)
    assert (await stub.GetDatasetStatistics(request)).prompt_characters.maximum == 0
    assert (await exported(stub, dataset_id, pb.DATASET_FORMAT_CSV)).startswith(b"prompt,")
    for kind in (pb.DATASET_FORMAT_OPENAI, pb.DATASET_FORMAT_JSONL):
        with refused(grpc.StatusCode.FAILED_PRECONDITION):
            await exported(stub, dataset_id, kind)


@pytest.mark.parametrize("kind", [pb.DATASET_FORMAT_CSV, pb.DATASET_FORMAT_JSONL])
async def test_reads_back_what_it_writes(
    stub: Any, new_dataset: Any, upload: Any, kind: Any
) -> None:
    dataset_id, other = await new_dataset(stub), await new_dataset(stub, "other")
    rows = [(text, text, "neg" if number % 2 else "") for number, text in enumerate(FORMULAS)]
    quoted = [('a "b"\nc', "d;\te, f", "")]
    lines: list[dict[str, Any]] = [
        {"prompt": p, "completion": c, "label": label} for p, c, label in rows + quoted
    ]
    lines += [{"text": "Plain\n\ntext"}, {"prompt": "x", "completion": "y", "system": "Be."}]
    chat = [{"role": role, "content": role} for role in ("user", "assistant") * 2]
    lines += [{"messages": chat}]
    data = "\n".join(map(json.dumps, lines)).encode()
    report = await upload(stub, dataset_id, data, file_name="a.jsonl")
    assert report.rejected_count == 0
    written = await exported(stub, dataset_id, kind)
    again = await upload(stub, other, written)
    assert again.rejected_count == 0
    assert again.dataset.content_sha256 == report.dataset.content_sha256
    if kind == pb.DATASET_FORMAT_CSV:
        cells = [cell for row in csv.reader(io.StringIO(written.decode())) for cell in row]
        assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in cells)


async def test_writes_chats_for_openai_without_what_to_avoid(
    stub: Any, new_dataset: Any, upload: Any
) -> None:
    dataset_id = await new_dataset(stub)
    chat = {
        "messages": [
            {"role": "system", "content": "Be kind."},
            {"role": "user", "content": "Hi"},
            {"role": "assistant", "content": "Hello\nyou"},
            {"role": "user", "content": "Who?"},
            {"role": "assistant", "content": "Mesh"},
        ]
    }
    bad = {"prompt": "Who?", "completion": "Nobody", "label": "bad"}
    data = f"{json.dumps(chat)}\n{json.dumps(bad)}\n".encode()
    await upload(stub, dataset_id, data)
    await upload(stub, dataset_id, b"Plain.", file_name="a.txt")
    lines = (await exported(stub, dataset_id, pb.DATASET_FORMAT_OPENAI)).splitlines()
    messages = chat["messages"]
    assert [json.loads(line)["messages"] for line in lines] == [messages[:3], messages]


async def test_writes_parquet(stub: Any, new_dataset: Any, upload: Any) -> None:
    dataset_id = await new_dataset(stub)
    await upload(stub, dataset_id, table(("a", "b", ""), ("c", "d", "neg")), file_name="a.csv")
    data = await exported(stub, dataset_id, pb.DATASET_FORMAT_PARQUET)
    read = pyarrow.parquet.read_table(io.BytesIO(data))
    assert read.column("polarity").to_pylist() == ["positive", "negative"]
    assert read.column("completion").to_pylist() == ["b", "d"]


async def test_parts_a_dataset_the_same_way_each_time(
    stub: Any, new_dataset: Any, upload: Any, examples_of: Any
) -> None:
    dataset_id = await new_dataset(stub, "facts")
    rows = [(f"q{number % 20}", f"a{number}", "") for number in range(60)]
    await upload(stub, dataset_id, table(*rows), file_name="a.csv")
    named = {"tenant": TENANT, "dataset_id": dataset_id, "first_share": 0.75}
    parts = await stub.SplitDataset(pb.SplitDatasetRequest(**named))
    again = await stub.SplitDataset(
        pb.SplitDatasetRequest(first_name="x", second_name="y", seed=0, **named)
    )
    assert [parts.first.name, parts.second.name] == ["facts (1)", "facts (2)"]
    assert (parts.first.example_count, parts.second.example_count) == (45, 15)
    assert again.first.content_sha256 == parts.first.content_sha256
    prompts = [
        {each.prompt for each in await examples_of(stub, part.dataset_id)}
        for part in (parts.first, parts.second)
    ]
    assert not prompts[0] & prompts[1]
    other = await stub.SplitDataset(
        pb.SplitDatasetRequest(first_name="v", second_name="w", seed=1, **named)
    )
    assert other.first.content_sha256 != parts.first.content_sha256


async def test_refuses_to_part_what_cannot_be_parted(
    stub: Any, new_dataset: Any, upload: Any, refused: Any
) -> None:
    dataset_id = await new_dataset(stub)
    named = {"tenant": TENANT, "dataset_id": dataset_id}
    await upload(stub, dataset_id, table(("a", "b", ""), ("a", "c", "")), file_name="a.csv")
    with refused(grpc.StatusCode.FAILED_PRECONDITION):
        await stub.SplitDataset(pb.SplitDatasetRequest(first_share=0.5, **named))
    for share in (0, 1, -1, 2, float("nan")):
        with refused(grpc.StatusCode.INVALID_ARGUMENT):
            await stub.SplitDataset(pb.SplitDatasetRequest(first_share=share, **named))
    await upload(stub, dataset_id, table(("b", "b", "")), file_name="a.csv")
    with refused(grpc.StatusCode.ALREADY_EXISTS):
        await stub.SplitDataset(
            pb.SplitDatasetRequest(first_share=0.5, first_name="x", second_name="X", **named)
        )
    assert [each.name for each in await listed(stub)] == ["facts"]


async def test_people_can_take_back_what_they_gave(
    service: Any, stub: Any, new_dataset: Any, upload: Any, examples_of: Any
) -> None:
    dataset_id = await new_dataset(stub)
    await upload(stub, dataset_id, table(("a", "b", "neg")), file_name="a.csv", author_id="ann")
    kept = await upload(
        stub, await new_dataset(stub, "x"), table(("c", "d", "")), file_name="a.csv"
    )
    await upload(stub, dataset_id, table(("c", "d", "")), file_name="a.csv", author_id="bob")
    people = trainer_service_pb2_grpc.TrainerServiceStub(service.channel())
    request = trainer_service_pb2.DeleteAuthorDataRequest(tenant=TENANT, author_id="ann")
    assert (await people.DeleteAuthorData(request)).example_count == 1
    found = (await listed(stub))[-1]
    assert (found.example_count, found.negative_example_count) == (1, 0)
    assert found.content_sha256 == kept.dataset.content_sha256
    await upload(stub, dataset_id, table(("e", "f", "")), file_name="a.csv")
    assert [each.prompt for each in await examples_of(stub, dataset_id)] == ["c", "e"]
