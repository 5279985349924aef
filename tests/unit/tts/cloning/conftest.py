"""Recordings to make voices of, and an engine that makes them of nothing much."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from voicemesh_models import ModelStore, load_catalogue
from voicemesh_tts.cloning.decoding import decoded
from voicemesh_tts.domain import Voice
from voicemesh_tts.engines.silero import SileroSpeechDetector
from voicemesh_tts.ports import REFERENCE_RATE_HERTZ, Samples

FILE = "made.bin"
MINUTE = 60 * REFERENCE_RATE_HERTZ


def written(samples: Samples, container: str = "wav", codec: str = "pcm_s16le") -> bytes:
    """A file of samples at 24 kHz."""
    out = io.BytesIO()
    with av.open(out, "w", format=container) as file:
        stream: Any = file.add_stream(codec, rate=REFERENCE_RATE_HERTZ, layout="mono")
        whole = np.clip(np.rint(samples * 32767), -32768, 32767).astype(np.int16)
        for start in range(0, len(whole), MINUTE):
            part = whole[start : start + MINUTE].reshape(1, -1)
            frame = av.AudioFrame.from_ndarray(part, format="s16", layout="mono")
            frame.sample_rate = REFERENCE_RATE_HERTZ
            frame.pts = start
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    return out.getvalue()


@pytest.fixture(scope="session")
def write_recording() -> Callable[..., bytes]:
    """Writes samples at 24 kHz into a file."""
    return written


@pytest.fixture(scope="session")
def speaking(speech: Path) -> Samples:
    """Eleven seconds of somebody speaking, at 24 kHz."""
    return decoded((speech / "jfk.flac").read_bytes(), 60.0)


@pytest.fixture(scope="session")
def detector(models_dir: Path) -> SileroSpeechDetector:
    """The real detector of speech."""
    return SileroSpeechDetector(ModelStore(models_dir, load_catalogue()))


@dataclass
class PaperCloner:
    """A `VoiceCloner` that writes down how long the recording was, when it is let."""

    name: str = "tone"
    let: threading.Event = field(default_factory=threading.Event)
    begun: threading.Event = field(default_factory=threading.Event)
    error: Exception | None = None
    known: dict[str, Path] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.let.set()

    def pattern(self) -> Voice:
        return Voice("tone:pattern", "Pattern", ("en", "de"), 24_000, license="CPML")

    def create(self, reference: Samples, directory: Path) -> None:
        (directory / FILE).write_text(str(len(reference)))
        self.begun.set()
        assert self.let.wait(10)
        if self.error is not None:
            raise self.error

    def add(self, voice: Voice, directory: Path) -> None:
        assert (directory / FILE).is_file()
        self.known[voice.id] = directory

    def remove(self, voice: str) -> None:
        self.known.pop(voice, None)


@pytest.fixture
def cloner() -> PaperCloner:
    """The cloner."""
    return PaperCloner()


@dataclass
class AllSpeech:
    """A `SpeechDetector` that takes everything for speech."""

    def speech(self, reference: Samples) -> NDArray[np.bool_]:
        return np.ones(len(reference), np.bool_)


@pytest.fixture
def all_speech() -> AllSpeech:
    """A detector for tests in which it does not matter what is said."""
    return AllSpeech()
