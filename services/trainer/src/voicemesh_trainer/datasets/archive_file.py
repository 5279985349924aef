"""The file that a dataset is packed into: `manifest.json` and `examples.jsonl` in a tar.zst.

The same dataset gives the same bytes: no times, no owners, examples in their order. What is read is
believed only as far as it is checked: exactly these two members, their sizes and hashes as the
manifest says, the examples' number and content hash likewise. Nothing is unpacked to a disk.
"""

from __future__ import annotations

import hashlib
import json
import tarfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

import zstandard

from voicemesh_trainer.datasets.content import EMPTY, content_key, with_content
from voicemesh_trainer.datasets.errors import ArchiveDamagedError
from voicemesh_trainer.datasets.lines import flaw_of
from voicemesh_trainer.domain.datasets import Draft
from voicemesh_trainer.domain.lessons import Polarity

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import BinaryIO

    from voicemesh_trainer.domain.datasets import Dataset

__all__ = ("example_line", "packed", "unpacked")

_MANIFEST, _EXAMPLES = "manifest.json", "examples.jsonl"
_FORMAT, _VERSION = "voicemesh-dataset", 1
_BLOCK = tarfile.BLOCKSIZE
_LEVEL = 6
_MOST_WINDOW = 1 << 24
_MOST_MANIFEST = 1 << 16
_MOST_LINE = 1 << 20
_READ_BYTES = 1 << 18
_TEXTS = ("prompt", "completion", "system_prompt", "context", "author_id", "source")


def example_line(draft: Draft) -> bytes:
    """An example as a line of `examples.jsonl`."""
    fields = {name: getattr(draft, name) for name in _TEXTS}
    kept = {name: text for name, text in fields.items() if text}
    line = json.dumps({**kept, "polarity": draft.polarity.value}, ensure_ascii=False)
    return line.encode() + b"\n"


def packed(dataset: Dataset, blocks: Iterable[bytes], size: int, sha256: str) -> Iterator[bytes]:
    """The archive of a dataset, in pieces.

    Args:
        dataset: what is packed.
        blocks: all lines of its examples, in their order.
        size: bytes of all of them.
        sha256: of all of them.
    """
    manifest = {
        "format": _FORMAT,
        "version": _VERSION,
        "dataset_id": dataset.dataset_id,
        "name": dataset.name,
        "example_count": dataset.example_count,
        "negative_example_count": dataset.negative_example_count,
        "content_sha256": dataset.content_sha256,
        "files": [{"name": _EXAMPLES, "byte_count": size, "sha256": sha256}],
    }
    head = json.dumps(manifest, ensure_ascii=False, indent=1, sort_keys=True).encode() + b"\n"
    parameters = zstandard.ZstdCompressionParameters.from_level(_LEVEL, write_checksum=True)
    compressor = zstandard.ZstdCompressor(compression_params=parameters).compressobj()

    def plain() -> Iterator[bytes]:
        yield _header(_MANIFEST, len(head)) + head + _filling(len(head))
        yield _header(_EXAMPLES, size)
        yield from blocks
        yield _filling(size) + bytes(2 * _BLOCK)

    for block in plain():
        if piece := compressor.compress(block):
            yield piece
    yield compressor.flush()


def unpacked(file: BinaryIO, example_count: int) -> Iterator[Draft]:
    """The examples of an archive; all are sound only if none raises.

    Args:
        file: the archive.
        example_count: how many there must be.

    Raises:
        ArchiveDamagedError: if it is not what `packed` made.
    """
    decompressor = zstandard.ZstdDecompressor(max_window_size=_MOST_WINDOW)
    try:
        with decompressor.stream_reader(file, closefd=False) as stream:
            yield from _examples(_Reader(stream), example_count)
        if file.read(1):
            _refuse("something follows it")
    except zstandard.ZstdError as error:
        msg = "the archive is damaged: it cannot be decompressed"
        raise ArchiveDamagedError(msg) from error


@dataclass(frozen=True)
class _Manifest:
    """What an archive says is in it."""

    example_count: int
    content_sha256: str
    byte_count: int
    sha256: str


