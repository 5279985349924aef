"""Reads the head of a base model once, and quickly.

`transformers` reads a GGUF file three times: for its configuration, its tokens and its weights.
Each time `gguf` takes the head apart, a quarter of a million tokens, by small slices of a memory
map, which cost several times what slices of a plain array do: half a minute of a run went there.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import gguf
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ("each_file_once",)


class _Reader(gguf.GGUFReader):
    """Sees the same memory as an array of numpy's own."""

    @property
    def data(self) -> Any:
        return self._data

    @data.setter
    def data(self, mapped: Any) -> None:
        self._data = mapped.view(np.ndarray)


@contextmanager
def each_file_once() -> Iterator[None]:
    """Within the block, whoever asks `gguf` for a reader of a file gets the same one.

    Only for a process that does nothing else meanwhile, as a run of training does.
    """
    read: dict[str, _Reader] = {}

    def reader(path: os.PathLike[str] | str) -> _Reader:
        name = os.fspath(path)
        if name not in read:
            read[name] = _Reader(name)
        return read[name]

    library: Any = gguf
    usual, library.GGUFReader = library.GGUFReader, reader  # looked up at each call
    try:
        yield
    finally:
        library.GGUFReader = usual
