"""What the header of a WAVE file says of its length, which FFmpeg does not hold it to."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from voicemesh_stt.errors import UnreadableAudioError

if TYPE_CHECKING:
    from voicemesh_stt.files.ports import ByteSource

__all__ = ("check_wav_header",)

_MOST_CHUNKS = 1_000
"""Chunks before the data; honest files have fewer than twenty."""
_UNKNOWN_SIZES = (0, 0xFFFFFFFF)
"""What a writer to a pipe leaves where it cannot know the size yet."""


def check_wav_header(audio: ByteSource) -> None:
    """Refuses a WAVE file that ends before its data does; any other file passes.

    Moves the place of `audio`, and waits for the last byte of the data.

    Raises:
        UnreadableAudioError: if the file is cut off, or its chunks do not come to an end.
    """
    head = _bytes_at(audio, 0, 12)
    if head[:4] != b"RIFF" or head[8:12] != b"WAVE":
        return
    place = 12
    for _ in range(_MOST_CHUNKS):
        chunk = _bytes_at(audio, place, 8)
        if len(chunk) < 8:
            return
        size = int.from_bytes(chunk[4:], "little")
        if chunk[:4] == b"data":
            _check_data(audio, place + 8, size)
            return
        place += 8 + size + size % 2
    msg = f"audio has more than {_MOST_CHUNKS} chunks before its data"
    raise UnreadableAudioError(msg, field="audio")


def _check_data(audio: ByteSource, place: int, size: int) -> None:
    if size in _UNKNOWN_SIZES or _bytes_at(audio, place + size - 1, 1):
        return
    there = max(0, audio.seek(0, io.SEEK_END) - place)
    msg = f"audio is cut off: its header says {size} bytes, but {there} are there"
    raise UnreadableAudioError(msg, field="audio")


def _bytes_at(audio: ByteSource, place: int, size: int) -> bytes:
    audio.seek(place)
    found = b""
    while len(found) < size and (more := audio.read(size - len(found))):
        found += more
    return found
