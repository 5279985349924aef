"""What the work on uploaded files needs, as it needs it; see `voicemesh_stt.ports` for the rest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Generator

    import numpy as np
    import numpy.typing as npt

    from voicemesh_stt.domain import AudioFormat

__all__ = ("AudioBlock", "ByteSource", "FileDecoder")


class ByteSource(Protocol):
    """A file that is read while it is still being written. Not thread-safe."""

    def read(self, size: int = -1, /) -> bytes:
        """The next bytes, at least one unless the file ends; waits for them."""
        ...

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """Goes to a place, as `io.RawIOBase.seek`, and says which it is.

        From the end, as long as that is not known, it goes nowhere and says -1.
        """
        ...


@dataclass(frozen=True, eq=False)
class AudioBlock:
    """The next audio of a file."""

    first_sample: int
    """Where it begins, in samples at 16 kHz from the start of the file."""
    planes: npt.NDArray[np.float32]
    """The audio at 16 kHz in [-1, 1], float32 [channels, samples]; may be none."""
    stated_s: float | None = None
    """Length of the file in seconds as far as its header says it."""


class FileDecoder(Protocol):
    """Decodes files of any length, as they come. Thread-safe."""

    def blocks(
        self, source: ByteSource, audio_format: AudioFormat, *, separate: bool, skip_s: float
    ) -> Generator[AudioBlock]:
        """The file at 16 kHz in blocks of some seconds: a mono mix, or all channels if `separate`.

        Blocks follow each other without a gap. Close the generator to free what it holds.

        Args:
            source: the bytes of the file.
            audio_format: how they are encoded.
            separate: whether channels are kept apart.
            skip_s: audio before this time, in seconds, is not needed; the first block that is not
                empty begins there, or anywhere before it.

        Raises:
            UnreadableAudioError: if the bytes are not audio of that format, or are cut off.
        """
        ...
