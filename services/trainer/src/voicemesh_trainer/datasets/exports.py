"""Writes datasets as files, batch by batch."""

from __future__ import annotations

import asyncio
import csv
import io
import json
from typing import TYPE_CHECKING, Protocol

from voicemesh_trainer.datasets.chats import turns_of
from voicemesh_trainer.datasets.csv_rows import neutralised
from voicemesh_trainer.datasets.errors import DatasetTooSmallError
from voicemesh_trainer.datasets.parquet import ParquetWriter
from voicemesh_trainer.domain.datasets import DatasetFormat
from voicemesh_trainer.domain.lessons import Polarity

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Mapping, Sequence

    from voicemesh_trainer.domain.datasets import Draft
    from voicemesh_trainer.ports.datasets import ExampleStore

__all__ = ("export", "pieces_of")

_BATCH = 500
_PIECE_BYTES = 1 << 18
_COLUMNS = ("prompt", "completion", "polarity", "system_prompt", "context", "text", "source")


class _Writer(Protocol):
    """Makes a file of examples; the pieces that it returns, in their order, are the file."""

    def write(self, drafts: Sequence[Draft]) -> bytes:
        """The next piece, with these examples; may be empty."""

    def finish(self) -> bytes:
        """The last piece."""


async def export(
    store: ExampleStore, tenant: str, dataset_id: str, kind: DatasetFormat
) -> AsyncGenerator[bytes]:
    """A dataset as a file, in pieces of at most 256 KiB.

    Examples that are added meanwhile come at the end, those of one import all or none.

    Raises:
        DatasetNotFoundError: if the tenant has no such dataset.
        DatasetArchivedError: if its examples are packed away.
        DatasetTooSmallError: if nothing in it can be written so.
        ParquetMissingError: if Parquet is wanted but cannot be written here.
    """
    writer = _WRITERS[kind]()
    after, written = -1, 0
    while examples := await store.examples(tenant, dataset_id, after, _BATCH):
        after = examples[-1].position
        data = await asyncio.to_thread(writer.write, [each.draft for each in examples])
        written += len(data)
        for piece in pieces_of(data):
            yield piece
    data = await asyncio.to_thread(writer.finish)
    if not written + len(data):
        msg = "the dataset has no example that can be written in this format"
        raise DatasetTooSmallError(msg)
    for piece in pieces_of(data):
        yield piece


def pieces_of(data: bytes) -> list[bytes]:
    """Data in pieces of at most 256 KiB."""
    return [data[start : start + _PIECE_BYTES] for start in range(0, len(data), _PIECE_BYTES)]


class _CsvWriter:
    """A table that spreadsheets open without running anything in it, and that can be imported."""

    def __init__(self) -> None:
        self._begun = False

    def write(self, drafts: Sequence[Draft]) -> bytes:
        """See `_Writer`."""
        text = io.StringIO(newline="")
        writer = csv.writer(text)
        if not self._begun:
            writer.writerow(_COLUMNS)
            self._begun = True
        for each in drafts:
            plain = not each.prompt
            cells = (
                each.prompt,
                "" if plain else each.completion,
                each.polarity.value,
                each.system_prompt,
                each.context,
                each.completion if plain else "",
                each.source,
            )
            writer.writerow([neutralised(cell) for cell in cells])
        return text.getvalue().encode()

    def finish(self) -> bytes:
        """See `_Writer`: an empty dataset is a header."""
        return b"" if self._begun else self.write([])


class _JsonlWriter:
    """An object a line, with prompt and completion, or the text."""

    def write(self, drafts: Sequence[Draft]) -> bytes:
        """See `_Writer`."""
        return b"".join(_line(_fields(each)) for each in drafts)

    def finish(self) -> bytes:
        """See `_Writer`."""
        return b""


class _OpenAIWriter:
    """What fine-tuning by OpenAI reads; examples to avoid and plain text have no place in it."""

    def write(self, drafts: Sequence[Draft]) -> bytes:
        """See `_Writer`."""
        return b"".join(
            _line({"messages": _messages(each)})
            for each in drafts
            if each.prompt and each.polarity is Polarity.POSITIVE
        )

    def finish(self) -> bytes:
        """See `_Writer`."""
        return b""


_WRITERS: dict[DatasetFormat, Callable[[], _Writer]] = {
    DatasetFormat.CSV: _CsvWriter,
    DatasetFormat.JSONL: _JsonlWriter,
    DatasetFormat.OPENAI: _OpenAIWriter,
    DatasetFormat.PARQUET: ParquetWriter,
}


def _fields(draft: Draft) -> dict[str, str]:
    said = {"prompt": draft.prompt, "completion": draft.completion}
    fields = {
        **(said if draft.prompt else {"text": draft.completion}),
        "polarity": draft.polarity.value,
        "system_prompt": draft.system_prompt,
        "context": draft.context,
        "source": draft.source,
    }
    return {name: value for name, value in fields.items() if value}


def _messages(draft: Draft) -> list[dict[str, str]]:
    turns = [
        *([("system", draft.system_prompt)] if draft.system_prompt else []),
        *turns_of(draft.context),
        ("user", draft.prompt),
        ("assistant", draft.completion),
    ]
    return [{"role": role, "content": text} for role, text in turns]


def _line(value: Mapping[str, object]) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode() + b"\n"
