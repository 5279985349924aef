"""What the header of a WAVE file says of its length, which FFmpeg does not hold it to."""

from __future__ import annotations

from voicemesh_stt.errors import UnreadableAudioError

__all__ = ("check_wav_header",)

_MOST_CHUNKS = 1_000
"""Chunks before the data; honest files have fewer than twenty."""
_UNKNOWN_SIZES = (0, 0xFFFFFFFF)
"""What a writer to a pipe leaves where it cannot know the size yet."""


def check_wav_header(audio: bytes) -> None:
    """Refuses a WAVE file that ends before its data does; any other file passes.

    Raises:
        UnreadableAudioError: if the file is cut off, or its chunks do not come to an end.
    """
    if audio[:4] != b"RIFF" or audio[8:12] != b"WAVE":
        return
    place = 12
    for _ in range(_MOST_CHUNKS):
        if place + 8 > len(audio):
            return
        size = int.from_bytes(audio[place + 4 : place + 8], "little")
        if audio[place : place + 4] == b"data":
            _check_data(size, len(audio) - place - 8)
            return
        place += 8 + size + size % 2
    msg = f"audio has more than {_MOST_CHUNKS} chunks before its data"
    raise UnreadableAudioError(msg, field="audio")


def _check_data(size: int, there: int) -> None:
    if size not in _UNKNOWN_SIZES and there < size:
        msg = f"audio is cut off: its header says {size} bytes, but {there} are there"
        raise UnreadableAudioError(msg, field="audio")
