"""Hashes of files, read in blocks so that a model never has to fit in memory."""

from __future__ import annotations

import hashlib
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ("BLOCK_BYTES", "blocks", "git_blob_sha1", "sha256_file")

BLOCK_BYTES = 1 << 20


def blocks(stream: IO[bytes]) -> Iterator[bytes]:
    """Yield the rest of `stream` in blocks of at most BLOCK_BYTES."""
    while block := stream.read(BLOCK_BYTES):
        yield block


def sha256_file(path: Path) -> str:
    """Return the sha256 of a file in lower-case hex."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        for block in blocks(stream):
            digest.update(block)
    return digest.hexdigest()


def git_blob_sha1(path: Path) -> str:
    """Return the object id that git gives a file's content, in lower-case hex."""
    # git names objects so; this is no choice of ours, and it guards against nothing but mishaps.
    digest = hashlib.sha1(b"blob %d\0" % path.stat().st_size, usedforsecurity=False)
    with path.open("rb") as stream:
        for block in blocks(stream):
            digest.update(block)
    return digest.hexdigest()
