"""Datasets, their examples and archives."""

from __future__ import annotations

from typing import TYPE_CHECKING

from voicemesh.trainer.v1 import dataset_service_pb2 as pb
from voicemesh_client.examples import (
    Archive,
    Dataset,
    DatasetFormat,
    DatasetStatistics,
    Example,
    ImportOptions,
    ImportReport,
    LengthStatistics,
    Polarity,
    ReadFile,
    RejectedRow,
)
from voicemesh_client.wire.times import time_from_wire

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = (
    "archive_from_wire",
    "config_to_wire",
    "dataset_from_wire",
    "example_from_wire",
    "export_to_wire",
    "piece_to_wire",
    "report_from_wire",
    "statistics_from_wire",
)

_MOST_BYTES = 1 << 18
"""Of a file in one message. The contract allows 1 MiB; smaller ones let the receiver hold less."""

_POLARITIES = {
    Polarity.POSITIVE: pb.POLARITY_POSITIVE,
    Polarity.NEGATIVE: pb.POLARITY_NEGATIVE,
}
_POLARITIES_FROM_WIRE: dict[int, Polarity] = {wire: each for each, wire in _POLARITIES.items()}
_FORMATS = {
    DatasetFormat.UNSPECIFIED: pb.DATASET_FORMAT_UNSPECIFIED,
    DatasetFormat.CSV: pb.DATASET_FORMAT_CSV,
    DatasetFormat.JSON: pb.DATASET_FORMAT_JSON,
    DatasetFormat.JSONL: pb.DATASET_FORMAT_JSONL,
    DatasetFormat.TEXT: pb.DATASET_FORMAT_TEXT,
    DatasetFormat.ZIP: pb.DATASET_FORMAT_ZIP,
    DatasetFormat.PARQUET: pb.DATASET_FORMAT_PARQUET,
    DatasetFormat.OPENAI: pb.DATASET_FORMAT_OPENAI,
}
_FORMATS_FROM_WIRE: dict[int, DatasetFormat] = {wire: each for each, wire in _FORMATS.items()}


def export_to_wire(
    tenant: str, dataset_id: str, file_format: DatasetFormat
) -> pb.ExportDatasetRequest:
    """A dataset that is wanted as a file."""
    return pb.ExportDatasetRequest(
        tenant=tenant, dataset_id=dataset_id, format=_FORMATS[file_format]
    )


def config_to_wire(
    tenant: str, dataset_id: str, options: ImportOptions, *, preview: bool
) -> pb.ImportDatasetRequest:
    """The first message of an upload."""
    return pb.ImportDatasetRequest(
        config=pb.ImportDatasetConfig(
            tenant=tenant,
            dataset_id=dataset_id,
            file_name=options.file_name,
            format=_FORMATS[options.format],
            polarity=_POLARITIES[options.polarity],
            author_id=options.author_id,
            request_id=options.request_id,
            preview=preview,
            encoding=options.encoding,
        )
    )


def piece_to_wire(piece: bytes) -> Iterator[pb.ImportDatasetRequest]:
    """Later messages of an upload; a long piece is cut, an empty one left out."""
    view = memoryview(piece).cast("B")
    for start in range(0, len(view), _MOST_BYTES):
        yield pb.ImportDatasetRequest(content=bytes(view[start : start + _MOST_BYTES]))


def dataset_from_wire(message: pb.Dataset) -> Dataset:
    """A dataset."""
    return Dataset(
        id=message.dataset_id,
        tenant=message.tenant,
        name=message.name,
        example_count=message.example_count,
        negative_example_count=message.negative_example_count,
        byte_count=message.byte_count,
        selected=message.selected,
        archived=message.archived,
        content_sha256=message.content_sha256,
        create_time=time_from_wire(message, "create_time"),
        update_time=time_from_wire(message, "update_time"),
    )


def example_from_wire(message: pb.Example) -> Example:
    """One thing to learn."""
    return Example(
        id=message.example_id,
        prompt=message.prompt,
        completion=message.completion,
        polarity=_POLARITIES_FROM_WIRE.get(message.polarity),
        system_prompt=message.system_prompt,
        context=message.context,
        source=message.source,
    )


def report_from_wire(message: pb.ImportDatasetResponse) -> ImportReport:
    """What became of an upload."""
    return ImportReport(
        dataset=dataset_from_wire(message.dataset),
        imported_count=message.imported_count,
        duplicate_count=message.duplicate_count,
        rejected_count=message.rejected_count,
        rejected_rows=tuple(
            RejectedRow(row.file_name, row.line, row.reason) for row in message.rejected_rows
        ),
        files=tuple(_file_from_wire(file) for file in message.files),
        examples=tuple(example_from_wire(each) for each in message.preview_examples),
    )


def _file_from_wire(message: pb.ReadFile) -> ReadFile:
    return ReadFile(
        file_name=message.file_name,
        format=_FORMATS_FROM_WIRE.get(message.format, DatasetFormat.UNSPECIFIED),
        encoding=message.encoding,
        delimiter=message.delimiter,
        row_count=message.row_count,
    )


def statistics_from_wire(message: pb.GetDatasetStatisticsResponse) -> DatasetStatistics:
    """What is in a dataset."""
    return DatasetStatistics(
        dataset=dataset_from_wire(message.dataset),
        prompt_characters=_lengths_from_wire(message.prompt_characters),
        completion_characters=_lengths_from_wire(message.completion_characters),
        text_example_count=message.text_example_count,
        ambiguous_prompt_count=message.ambiguous_prompt_count,
        preference_pair_count=message.preference_pair_count,
        estimated_token_count=message.estimated_token_count,
    )


def _lengths_from_wire(message: pb.LengthStatistics) -> LengthStatistics:
    return LengthStatistics(
        minimum=message.minimum,
        median=message.median,
        percentile_95=message.percentile_95,
        maximum=message.maximum,
        mean=message.mean,
    )


def archive_from_wire(message: pb.Archive) -> Archive:
    """A packed dataset."""
    return Archive(
        id=message.archive_id,
        dataset_id=message.dataset_id,
        dataset_name=message.dataset_name,
        byte_count=message.byte_count,
        sha256=message.sha256,
        example_count=message.example_count,
        create_time=time_from_wire(message, "create_time"),
    )
