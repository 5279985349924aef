"""Sounds to send through the chain, and what comes out of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import soxr
from numpy.typing import NDArray

from voicemesh_tts.audio.chain import AudioChain
from voicemesh_tts.domain import AudioFormat, EncodedAudio, Encoding, Prosody, SpeechRequest, Voice
from voicemesh_tts.ports import Samples

RATE = 22_050
VOICE = Voice("tone:a", "A", ("en",), RATE)
PLAIN = Prosody()


def make_tone(seconds: float, level: float = 0.4, hertz: float = 440.0) -> Samples:
    """A sine that swells and fades, so that it begins and ends at zero."""
    count = round(seconds * RATE)
    sound = level * np.sin(np.arange(count) * (2 * np.pi * hertz / RATE))
    shaped: Samples = (sound * np.hanning(count)).astype(np.float32)
    return shaped


@dataclass
class Made:
    """What a chain has made."""

    parts: list[EncodedAudio] = field(default_factory=list)

    @property
    def data(self) -> bytes:
        return b"".join(part.data for part in self.parts)

    @property
    def packets(self) -> list[bytes]:
        return [packet for part in self.parts for packet in part.packets]

    @property
    def sample_count(self) -> int:
        return sum(part.sample_count for part in self.parts)

    def f32(self) -> NDArray[np.float32]:
        return np.frombuffer(self.data, "<f4")


@pytest.fixture(scope="session")
def rate() -> int:
    """The rate of the voice."""
    return RATE


@pytest.fixture(scope="session")
def tone() -> Callable[..., Samples]:
    """Makes tones."""
    return make_tone


@pytest.fixture(scope="session")
def talk(speech: Path) -> Samples:
    """Four seconds of a person speaking, at the rate of the voice, peaks at 0.5."""
    with av.open(str(speech / "jfk.flac")) as file:
        own = file.streams.audio[0].rate
        resampler = av.AudioResampler("flt", "mono", own)
        frames = [part for frame in file.decode(audio=0) for part in resampler.resample(frame)]
    sound = np.concatenate([frame.to_ndarray().ravel() for frame in frames])
    samples = soxr.resample(sound, own, RATE)[: 4 * RATE]
    scaled: Samples = (0.5 * samples / np.abs(samples).max()).astype(np.float32)
    return scaled


@pytest.fixture(scope="session")
def chain() -> Callable[..., AudioChain]:
    """Makes a chain for the voice."""

    def make(
        encoding: Encoding, rate: int = RATE, *, channels: int = 1, whole: bool = True, **how: Any
    ) -> AudioChain:
        request = SpeechRequest(VOICE, AudioFormat(encoding, rate, channels), **how)
        return AudioChain(request, opus_bitrate=48_000, whole=whole)

    return make


@pytest.fixture(scope="session")
def run() -> Callable[..., Made]:
    """Sends clauses through a chain, each in two pieces, and ends it."""

    def through(audio: AudioChain, *clauses: Samples, prosody: Prosody = PLAIN) -> Made:
        made = Made()
        for clause in clauses:
            middle = len(clause) // 3
            made.parts.append(audio.push(clause[:middle], end=False, prosody=prosody))
            made.parts.append(audio.push(clause[middle:], end=True, prosody=prosody))
        made.parts.append(audio.finish())
        return made

    return through


@pytest.fixture(scope="session")
def lateness() -> Callable[[NDArray[np.float32], NDArray[np.float32]], tuple[float, int]]:
    """How alike two sounds are at best, up to 1, and how many samples the first is late."""

    def compare(heard: NDArray[np.float32], original: NDArray[np.float32]) -> tuple[float, int]:
        size = 1 << (len(heard) + len(original)).bit_length()
        spectra = np.fft.rfft(heard, size) * np.conj(np.fft.rfft(original, size))
        crossed = np.fft.irfft(spectra, size)
        late = int(crossed.argmax())
        norm = float(np.sqrt((heard**2).sum() * (original**2).sum()))
        return float(crossed[late]) / norm, late if late < size // 2 else late - size

    return compare
