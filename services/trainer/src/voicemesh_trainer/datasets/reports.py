"""What became of an upload, as JSON keeps it for a request that comes twice. Pure."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from voicemesh_trainer.domain.datasets import (
    Dataset,
    DatasetFormat,
    ImportReport,
    ReadFile,
    RejectedRow,
)

__all__ = ("report_from_json", "report_to_json")


def report_to_json(report: ImportReport) -> dict[str, Any]:
    """A report that is no preview, as JSON can hold it."""
    return {
        "dataset": asdict(report.dataset),
        "imported": report.imported_count,
        "duplicates": report.duplicate_count,
        "rejected": report.rejected_count,
        "rejected_rows": [
            [each.file_name, each.line, each.reason] for each in report.rejected_rows
        ],
        "files": [{**asdict(each), "format": each.format.value} for each in report.files],
    }


def report_from_json(kept: dict[str, Any]) -> ImportReport:
    """The report that `report_to_json` made this of."""
    return ImportReport(
        dataset=Dataset(**kept["dataset"]),
        imported_count=kept["imported"],
        duplicate_count=kept["duplicates"],
        rejected_count=kept["rejected"],
        rejected_rows=tuple(RejectedRow(*each) for each in kept["rejected_rows"]),
        files=tuple(
            ReadFile(**{**each, "format": DatasetFormat(each["format"])}) for each in kept["files"]
        ),
    )
