"""Finds out what kind of file an upload is, by its content and the extension of its name. Pure."""

from __future__ import annotations

import json
from pathlib import PurePosixPath

from voicemesh_trainer.datasets.columns import column_named
from voicemesh_trainer.datasets.csv_rows import DELIMITERS
from voicemesh_trainer.domain.datasets import DatasetFormat

__all__ = ("ZIP_MARKS", "extension_of", "found_format", "json_layout", "kind_of_binary")

ZIP_MARKS = (b"PK\x03\x04", b"PK\x05\x06")
"""How zip archives begin, and those that are empty."""

_EXTENSIONS = {
    ".csv": DatasetFormat.CSV,
    ".tsv": DatasetFormat.CSV,
    ".tab": DatasetFormat.CSV,
    ".json": DatasetFormat.JSON,
    ".jsonl": DatasetFormat.JSONL,
    ".ndjson": DatasetFormat.JSONL,
    ".txt": DatasetFormat.TEXT,
    ".text": DatasetFormat.TEXT,
    ".md": DatasetFormat.TEXT,
    ".zip": DatasetFormat.ZIP,
}
_BINARIES = {
    b"%PDF": "a PDF document",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"GIF8": "a picture",
    b"PAR1": "a Parquet file, which is written here but not read",
    b"\x1f\x8b": "a gzip file; unpack it first",
    b"\x28\xb5\x2f\xfd": "a Zstandard file; unpack it first",
    b"7z\xbc\xaf": "a 7-Zip archive; make it a zip archive",
    b"Rar!": "a RAR archive; make it a zip archive",
    b"SQLite format 3": "a database",
    b"\x7fELF": "a program",
    b"\xd0\xcf\x11\xe0": "an old Office document; save it as CSV or text",
    b"OggS": "a recording",
    b"ID3": "a recording",
    b"RIFF": "a recording",
    b"GGUF": "a model",
}


def extension_of(name: str) -> str:
    """The extension of a file's name in lower case, such as ".csv"; all else is forgotten."""
    return PurePosixPath(name.replace("\\", "/")[-255:]).suffix.casefold()


def kind_of_binary(beginning: bytes) -> str:
    """What a file is that begins so and is no text; empty if that is not known."""
    return next((kind for mark, kind in _BINARIES.items() if beginning.startswith(mark)), "")


def found_format(extension: str, sample: str) -> DatasetFormat:
    """The format of a text.

    Args:
        extension: of its name, as `extension_of` gives it.
        sample: how it begins.
    """
    known = _EXTENSIONS.get(extension)
    if known in (DatasetFormat.JSON, DatasetFormat.JSONL):
        return json_layout(sample)
    if known is not None and known is not DatasetFormat.ZIP:
        return known
    if sample.lstrip()[:1] in ("{", "["):
        return json_layout(sample)
    header = (sample.lstrip().splitlines() or [""])[0]
    for delimiter in DELIMITERS:
        names = [name.strip(" \"'") for name in header.split(delimiter)]
        if len(names) > 1 and sum(column_named(name) is not None for name in names) > 1:
            return DatasetFormat.CSV
    return DatasetFormat.TEXT


def json_layout(sample: str) -> DatasetFormat:
    """Whether a text of JSON is an object a line, or else an array or objects of many lines."""
    text = sample.lstrip()
    if text.startswith("["):
        return DatasetFormat.JSON
    # The first line is a whole object, or so wrong that the lines are the best there is.
    first, end, _ = text.partition("\n")
    try:
        json.loads(first)
    except (ValueError, RecursionError):
        opens = first.strip().rstrip("\r") in ("{", "") or not first.rstrip().endswith("}")
        return DatasetFormat.JSON if opens and end else DatasetFormat.JSONL
    return DatasetFormat.JSONL
