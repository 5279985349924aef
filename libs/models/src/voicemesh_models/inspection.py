"""Compares an installed model with its pins."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from voicemesh_models.digests import sha256_file
from voicemesh_models.errors import ModelCorruptError, ModelMissingError
from voicemesh_models.stamp import FileStamp, read_stamp, write_stamp

if TYPE_CHECKING:
    from voicemesh_models.catalogue import Model, ModelFile

__all__ = ("inspect_model",)


def inspect_model(model: Model, directory: Path, *, trust_stamp: bool) -> None:
    """Make sure that every file of `model` lies in `directory` with its pinned bytes.

    Args:
        model: What should be there.
        directory: The model's own directory.
        trust_stamp: Whether a file that looks as stamped need not be hashed.

    Raises:
        ModelMissingError: If there is no such directory or it holds none of the files.
        ModelCorruptError: If a file is absent, has other bytes, or cannot be checked.
    """
    try:
        _inspect(model, directory, trust_stamp=trust_stamp)
    except OSError as error:
        path = Path(error.filename or directory)
        problem = f"cannot be read ({error.strerror})"
        raise ModelCorruptError(model.name, directory.parent, path, problem) from error


def _inspect(model: Model, directory: Path, *, trust_stamp: bool) -> None:
    if not any((directory / file.path).is_file() for file in model.files):
        raise ModelMissingError([model.name], directory.parent)
    stamps = read_stamp(directory)
    found = {
        file.path: _check(model, file, directory, stamps.get(file.path), trust_stamp=trust_stamp)
        for file in model.files
    }
    if found != stamps:
        try:
            write_stamp(directory, found)
        except OSError:
            # A read-only model directory is a normal way to run; it only costs hashing next time.
            return


def _check(
    model: Model, file: ModelFile, directory: Path, stamp: FileStamp | None, *, trust_stamp: bool
) -> FileStamp:
    path = directory / file.path
    damaged = partial(ModelCorruptError, model.name, directory.parent, path)
    pinned = file.sha256 or (stamp.sha256 if stamp else None)
    if not path.is_file():
        raise damaged("is missing")
    if pinned is None:
        raise damaged("has no known hash to be checked against")
    if trust_stamp and stamp and stamp.sha256 == pinned and stamp.holds_for(path):
        return stamp
    status = path.stat()
    if file.size_bytes is not None and status.st_size != file.size_bytes:
        raise damaged(f"has {status.st_size} bytes instead of {file.size_bytes}")
    if sha256_file(path) != pinned:
        raise damaged("does not have its pinned sha256")
    return FileStamp.of(status, pinned)
