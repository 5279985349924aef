"""Recordings as files of all sorts."""

from __future__ import annotations

import io
import time
import wave
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from voicemesh_tts.cloning.decoding import decoded
from voicemesh_tts.errors import RecordingError
from voicemesh_tts.ports import REFERENCE_RATE_HERTZ, Samples

pytestmark = pytest.mark.unit

Write = Callable[..., bytes]


def wav_file(rate: int, width: int, data: bytes) -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(width)
        file.setframerate(rate)
        file.writeframes(data)
    return out.getvalue()


@pytest.mark.parametrize(
    ("container", "codec", "tolerance"),
    [
        ("wav", "pcm_s16le", 0.001),
        ("flac", "flac", 0.001),
        ("ogg", "libopus", 0.3),
        ("mp3", "libmp3lame", 0.3),
        ("mp4", "aac", 0.3),
        ("matroska", "libopus", 0.3),
    ],
)
def test_containers_are_decoded_to_what_was_said(
    speaking: Samples, write_recording: Write, container: str, codec: str, tolerance: float
) -> None:
    found = decoded(write_recording(speaking, container, codec), 60.0)

    assert len(found) == pytest.approx(len(speaking), abs=0.1 * REFERENCE_RATE_HERTZ)
    assert np.sqrt(np.mean(found**2)) == pytest.approx(np.sqrt(np.mean(speaking**2)), rel=tolerance)


def test_a_stereo_file_of_another_rate_is_mixed(speech: Path) -> None:
    found = decoded((speech / "librivox-0870.wav").read_bytes(), 60.0)

    assert found.dtype == np.float32
    assert np.abs(found).max() > 0.05


def test_an_hour_is_not_decoded_to_its_end() -> None:
    hour = wav_file(8_000, 1, bytes(3_600 * 8_000))
    begun = time.monotonic()

    found = decoded(hour, 31.0)

    assert len(found) == 31 * REFERENCE_RATE_HERTZ
    assert time.monotonic() - begun < 5


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"hello",
        b"RIFF" + b"\0" * 100,
        b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n",
        b"\x89PNG\r\n\x1a\n" + b"\0" * 1_000,
        bytes(range(256)) * 50,
    ],
    ids=["empty", "text", "riff", "playlist", "picture", "bytes"],
)
def test_what_is_no_audio_is_refused(data: bytes) -> None:
    with pytest.raises(RecordingError, match="not an audio file") as refused:
        decoded(data, 60.0)

    assert refused.value.field == "reference_audio"


def test_a_file_without_sound_is_refused() -> None:
    with pytest.raises(RecordingError):
        decoded(wav_file(24_000, 2, b""), 60.0)
