"""Reads what a GGUF file says of itself, without its vocabulary, which takes seconds.

The format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path
    from typing import BinaryIO

__all__ = ("architecture_of",)

_MAGIC = b"GGUF"
_STRING = 8
_SIZES = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
"""Bytes of a value, by its type."""
_KEY = "general.architecture"
_MOST_ENTRIES = 64
"""Among which the architecture is looked for; writers put it first."""
_LONGEST = 65_536


def architecture_of(file: Path) -> str:
    """The architecture of a model, such as `gemma3`; empty if the file does not say it early.

    Raises:
        ValueError: if it is no GGUF file.
        OSError: if it cannot be read.
    """
    with file.open("rb") as stream:
        if stream.read(4) != _MAGIC:
            msg = "the file is no GGUF file"
            raise ValueError(msg)
        _version, _tensors, entries = struct.unpack("<IQQ", _read(stream, 20))
        for _ in range(min(entries, _MOST_ENTRIES)):
            key = _string(stream)
            (kind,) = struct.unpack("<I", _read(stream, 4))
            if key == _KEY and kind == _STRING:
                return _string(stream)
            if kind == _STRING:
                _string(stream)
            elif kind in _SIZES:
                _read(stream, _SIZES[kind])
            else:
                return ""
    return ""


def _string(stream: BinaryIO) -> str:
    (length,) = struct.unpack("<Q", _read(stream, 8))
    if length > _LONGEST:
        msg = f"the file has a text of {length} bytes where a short one belongs"
        raise ValueError(msg)
    return _read(stream, length).decode()


def _read(stream: BinaryIO, count: int) -> bytes:
    data = stream.read(count)
    if len(data) < count:
        msg = "the file ends in its header"
        raise ValueError(msg)
    return data