class _Reader:
    """Reads exactly what is asked for."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def block(self, most: int) -> bytes:
        """At least one byte and at most `most`."""
        data: bytes = self._stream.read(most)
        if not data:
            _refuse("it ends too soon")
        return data

    def exactly(self, size: int) -> bytes:
        """That many bytes."""
        parts: list[bytes] = []
        while size:
            parts.append(self.block(size))
            size -= len(parts[-1])
        return b"".join(parts)

    def zeros(self, size: int) -> None:
        """That many bytes, which must be zero."""
        if any(self.exactly(size)):
            _refuse("something stands where nothing should")

    def end(self) -> None:
        """There must be nothing left."""
        if self._stream.read(1):
            _refuse("something follows the examples")


def _examples(reader: _Reader, example_count: int) -> Iterator[Draft]:
    size = _size_of(reader.exactly(_BLOCK), _MANIFEST)
    if size > _MOST_MANIFEST:
        _refuse("its manifest is too large")
    manifest = _manifest_in(reader.exactly(size))
    reader.zeros(-size % _BLOCK)
    if manifest.example_count != example_count:
        _refuse("it does not have as many examples as were packed")
    if _size_of(reader.exactly(_BLOCK), _EXAMPLES) != manifest.byte_count:
        _refuse("its examples have not the size that its manifest says")
    digest, content, count = hashlib.sha256(), EMPTY, 0
    for line in _lines(reader, manifest.byte_count):
        digest.update(line)
        draft = _draft_in(line)
        content = with_content(content, [content_key(draft)])
        count += 1
        if count > example_count:
            _refuse("it has more examples than were packed")
        yield draft
    reader.zeros(-manifest.byte_count % _BLOCK + 2 * _BLOCK)
    reader.end()
    sound = (count, content, digest.hexdigest())
    if sound != (example_count, manifest.content_sha256, manifest.sha256):
        _refuse("its examples are not those that its manifest says")


def _lines(reader: _Reader, size: int) -> Iterator[bytes]:
    rest = b""
    while size:
        block = reader.block(min(size, _READ_BYTES))
        size -= len(block)
        *lines, rest = (rest + block).split(b"\n")
        for line in lines:
            yield line + b"\n"
        if len(rest) > _MOST_LINE:
            _refuse("one of its lines is too long")
    if rest:
        _refuse("its last line is cut off")


def _draft_in(line: bytes) -> Draft:
    try:
        fields = json.loads(line)
        polarity = Polarity(fields.pop("polarity"))
        texts = {name: fields.pop(name, "") for name in _TEXTS}
        sound = not fields and not any(map(flaw_of, texts.values()))
        draft = Draft(polarity=polarity, **texts)
    except (ValueError, KeyError, AttributeError, TypeError, RecursionError):
        sound = False
    if not sound or not draft.completion:
        _refuse("one of its lines is no example")
    return draft


def _manifest_in(data: bytes) -> _Manifest:
    try:
        fields = json.loads(data)
        (file,) = fields["files"]
        manifest = _Manifest(
            fields["example_count"], fields["content_sha256"], file["byte_count"], file["sha256"]
        )
        known = (fields["format"], fields["version"], file["name"])
    except (ValueError, KeyError, TypeError, RecursionError):
        _refuse("its manifest cannot be read")
    if known != (_FORMAT, _VERSION, _EXAMPLES):
        _refuse("it is of a kind that is not known here")
    return manifest


def _header(name: str, size: int) -> bytes:
    member = tarfile.TarInfo(name)
    member.size, member.mode = size, 0o644
    return member.tobuf(tarfile.USTAR_FORMAT)


def _size_of(header: bytes, name: str) -> int:
    """The size of the member that a header begins, which must be a file of that name."""
    try:
        member = tarfile.TarInfo.frombuf(header, "utf-8", "strict")
    except (tarfile.HeaderError, ValueError) as error:
        msg = "the archive is damaged: it has no header where one should be"
        raise ArchiveDamagedError(msg) from error
    if member.name != name or member.type != tarfile.REGTYPE or member.size < 0:
        _refuse(f"its member {member.name[:80]!r} does not belong there")
    return member.size


def _filling(size: int) -> bytes:
    return bytes(-size % _BLOCK)


def _refuse(why: str) -> NoReturn:
    msg = f"the archive is damaged: {why}; nothing was restored"
    raise ArchiveDamagedError(msg)
