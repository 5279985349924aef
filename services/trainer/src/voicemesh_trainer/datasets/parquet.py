"""Apache Parquet, written by pyarrow: the format's own implementation, which writes it in pieces.

It is an extra, as it is larger than the rest of the trainer's libraries together. fastparquet wants
pandas and polars is no smaller; both write files from data that is in memory as a whole.
"""

from __future__ import annotations

import io
from importlib import import_module
from typing import TYPE_CHECKING, Any

from voicemesh_trainer.datasets.errors import ParquetMissingError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from voicemesh_trainer.domain.datasets import Draft

__all__ = ("ParquetWriter",)

_COLUMNS = ("prompt", "completion", "polarity", "system_prompt", "context", "source")
_GROUP_ROWS = 10_000
_GROUP_CHARACTERS = 8 << 20


class ParquetWriter:
    """Makes a Parquet file, group by group of rows; plain text has an empty prompt.

    Raises:
        ParquetMissingError: if pyarrow is not installed.
    """

    def __init__(self) -> None:
        try:
            self._arrow: Any = import_module("pyarrow")
            parquet: Any = import_module("pyarrow.parquet")
        except ImportError as error:
            msg = (
                "this server cannot write Parquet: install voicemesh-trainer[parquet] there, or "
                "ask for JSONL"
            )
            raise ParquetMissingError(msg) from error
        self._schema = self._arrow.schema([(name, self._arrow.string()) for name in _COLUMNS])
        self._sink = _Sink()
        self._writer = parquet.ParquetWriter(self._sink, self._schema, compression="zstd")
        self._rows: list[dict[str, str]] = []
        self._characters = 0

    def write(self, drafts: Sequence[Draft]) -> bytes:
        """The bytes that became ready with these examples; often none."""
        for each in drafts:
            row = {
                "prompt": each.prompt,
                "completion": each.completion,
                "polarity": each.polarity.value,
                "system_prompt": each.system_prompt,
                "context": each.context,
                "source": each.source,
            }
            self._rows.append(row)
            self._characters += sum(map(len, row.values()))
            if len(self._rows) >= _GROUP_ROWS or self._characters >= _GROUP_CHARACTERS:
                self._write_group()
        return self._sink.taken()

    def finish(self) -> bytes:
        """The last bytes."""
        if self._rows:
            self._write_group()
        self._writer.close()
        return self._sink.taken()

    def _write_group(self) -> None:
        self._writer.write_table(self._arrow.Table.from_pylist(self._rows, schema=self._schema))
        self._rows, self._characters = [], 0


class _Sink(io.RawIOBase):
    """A file that is given away as it is written."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._place = 0

    def writable(self) -> bool:
        """It is."""
        return True

    def write(self, data: Any) -> int:
        """Takes the next bytes."""
        part = bytes(data)
        self._parts.append(part)
        self._place += len(part)
        return len(part)

    def tell(self) -> int:
        """How much was written in all."""
        return self._place

    def taken(self) -> bytes:
        """What was written since the last time."""
        data = b"".join(self._parts)
        self._parts.clear()
        return data
