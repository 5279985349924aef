"""An upload on its way to the decoder: a file without a name, written and read at the same time.

Who uploads is held back while the decoder is far behind, so that an hour of audio is not taken in
at once only to wait. A decoder that waits for bytes which have not come is never far behind,
wherever in the file it wants to read; one that needs the end of the file first gets all of it.
"""

from __future__ import annotations

import errno
import io
import os
import tempfile
import threading
import time
from typing import TYPE_CHECKING

from voicemesh_chassis.errors import UnavailableError
from voicemesh_stt.errors import FileTooLargeError, SpoolFullError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ("UNKNOWN", "Spool")

UNKNOWN = -1
"""What `Spool.seek` says of an end that has not come yet."""
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class Spool:
    """One upload. One thread writes and another reads; the other methods are for any thread.

    The file has no name from the start, so that nothing is left of it however the process ends.
    """

    def __init__(
        self,
        max_bytes: int,
        ahead_bytes: int,
        *,
        directory: Path | None = None,
        patience_s: float = 3600.0,
        moved: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Makes an empty file.

        Args:
            max_bytes: most bytes of the upload.
            ahead_bytes: how far the upload may be ahead of the reader.
            directory: where the file is; None means the system's for temporary files.
            patience_s: longest time that a reader waits for bytes, in seconds.
            moved: called, from any thread, when there is room again after there was none.
            clock: the time in seconds.

        Raises:
            UnavailableError: if there can be no file.
        """
        self._max_bytes = max_bytes
        self._ahead_bytes = ahead_bytes
        self._patience_s = patience_s
        self._moved = moved
        self._clock = clock
        try:
            self._file = tempfile.TemporaryFile(buffering=0, dir=directory)  # noqa: SIM115 - see `close`
        except OSError as error:
            raise _unusable(error) from error
        self._changed = threading.Condition()
        self._size = 0
        self._place = 0
        self._waiting = False
        self._held_back = False
        self._finished = False
        self._cancelled = False
        self._unread = False
        self._waited_s = 0.0

    @property
    def size(self) -> int:
        """Bytes uploaded so far."""
        return self._size

    @property
    def place(self) -> int:
        """Where the reader is, in bytes."""
        return self._place

    @property
    def is_finished(self) -> bool:
        """Whether the upload has ended."""
        return self._finished

    @property
    def waited_s(self) -> float:
        """How long the reader has waited for bytes in all, in seconds."""
        return self._waited_s

    def has_room(self) -> bool:
        """Whether more should be uploaded now; if not, `moved` is called once it should."""
        with self._changed:
            self._held_back = not self._has_room()
            return not self._held_back

    def append(self, data: bytes) -> None:
        """Adds the next bytes; blocks for as long as the disk does.

        Raises:
            FileTooLargeError: if the upload has become too large.
            SpoolFullError: if the disk is full.
            UnavailableError: if it fails in another way.
        """
        if self._size + len(data) > self._max_bytes:
            msg = f"audio is larger than the {self._max_bytes} bytes that a file may have"
            raise FileTooLargeError(msg, field="audio")
        if not self._unread:
            try:
                self._write(data)
            except OSError as error:
                raise _unusable(error) from error
        with self._changed:
            self._size += len(data)
            self._changed.notify_all()

    def finish(self) -> None:
        """The upload has ended."""
        with self._changed:
            self._finished = True
            self._changed.notify_all()

    def ignore_rest(self) -> None:
        """Nobody will read any more: what is still uploaded is counted and dropped."""
        with self._changed:
            self._unread = True
            self._tell_of_room()

    def cancel(self) -> None:
        """Nobody wants the file any more: a reader that waits finds its end at once."""
        with self._changed:
            self._cancelled = True
            self._changed.notify_all()

    def close(self) -> None:
        """Frees the disk; only when nobody writes or reads any more."""
        self._file.close()

    def read(self, size: int = -1) -> bytes:
        """The next bytes, at least one; waits for them, and has none at the end of the upload.

        Raises:
            UnavailableError: if none came for as long as the reader has patience, or the disk
                fails.
        """
        self._await_bytes()
        if self._cancelled:
            return b""
        there = self._size - self._place
        if there <= 0:  # a place far behind the end may be more than the system can name
            return b""
        try:
            data = os.pread(self._file.fileno(), there if size < 0 else size, self._place)
        except OSError as error:
            raise _unusable(error) from error
        self._place += len(data)
        return data

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Goes to a place, which may lie behind what has been uploaded, and says which it is.

        From the end it goes nowhere, and says `UNKNOWN`, until the upload has ended.
        """
        if whence == io.SEEK_END:
            if not self._finished:
                return UNKNOWN
            offset += self._size
        elif whence == io.SEEK_CUR:
            offset += self._place
        self._place = max(0, offset)
        return self._place

    def tell(self) -> int:
        """The place of the next byte that is read."""
        return self._place

    def _await_bytes(self) -> None:
        begun_s = self._clock()
        with self._changed:
            self._waiting = self._size <= self._place
            self._tell_of_room()
            came = self._changed.wait_for(self._is_readable, self._patience_s)
            self._waiting = False
        self._waited_s += self._clock() - begun_s
        if not came:
            msg = f"the rest of the upload did not come for {self._patience_s:g} s"
            raise UnavailableError(msg)

    def _has_room(self) -> bool:
        return self._waiting or self._unread or self._size - self._place <= self._ahead_bytes

    def _tell_of_room(self) -> None:
        if self._held_back and self._has_room():
            self._held_back = False
            self._moved()

    def _is_readable(self) -> bool:
        return self._cancelled or self._finished or self._size > self._place

    def _write(self, data: bytes) -> None:
        rest, place = memoryview(data), self._size
        while rest:
            written = os.pwrite(self._file.fileno(), rest, place)
            rest, place = rest[written:], place + written


def _unusable(error: OSError) -> SpoolFullError | UnavailableError:
    if error.errno in _FULL:
        msg = "the server's disk is full: it has no room for the upload now"
        return SpoolFullError(msg, retry_after_s=30.0)
    msg = "the server cannot store the upload: its directory for temporary files does not work"
    return UnavailableError(msg)
