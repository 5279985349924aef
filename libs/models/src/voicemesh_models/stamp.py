"""The stamp beside an installed model: what was verified, so that a start need not hash again.

A file whose size and modification time are as stamped holds what was hashed then. Everything else
is hashed anew. The stamp is also where a hash is pinned that the catalogue does not know.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ("STAMP_NAME", "FileStamp", "read_stamp", "write_stamp")

STAMP_NAME = ".installed.json"
_FORMAT = 1


@dataclass(frozen=True)
class FileStamp:
    """One file as it was when its bytes were last hashed."""

    size_bytes: int
    """Size then."""
    mtime_ns: int
    """Modification time then, in nanoseconds."""
    sha256: str
    """Hash of the bytes, lower-case hex."""

    @classmethod
    def of(cls, status: os.stat_result, sha256: str) -> FileStamp:
        """Return the stamp of a file that had this status before it was hashed."""
        return cls(status.st_size, status.st_mtime_ns, sha256)

    def holds_for(self, path: Path) -> bool:
        """Tell whether the file still looks as it did."""
        status = path.stat()
        return (status.st_size, status.st_mtime_ns) == (self.size_bytes, self.mtime_ns)


def read_stamp(directory: Path) -> Mapping[str, FileStamp]:
    """Return the stamps by file path; empty if there is none or it cannot be understood."""
    try:
        data = json.loads((directory / STAMP_NAME).read_text(encoding="utf-8"))
        if data["format"] != _FORMAT:
            return {}
        return {path: FileStamp(**entry) for path, entry in data["files"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        # No usable stamp only means that the files are hashed again.
        return {}


def write_stamp(directory: Path, files: Mapping[str, FileStamp]) -> None:
    """Write the stamp so that a reader sees the old or the new one, never half of it."""
    entries = {path: vars(stamp) for path, stamp in files.items()}
    text = json.dumps({"format": _FORMAT, "files": entries}, indent=1)
    # Several processes may verify one model at the same time.
    temporary = directory / f"{STAMP_NAME}.{os.getpid()}"
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(directory / STAMP_NAME)
