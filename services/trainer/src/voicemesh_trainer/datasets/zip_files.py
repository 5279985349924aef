"""Zip archives of people's files: looked at with suspicion, and never unpacked to a disk.

What a header says of sizes is not believed: bytes are counted as they are unpacked. Names are
only shown, but an archive whose names try to leave their directory was made to harm and is refused
as a whole, as are encrypted entries, links, and methods of compression that take much memory.
"""

from __future__ import annotations

import io
import re
import stat
import zipfile
import zlib
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from voicemesh_chassis.errors import LimitExceededError
from voicemesh_trainer.datasets.errors import UnreadableFileError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import BinaryIO

    from voicemesh_trainer.domain.datasets import DatasetLimits

__all__ = ("ZipEntry", "zip_entries")

_DEEPEST = 8
_LONGEST_NAME = 255
_ENCRYPTED = 0x1 | 0x40 | 0x2000
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_DRIVE = re.compile(r"[A-Za-z]:")
_DIRECTORY_BYTES_A_FILE = 1_024
_BLOCK_BYTES = 1 << 16
_IGNORED = ("__MACOSX", "Thumbs.db", "desktop.ini")


class ZipEntry(io.RawIOBase):
    """One file of an archive, read from its beginning; may go back there."""

    def __init__(
        self, archive: zipfile.ZipFile, info: zipfile.ZipInfo, count: Callable[[int], None]
    ) -> None:
        self.name = info.filename
        self.damaged = False
        self._archive = archive
        self._info = info
        self._count = count
        self._counted = 0
        self._file = archive.open(info)

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It can go back to a place it has been at."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Reads the next bytes, counting those never read before.

        Raises:
            UnreadableFileError: if the archive is damaged.
            LimitExceededError: if it unpacks to more than it may.
        """
        view = memoryview(buffer)
        try:
            data = self._file.read(min(len(view), _BLOCK_BYTES))
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError) as error:
            self.damaged = True
            msg = f"the archive is damaged at {self.name!r}"
            raise UnreadableFileError(msg) from error
        view[: len(data)] = data
        place = self._file.tell()
        if place > self._counted:
            self._count(place - self._counted)
            self._counted = place
        return len(data)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Goes back or forth; unpacks again what lies before."""
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """The place of the next byte."""
        return self._file.tell()

    def close(self) -> None:
        """Closes the entry, not the archive."""
        self._file.close()
        super().close()


def zip_entries(file: BinaryIO, limits: DatasetLimits) -> Iterator[ZipEntry]:
    """The files in an archive in the order of their names; each is closed when the next is asked.

    Raises:
        UnreadableFileError: if it is no archive, damaged, or made to harm.
        LimitExceededError: if it has, or unpacks to, more than it may.
    """
    directory = _Directory(file, limits.archive_files * _DIRECTORY_BYTES_A_FILE)
    try:
        archive = zipfile.ZipFile(directory)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        msg = "the file is not a zip archive, or it is damaged"
        raise UnreadableFileError(msg) from error
    with archive:
        directory.opened = True
        infos = archive.infolist()
        if len(infos) > limits.archive_files:
            msg = f"the archive has {len(infos)} entries; at most {limits.archive_files} are taken"
            raise LimitExceededError(msg, field="content")
        _check_entries(infos)
        unpacked = 0

        def count(size: int) -> None:
            nonlocal unpacked
            unpacked += size
            if unpacked > limits.unpacked_bytes:
                msg = (
                    f"the archive unpacks to more than the {limits.unpacked_bytes} bytes that its "
                    "files may have together"
                )
                raise LimitExceededError(msg, field="content")

        for info in sorted(infos, key=lambda each: each.filename):
            if info.is_dir() or _is_ignored(info.filename):
                continue
            try:
                entry = ZipEntry(archive, info, count)
            except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
                msg = f"the archive is damaged at {info.filename!r}"
                raise UnreadableFileError(msg) from error
            with entry:
                yield entry


def _check_entries(infos: list[zipfile.ZipInfo]) -> None:
    seen: set[str] = set()
    for info in infos:
        name = info.filename
        problem = _problem_of(info)
        if not problem and name in seen:
            problem = "is there twice"
        if problem:
            msg = f"the archive is refused: its entry {name[:80]!r} {problem}"
            raise UnreadableFileError(msg)
        seen.add(name)


def _problem_of(info: zipfile.ZipInfo) -> str:
    # The name as it stands in the archive: zipfile cuts it at a zero, and turns separators.
    name, raw = info.filename, info.orig_filename
    parts = PurePosixPath(name).parts
    kind = stat.S_IFMT(info.external_attr >> 16)
    problems = {
        "has a name that cannot be shown": not (name and raw.isprintable()),
        "has a name that is too long": len(raw) > _LONGEST_NAME,
        "has a name that leaves its directory": (
            name.startswith("/") or "\\" in raw or ".." in parts or _DRIVE.match(name) is not None
        ),
        "lies in too many directories": len(parts) > _DEEPEST,
        "is encrypted": bool(info.flag_bits & _ENCRYPTED),
        "is a link or a device": kind not in (0, stat.S_IFREG, stat.S_IFDIR),
        "is packed with a method other than deflate": info.compress_type not in _METHODS,
    }
    return next((problem for problem, found in problems.items() if found), "")


def _is_ignored(name: str) -> bool:
    """Whether an entry is what systems add without being asked."""
    return any(part.startswith(".") or part in _IGNORED for part in PurePosixPath(name).parts)


class _Directory:
    """A file of which no more is read at once, until the archive is open, than a directory has."""

    def __init__(self, file: BinaryIO, most: int) -> None:
        self.opened = False
        self._file = file
        self._most = most
        self.seek, self.tell = file.seek, file.tell

    def read(self, size: int = -1) -> bytes:
        """The next bytes."""
        if not self.opened and size > self._most + (1 << 17):
            msg = "the archive has more entries than are taken"
            raise LimitExceededError(msg, field="content")
        return self._file.read(size)

    def seekable(self) -> bool:
        """It is."""
        return True
