"""What is spoken in the benchmark: real speech, and sentences that the project's own voice says.

Synthesised speech varies from run to run; it is made once and kept under `.cache/`, so that all
systems, and later runs, hear the same samples.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from faster_whisper.audio import decode_audio
from piper import PiperVoice

from voicemesh_models import ModelStore, default_models_dir, load_catalogue

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

__all__ = ("Corpus", "Utterance", "joined", "noisy", "of_length")

RATE_HERTZ = 16_000
_ROOT = Path(__file__).resolve().parents[2]
_SPEECH = _ROOT / "tests" / "data" / "speech"
_CACHE = _ROOT / ".cache" / "benchmarks" / "speech"
_VOICE = "piper-en_US-joe-medium"


@dataclass(frozen=True, eq=False)
class Utterance:
    """Somebody says something."""

    text: str
    """The words."""
    audio: npt.NDArray[np.float32]
    """Mono, 16 kHz, float32 [samples]."""

    @property
    def seconds(self) -> float:
        """How long it takes."""
        return len(self.audio) / RATE_HERTZ

    @cached_property
    def pcm(self) -> bytes:
        """The audio as 16-bit samples."""
        samples = (self.audio.clip(-1, 1) * 32767).astype("<i2")
        return samples.tobytes()


@dataclass(frozen=True)
class Corpus:
    """Everything that is said."""

    speech: Sequence[Utterance]
    """Real people."""
    sentences: Sequence[Utterance]
    """Synthesised sentences, as `sentences.txt` has them."""

    @classmethod
    def load(cls) -> Corpus:
        """Reads what is there and synthesises what is not."""
        with (_SPEECH / "transcripts.tsv").open(encoding="utf-8") as lines:
            told = list(csv.DictReader(lines, delimiter="\t"))
        speech = [
            Utterance(row["text"], np.asarray(decode_audio(str(_SPEECH / row["file"]))))
            for row in told
        ]
        return cls(speech, _sentences())


def noisy(utterance: Utterance, ratio_db: float, seed: int) -> Utterance:
    """The utterance with pink noise so many decibels below the speech."""
    count = len(utterance.audio)
    spectrum = np.fft.rfft(np.random.default_rng(seed).standard_normal(count))
    noise = np.fft.irfft(spectrum / np.sqrt(np.maximum(1, np.arange(len(spectrum)))), count)
    power = np.mean(utterance.audio**2) / 10 ** (ratio_db / 10)
    mixed = utterance.audio + noise * np.sqrt(power / np.mean(noise**2))
    return Utterance(utterance.text, mixed.astype(np.float32))


def joined(parts: Sequence[Utterance], pause_s: float = 0.3) -> Utterance:
    """One utterance after the other, with a pause between them."""
    pause = np.zeros(round(pause_s * RATE_HERTZ), dtype=np.float32)
    pieces = [piece for part in parts for piece in (part.audio, pause)][:-1]
    return Utterance(" ".join(part.text for part in parts), np.concatenate(pieces))


def of_length(sentences: Sequence[Utterance], seconds: float) -> Utterance:
    """Sentences, joined, whose length is closest to so many seconds."""
    candidates = [
        joined(sentences[start : start + count])
        for count in range(1, 6)
        for start in range(0, len(sentences) - count, count)
    ]
    return min(candidates, key=lambda utterance: abs(utterance.seconds - seconds))


def _sentences() -> list[Utterance]:
    texts = (Path(__file__).parent / "sentences.txt").read_text(encoding="utf-8").splitlines()
    _CACHE.mkdir(parents=True, exist_ok=True)
    files = [_CACHE / f"{re.sub('[^a-z]+', '-', text.lower())[:60]}.npy" for text in texts]
    missing = [index for index, file in enumerate(files) if not file.exists()]
    if missing:
        store = ModelStore(default_models_dir(), load_catalogue())
        voice = PiperVoice.load(str(store.require(_VOICE) / "en_US-joe-medium.onnx"))
        for index in missing:
            np.save(files[index], _spoken(voice, texts[index]))
    return [Utterance(text, np.load(file)) for text, file in zip(texts, files, strict=True)]


def _spoken(voice: PiperVoice, text: str) -> npt.NDArray[np.float32]:
    """The text at 16 kHz, by linear-phase resampling in the frequency domain."""
    audio = np.concatenate([chunk.audio_float_array for chunk in voice.synthesize(text)])
    count = round(len(audio) * RATE_HERTZ / voice.config.sample_rate)
    spectrum = np.fft.rfft(audio)[: count // 2 + 1]
    return (np.fft.irfft(spectrum, count) * (count / len(audio))).astype(np.float32)
