"""Reads files of examples as an upload is read."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from typing import Any

import pytest

from voicemesh_trainer.datasets.reading import UploadReader
from voicemesh_trainer.domain.datasets import DatasetLimits, Draft, ImportRequest, RejectedRow
from voicemesh_trainer.domain.lessons import Polarity


class Read:
    """What was read of a file."""

    def __init__(self, reader: UploadReader, items: list[Draft | RejectedRow]) -> None:
        self.files = reader.files
        self.drafts = [item for item in items if isinstance(item, Draft)]
        self.rejected = [item for item in items if isinstance(item, RejectedRow)]

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """Questions and answers."""
        return [(draft.prompt, draft.completion) for draft in self.drafts]

    @property
    def reasons(self) -> list[tuple[int, str]]:
        """Lines that were refused, and why."""
        return [(row.line, row.reason) for row in self.rejected]


@pytest.fixture(scope="session")
def read() -> Callable[..., Read]:
    """Reads a file; what is said of it goes into its request, `limits` bounds it."""

    def reading(
        data: bytes | str, name: str = "", limits: DatasetLimits | None = None, **said: Any
    ) -> Read:
        raw = data.encode() if isinstance(data, str) else data
        fields = {"polarity": Polarity.POSITIVE, **said}
        request = ImportRequest("guild", "dataset", file_name=name, **fields)
        reader = UploadReader(request, limits or DatasetLimits())
        return Read(reader, list(reader.items(io.BytesIO(raw))))

    return reading


@pytest.fixture
def zipped() -> Callable[..., bytes]:
    """Makes a zip archive of contents by name, or by entry."""

    def make(
        entries: dict[str, bytes] | list[tuple[zipfile.ZipInfo, bytes]],
        method: int = zipfile.ZIP_DEFLATED,
    ) -> bytes:
        file = io.BytesIO()
        pairs = entries.items() if isinstance(entries, dict) else entries
        with zipfile.ZipFile(file, "w", method) as archive:
            for entry, content in pairs:
                archive.writestr(entry, content)
        return file.getvalue()

    return make
