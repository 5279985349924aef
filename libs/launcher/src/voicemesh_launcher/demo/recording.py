"""The recorded question that comes with the package; its origin is told in `data/README.md`."""

from __future__ import annotations

import io
import wave
from dataclasses import dataclass
from importlib.resources import files

__all__ = ("Recording", "recorded_question", "wav_bytes")

_SAMPLE_BYTES = 2


@dataclass(frozen=True)
class Recording:
    """Speech with its words."""

    pcm: bytes
    """Signed 16-bit little-endian samples, mono."""

    sample_rate_hertz: int
    """Samples a second."""

    text: str
    """The words spoken, in lower case."""

    @property
    def duration_s(self) -> float:
        """Its length in seconds."""
        return len(self.pcm) / _SAMPLE_BYTES / self.sample_rate_hertz

    def frames(self, frame_ms: int) -> list[bytes]:
        """The samples in pieces of `frame_ms` milliseconds; the last may be shorter."""
        size = self.sample_rate_hertz * frame_ms // 1000 * _SAMPLE_BYTES
        return [self.pcm[start : start + size] for start in range(0, len(self.pcm), size)]


def recorded_question() -> Recording:
    """The question."""
    data = files("voicemesh_launcher.demo") / "data"
    with wave.open(io.BytesIO((data / "question.wav").read_bytes())) as file:
        pcm = file.readframes(file.getnframes())
        rate = file.getframerate()
    text = (data / "question.txt").read_text(encoding="utf-8").strip()
    return Recording(pcm, rate, text)


def wav_bytes(pcm: bytes, sample_rate_hertz: int, channel_count: int) -> bytes:
    """Signed 16-bit samples as a WAV file."""
    file = io.BytesIO()
    with wave.open(file, "wb") as wav:
        wav.setnchannels(channel_count)
        wav.setsampwidth(_SAMPLE_BYTES)
        wav.setframerate(sample_rate_hertz)
        wav.writeframes(pcm)
    return file.getvalue()
