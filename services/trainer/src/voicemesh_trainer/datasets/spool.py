"""Files without a name, for what is too large for memory: gone however the process ends."""

from __future__ import annotations

import errno
import hashlib
import tempfile
from typing import TYPE_CHECKING

from voicemesh_chassis.errors import LimitExceededError, UnavailableError
from voicemesh_trainer.errors import StorageFullError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import BinaryIO

__all__ = ("Spool",)

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_BLOCK_BYTES = 1 << 18
_MEMORY_BYTES = 1 << 20
"""What is no larger than this never gets to the disk."""


class Spool:
    """Bytes that are written once and read as often as needed; for one thread at a time.

    Args:
        max_bytes: most bytes it takes.
        directory: where it is; None means the system's for temporary files.
        called: what it holds, for a refusal.
    """

    def __init__(
        self, max_bytes: int, directory: Path | None = None, called: str = "the file"
    ) -> None:
        self._max_bytes = max_bytes
        self._called = called
        self._digest = hashlib.sha256()
        self._size = 0
        place = None if directory is None else str(directory)
        self._file = tempfile.SpooledTemporaryFile(_MEMORY_BYTES, dir=place)  # noqa: SIM115

    @property
    def size(self) -> int:
        """Bytes written."""
        return self._size

    @property
    def sha256(self) -> str:
        """Of all that was written, in lower-case hexadecimal digits."""
        return self._digest.hexdigest()

    @property
    def file(self) -> BinaryIO:
        """For reading what was written; read from where it was left."""
        return self._file  # type: ignore[return-value] # has all methods that are used

    def append(self, data: bytes) -> None:
        """Adds bytes.

        Raises:
            LimitExceededError: if it becomes too large.
            StorageFullError: if the disk is full.
            UnavailableError: if the disk fails in another way.
        """
        self._size += len(data)
        if self._size > self._max_bytes:
            msg = f"{self._called} is larger than the {self._max_bytes} bytes that it may have"
            raise LimitExceededError(msg, field="content")
        self._digest.update(data)
        try:
            self._file.write(data)
        except OSError as error:
            if error.errno in _FULL:
                msg = "the server's disk has no room for the file now; nothing was kept of it"
                raise StorageFullError(msg) from error
            msg = "the server's directory for temporary files does not work"
            raise UnavailableError(msg) from error

    def rewind(self) -> None:
        """Goes to the beginning."""
        self._file.seek(0)

    def blocks(self) -> Iterator[bytes]:
        """All of it, from the beginning, in blocks of 256 KiB."""
        self.rewind()
        while block := self._file.read(_BLOCK_BYTES):
            yield block

    def close(self) -> None:
        """Frees the disk. Safe to call twice."""
        self._file.close()
