"""Where files can be kept: a directory, or a bucket that fsspec reaches.

Both put a whole file in its place in one step, so nobody ever finds half of one.
"""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol
from urllib.parse import unquote, urlsplit

import fsspec

from voicemesh_chassis.service import ConfigurationError
from voicemesh_trainer.errors import FileLostError, FilesUnavailableError, StorageFullError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from voicemesh_chassis.errors import ServiceError

__all__ = ("FilePlace", "file_fault", "place_of")

_BUCKETS = frozenset({"abfs", "az", "gcs", "gs", "memory", "s3", "s3a"})
"""What makes an object whole in one step. Others would show half a file after a crash."""

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})

_BLOCK_BYTES = 4 * 1024 * 1024

_OPTIONS: dict[str, dict[str, Any]] = {
    "s3": {
        "config_kwargs": {
            "connect_timeout": 5,
            "read_timeout": 60,
            "retries": {"mode": "standard", "max_attempts": 2},  # s3fs tries again itself
        }
    },
}


class FilePlace(Protocol):
    """A place for files. All its calls may block, and raise `OSError` or one of `faults`."""

    @property
    def title(self) -> str:
        """What to call it, without secrets."""

    @property
    def faults(self) -> tuple[type[Exception], ...]:
        """What is raised beside `OSError` if it cannot be used."""

    @property
    def incoming(self) -> Path | None:
        """Where files are to be put together so that `keep` need only rename them, if anywhere."""

    def keep(self, source: Path, name: str) -> None:
        """Keeps a file that is complete and durable; `source` may be gone then."""

    def read(self, name: str) -> BinaryIO:
        """Opens a file."""

    def local(self, name: str) -> Path | None:
        """Where a file lies on this machine; None if it does not."""

    def delete(self, name: str) -> None:
        """Deletes a file, if it is there."""

    def names(self) -> list[str]:
        """The names of all files."""


def place_of(url: str) -> FilePlace:
    """The place that an address, or the path of a directory, tells.

    Raises:
        ConfigurationError: if it is neither, or what it needs is not installed.
    """
    scheme = urlsplit(url).scheme.lower()
    # One letter is a drive of Windows.
    if len(scheme) < 2:
        return DirectoryPlace(Path(url))
    if scheme == "file":
        return DirectoryPlace(Path(unquote(urlsplit(url).path)))
    if scheme not in _BUCKETS:
        msg = (
            f"files cannot be kept at {scheme}://…: set VOICEMESH_TRAINER_STORAGE__FILES_URL to a "
            f"directory, or to a bucket ({', '.join(sorted(_BUCKETS))})"
        )
        raise ConfigurationError(msg)
    try:
        return BucketPlace(url)
    except ImportError as error:
        msg = (
            f"what reaches {scheme}:// is not installed ({error}): pip install "
            "'voicemesh-trainer[s3]' for S3, or see VOICEMESH_TRAINER_STORAGE__FILES_URL"
        )
        raise ConfigurationError(msg) from error


def file_fault(error: Exception) -> ServiceError:
    """The service's error for one of a place."""
    if isinstance(error, OSError) and error.errno in _FULL:
        return StorageFullError("there is no room for the file; nothing of it was kept")
    if isinstance(error, FileNotFoundError):
        return FileLostError("a file that should be there is not")
    return FilesUnavailableError("the store of files cannot be used at the moment")


class DirectoryPlace:
    """A directory of this machine, or one that several machines share."""

    def __init__(self, root: Path) -> None:
        self._root = root.absolute()

    @property
    def title(self) -> str:
        """See `FilePlace.title`."""
        return f"the directory {self._root}"

    @property
    def faults(self) -> tuple[type[Exception], ...]:
        """See `FilePlace.faults`."""
        return ()

    @property
    def incoming(self) -> Path:
        """See `FilePlace.incoming`."""
        return self._root / ".incoming"

    def keep(self, source: Path, name: str) -> None:
        """See `FilePlace.keep`."""
        target = self._root / name
        new = [parent for parent in target.parents if not parent.is_dir()]
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.replace(source, target)
        # The file's own bytes are safe; now its name is, and those of directories made for it.
        for directory in (target.parent, *(made.parent for made in new)):
            _sync_directory(directory)

    def read(self, name: str) -> BinaryIO:
        """See `FilePlace.read`."""
        return (self._root / name).open("rb")

    def local(self, name: str) -> Path:
        """See `FilePlace.local`."""
        return self._root / name

    def delete(self, name: str) -> None:
        """See `FilePlace.delete`."""
        (self._root / name).unlink(missing_ok=True)

    def names(self) -> list[str]:
        """See `FilePlace.names`."""
        return list(self._walk())

    def _walk(self) -> Iterator[str]:
        for directory, inner, files in os.walk(self._root):
            inner[:] = [each for each in inner if not each.startswith(".")]
            for file in files:
                yield (Path(directory) / file).relative_to(self._root).as_posix()


class BucketPlace:
    """A folder of a bucket, reached through fsspec."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        # A key and a secret may stand before the host.
        self._title = f"{parts.scheme}://{parts.hostname or ''}{parts.path}"
        options = _OPTIONS.get("s3" if parts.scheme == "s3a" else parts.scheme, {})
        self._system, root = fsspec.core.url_to_fs(url, **options)
        self._root = str(root).rstrip("/")

    @property
    def title(self) -> str:
        """See `FilePlace.title`."""
        return self._title

    @property
    def faults(self) -> tuple[type[Exception], ...]:
        """See `FilePlace.faults`: every library behind fsspec has errors of its own."""
        return (Exception,)

    @property
    def incoming(self) -> None:
        """See `FilePlace.incoming`."""

    def keep(self, source: Path, name: str) -> None:
        """See `FilePlace.keep`."""
        target = self._path(name)
        self._system.put_file(str(source), target)
        self._system.invalidate_cache()
        size = self._system.info(target)["size"]
        if size != source.stat().st_size:
            self.delete(name)
            msg = f"{size} bytes have arrived of {source.stat().st_size}"
            raise OSError(msg)

    def read(self, name: str) -> BinaryIO:
        """See `FilePlace.read`."""
        file: BinaryIO = self._system.open(self._path(name), "rb", block_size=_BLOCK_BYTES)
        return file

    def local(self, name: str) -> None:
        """See `FilePlace.local`."""

    def delete(self, name: str) -> None:
        """See `FilePlace.delete`."""
        with suppress(FileNotFoundError):
            self._system.rm_file(self._path(name))

    def names(self) -> list[str]:
        """See `FilePlace.names`."""
        self._system.invalidate_cache()
        skipped = len(self._root) + 1
        return [str(path)[skipped:] for path in self._system.find(self._root)]

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}"


def _sync_directory(directory: Path) -> None:
    if os.name != "posix":  # elsewhere a directory cannot be opened
        return
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
