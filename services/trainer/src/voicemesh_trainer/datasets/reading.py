"""Reads an upload, a file or an archive of files, into examples and refusals.

Runs on a thread. Memory is bounded by the limits of a row, not by the size of a file.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from voicemesh_chassis.errors import LimitExceededError
from voicemesh_trainer.datasets.csv_rows import csv_rows, found_delimiter
from voicemesh_trainer.datasets.detection import (
    ZIP_MARKS,
    extension_of,
    found_format,
    kind_of_binary,
)
from voicemesh_trainer.datasets.encodings import (
    decoding_errors,
    found_encoding,
    iana_name,
    named_encoding,
)
from voicemesh_trainer.datasets.errors import UnreadableFileError
from voicemesh_trainer.datasets.json_rows import json_rows, jsonl_rows
from voicemesh_trainer.datasets.lines import flaw_of
from voicemesh_trainer.datasets.records import RecordReader, UnusableRowError
from voicemesh_trainer.datasets.text_rows import text_rows
from voicemesh_trainer.datasets.zip_files import zip_entries
from voicemesh_trainer.domain.datasets import (
    DatasetFormat,
    DatasetLimits,
    Draft,
    ImportRequest,
    ReadFile,
    RejectedRow,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO, TextIO

    from voicemesh_trainer.datasets.rows import Row

__all__ = ("UploadReader",)

_SAMPLE_CHARACTERS = 1 << 16
_LONGEST_REASON = 500
_IN_ARCHIVES = (".csv", ".tsv", ".tab", ".json", ".jsonl", ".ndjson", ".txt", ".text", ".md")


@dataclass
class UploadReader:
    """Reads one upload."""

    request: ImportRequest
    """What it is."""
    limits: DatasetLimits
    """Bounds of what is read."""
    files: list[ReadFile] = field(default_factory=list)
    """How each file was read, complete when `items` has ended."""
    row_count: int = 0
    """Rows read, good and bad."""

    def items(self, file: BinaryIO) -> Iterator[Draft | RejectedRow]:
        """What is in the upload, in its order.

        Args:
            file: all of it.

        Raises:
            UnreadableFileError: if it cannot be read as what it is.
            InvalidArgumentError: if the request asks for what is not there.
            LimitExceededError: if there is more in it than is taken.
        """
        beginning = file.read(16)
        file.seek(0)
        if not beginning:
            msg = "the file is empty"
            raise UnreadableFileError(msg)
        wanted = self.request.format
        zipped = beginning.startswith(ZIP_MARKS) and wanted in (None, DatasetFormat.ZIP)
        if zipped or wanted is DatasetFormat.ZIP:
            yield from self._archive(file)
        else:
            yield from self._file(file, "", "the file", extension_of(self.request.file_name))

    def _archive(self, file: BinaryIO) -> Iterator[Draft | RejectedRow]:
        read = 0
        for entry in zip_entries(file, self.limits):
            extension = extension_of(entry.name)
            if extension not in _IN_ARCHIVES:
                yield self._refused(entry.name, 0, "this kind of file is not read here")
                continue
            read += 1
            with io.BufferedReader(entry, 1 << 16) as buffered:
                try:
                    yield from self._file(buffered, entry.name, repr(entry.name), extension)
                except UnreadableFileError as error:
                    if entry.damaged:
                        raise
                    yield self._refused(entry.name, 0, error.message)
        if not read:
            msg = "the archive has no file that is read here; it may have CSV, JSON and text"
            raise UnreadableFileError(msg)

    def _file(
        self, file: BinaryIO, name: str, called: str, extension: str
    ) -> Iterator[Draft | RejectedRow]:
        beginning = file.read(16)
        file.seek(0)
        if kind := kind_of_binary(beginning):
            msg = f"{called} is not text but {kind}"
            raise UnreadableFileError(msg)
        named = self.request.encoding
        encoding = named_encoding(named) if named else found_encoding(file, called)
        text = io.TextIOWrapper(file, encoding, errors=decoding_errors(encoding), newline="")
        try:
            sample = text.read(_SAMPLE_CHARACTERS)
            text.seek(0)
            if "\0" in sample:
                msg = f"{called} is not text: it has characters of code zero"
                raise UnreadableFileError(msg)
            wanted = self.request.format
            if wanted in (None, DatasetFormat.ZIP):
                wanted = found_format(extension, sample)
            yield from self._rows(text, sample, name, called, wanted, encoding)
        except UnicodeError as error:
            msg = f"{called} is not {iana_name(encoding)}, or it is cut off"
            raise UnreadableFileError(msg) from error
        finally:
            text.detach()  # whose file it is closes it

    def _rows(
        self,
        text: TextIO,
        sample: str,
        name: str,
        called: str,
        kind: DatasetFormat | None,
        encoding: str,
    ) -> Iterator[Draft | RejectedRow]:
        most, delimiter, before = self.limits.row_characters, "", self.row_count
        if kind is DatasetFormat.CSV:
            delimiter = found_delimiter(sample)
            rows = csv_rows(text, delimiter, most, called)
        elif kind is DatasetFormat.JSON:
            rows = json_rows(text, most)
        elif kind is DatasetFormat.JSONL:
            rows = jsonl_rows(text, most)
        elif kind is DatasetFormat.TEXT:
            rows = text_rows(text, self.limits.field_characters)
        else:
            msg = "config.format is one that is written here but not read"
            raise UnreadableFileError(msg, field="config.format")
        reader = RecordReader(
            self.request.polarity, self.request.author_id, self.limits.field_characters
        )
        for row in rows:
            yield from self._read(reader, row, name)
        count = self.row_count - before
        if not count:
            yield self._refused(name, 1, "the file has no rows")
        self.files.append(ReadFile(name, kind, iana_name(encoding), delimiter, count))

    def _read(self, reader: RecordReader, row: Row, name: str) -> Iterator[Draft | RejectedRow]:
        self.row_count += 1
        if self.row_count > self.limits.rows:
            msg = f"the file has more than the {self.limits.rows} rows that one import takes"
            raise LimitExceededError(msg, field="content")
        if row.record is None:
            yield self._refused(name, row.line, row.problem)
            return
        source = f"{name}, line {row.line}" if name else f"line {row.line}"
        try:
            drafts = reader.drafts(row.record, source)
        except UnusableRowError as error:
            yield self._refused(name, row.line, str(error))
        else:
            yield from drafts

    def _refused(self, name: str, line: int, reason: str) -> RejectedRow:
        # Reasons quote from the file: not everything in it can be sent on.
        if flaw_of(reason):
            reason = reason.encode("ascii", "backslashreplace").decode().replace("\0", "\\x00")
        return RejectedRow(name, line, reason[:_LONGEST_REASON])
