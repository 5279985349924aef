"""Between the messages of datasets and the domain, with every field checked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from voicemesh.trainer.v1 import dataset_service_pb2 as pb
from voicemesh_chassis.errors import InvalidArgumentError
from voicemesh_trainer.domain.datasets import DatasetFormat, ImportRequest, SplitRequest
from voicemesh_trainer.domain.lessons import Polarity
from voicemesh_trainer.rpc.checks import check_number, check_printable, check_tenant, check_text
from voicemesh_trainer.rpc.teaching import timestamp_of

if TYPE_CHECKING:
    from voicemesh_trainer.domain.datasets import (
        Archive,
        Dataset,
        Example,
        ImportReport,
        LengthStatistics,
        Statistics,
    )

__all__ = (
    "archive_message",
    "check_id",
    "check_name",
    "dataset_message",
    "example_message",
    "export_format_from",
    "import_request_from",
    "report_message",
    "split_request_from",
    "statistics_message",
)

_MAX_NAME = 100
_MAX_FILE_NAME = 1_024
_MAX_ENCODING = 40
_MAX_ID = 64
_MOST_PREVIEW_BYTES = 1 << 20

_POLARITIES = {
    pb.POLARITY_POSITIVE: Polarity.POSITIVE,
    pb.POLARITY_NEGATIVE: Polarity.NEGATIVE,
}
_POLARITY_VALUES = {polarity: value for value, polarity in _POLARITIES.items()}
_READ_FORMATS = {
    pb.DATASET_FORMAT_UNSPECIFIED: None,
    pb.DATASET_FORMAT_CSV: DatasetFormat.CSV,
    pb.DATASET_FORMAT_JSON: DatasetFormat.JSON,
    pb.DATASET_FORMAT_JSONL: DatasetFormat.JSONL,
    pb.DATASET_FORMAT_TEXT: DatasetFormat.TEXT,
    pb.DATASET_FORMAT_ZIP: DatasetFormat.ZIP,
}
_FORMAT_VALUES = {kind: value for value, kind in _READ_FORMATS.items() if kind is not None}
_WRITTEN_FORMATS = {
    pb.DATASET_FORMAT_UNSPECIFIED: DatasetFormat.JSONL,
    pb.DATASET_FORMAT_CSV: DatasetFormat.CSV,
    pb.DATASET_FORMAT_JSONL: DatasetFormat.JSONL,
    pb.DATASET_FORMAT_OPENAI: DatasetFormat.OPENAI,
    pb.DATASET_FORMAT_PARQUET: DatasetFormat.PARQUET,
}


def check_id(value: str, field: str) -> str:
    """The id of something that must be there; whether it is, the store tells."""
    return check_printable(value, field, _MAX_ID, required=True)


def check_name(name: str, field: str, *, required: bool = True) -> str:
    """A name for people, without the spaces around it."""
    name = name.strip()
    if not name and not required:
        return ""
    check_text(name, field, _MAX_NAME, required=True)
    if not name.isprintable():
        msg = f"{field} has characters that cannot be shown"
        raise InvalidArgumentError(msg, field=field)
    return name


def import_request_from(config: pb.ImportDatasetConfig) -> ImportRequest:
    """What an upload is.

    Raises:
        InvalidArgumentError: names the first field that cannot be used.
    """
    tenant = check_tenant(config.tenant)
    dataset_id = check_id(config.dataset_id, "config.dataset_id")
    if config.polarity not in _POLARITIES:
        msg = "config.polarity is missing: say POLARITY_POSITIVE or POLARITY_NEGATIVE"
        raise InvalidArgumentError(msg, field="config.polarity")
    if config.format not in _READ_FORMATS:
        msg = "config.format is not one that is read; it may be CSV, JSON, JSONL, TEXT or ZIP"
        raise InvalidArgumentError(msg, field="config.format")
    return ImportRequest(
        tenant=tenant,
        dataset_id=dataset_id,
        polarity=_POLARITIES[config.polarity],
        file_name=check_text(config.file_name, "config.file_name", _MAX_FILE_NAME),
        format=_READ_FORMATS[config.format],
        encoding=check_text(config.encoding, "config.encoding", _MAX_ENCODING),
        author_id=check_printable(config.author_id, "config.author_id", _MAX_ID),
        request_id=check_printable(config.request_id, "config.request_id", _MAX_ID),
        preview=config.preview,
    )


def split_request_from(request: pb.SplitDatasetRequest) -> SplitRequest:
    """How to part a dataset. Raises as above."""
    tenant, dataset_id = check_tenant(request.tenant), check_id(request.dataset_id, "dataset_id")
    share = check_number(request.first_share, "first_share", 0, 1, above_least=True)
    if share >= 1:
        msg = "first_share is 1; it must be below, so that there is a second part"
        raise InvalidArgumentError(msg, field="first_share")
    return SplitRequest(
        tenant=tenant,
        dataset_id=dataset_id,
        first_share=share,
        first_name=check_name(request.first_name, "first_name", required=False),
        second_name=check_name(request.second_name, "second_name", required=False),
        seed=request.seed,
    )


def export_format_from(value: pb.DatasetFormat.ValueType) -> DatasetFormat:
    """What kind of file is wanted. Raises as above."""
    kind = _WRITTEN_FORMATS.get(value)
    if kind is None:
        msg = "format is not one that is written; it may be CSV, JSONL, OPENAI or PARQUET"
        raise InvalidArgumentError(msg, field="format")
    return kind


def dataset_message(dataset: Dataset) -> pb.Dataset:
    """A dataset as callers see it."""
    return pb.Dataset(
        dataset_id=dataset.dataset_id,
        tenant=dataset.tenant,
        name=dataset.name,
        example_count=dataset.example_count,
        negative_example_count=dataset.negative_example_count,
        byte_count=dataset.byte_count,
        selected=dataset.selected,
        archived=dataset.archived,
        content_sha256=dataset.content_sha256,
        create_time=timestamp_of(dataset.create_time),
        update_time=timestamp_of(dataset.update_time),
    )


def example_message(example: Example) -> pb.Example:
    """An example as callers see it."""
    draft = example.draft
    return pb.Example(
        example_id=example.example_id,
        prompt=draft.prompt,
        completion=draft.completion,
        polarity=_POLARITY_VALUES[draft.polarity],
        system_prompt=draft.system_prompt,
        context=draft.context,
        source=draft.source,
    )


def report_message(report: ImportReport) -> pb.ImportDatasetResponse:
    """What became of an upload; of a preview, no more than the first MiB of its examples."""
    shown, size = list[pb.Example](), 0
    for example in report.preview:
        shown.append(example_message(example))
        size += shown[-1].ByteSize()
        if size > _MOST_PREVIEW_BYTES:
            break
    return pb.ImportDatasetResponse(
        dataset=dataset_message(report.dataset),
        imported_count=report.imported_count,
        duplicate_count=report.duplicate_count,
        rejected_count=report.rejected_count,
        rejected_rows=[
            pb.RejectedRow(file_name=each.file_name, line=each.line, reason=each.reason)
            for each in report.rejected_rows
        ],
        files=[
            pb.ReadFile(
                file_name=each.file_name,
                format=_FORMAT_VALUES[each.format],
                encoding=each.encoding,
                delimiter=each.delimiter,
                row_count=each.row_count,
            )
            for each in report.files
        ],
        preview_examples=shown,
    )


def statistics_message(statistics: Statistics) -> pb.GetDatasetStatisticsResponse:
    """What is in a dataset."""
    return pb.GetDatasetStatisticsResponse(
        dataset=dataset_message(statistics.dataset),
        prompt_characters=_lengths_message(statistics.prompts),
        completion_characters=_lengths_message(statistics.completions),
        text_example_count=statistics.text_example_count,
        ambiguous_prompt_count=statistics.ambiguous_prompt_count,
        preference_pair_count=statistics.preference_pair_count,
        estimated_token_count=statistics.estimated_token_count,
    )


def archive_message(archive: Archive) -> pb.Archive:
    """An archive as callers see it."""
    return pb.Archive(
        archive_id=archive.archive_id,
        dataset_id=archive.dataset_id,
        dataset_name=archive.dataset_name,
        byte_count=archive.byte_count,
        sha256=archive.sha256,
        example_count=archive.example_count,
        create_time=timestamp_of(archive.create_time),
    )


def _lengths_message(lengths: LengthStatistics) -> pb.LengthStatistics:
    return pb.LengthStatistics(
        minimum=lengths.minimum,
        median=lengths.median,
        percentile_95=lengths.percentile_95,
        maximum=lengths.maximum,
        mean=lengths.mean,
    )
