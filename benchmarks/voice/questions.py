"""What people ask aloud: a hundred questions, said once by the project's own voice and kept.

The voice says them higher and lower, quicker and slower, so that they are not all of one person. In
questions with a comma the speaker stops to think there, which must not be taken for the end.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import soxr
from piper import PiperVoice, SynthesisConfig

from discordsim import Speech
from voicemesh_models import ModelStore, default_models_dir, load_catalogue

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

__all__ = ("FRAME_S", "RATE_HERTZ", "Question", "load_questions", "spoken")

RATE_HERTZ = 48_000
FRAME_S = 0.02
_FRAME = round(RATE_HERTZ * FRAME_S)
_ROOT = Path(__file__).resolve().parents[2]
_CACHE = _ROOT / ".cache" / "benchmarks" / "questions"
_VOICE = "piper-en_US-joe-medium"
_SPEAKERS = ((1.0, 1.0), (1.12, 1.1), (0.9, 0.9), (1.05, 0.85))
"""How much higher, and how much slower before that, each speaker is."""
_PAUSES_S = (0.4, 0.6, 0.8, 1.0)
_PEAK = 0.6
_GAP_S = 0.06
_SEARCHED = 0.2
"""Share of the sound, each way, in which the gap of a comma is looked for."""


@dataclass(frozen=True, eq=False)
class Question:
    """Somebody asks something."""

    text: str
    """The words."""
    audio: npt.NDArray[np.float32]
    """Mono, 48 kHz, float32 `[samples]`, in whole packets."""
    gap: int
    """The sample at which the speaker stops to think; 0 for never."""
    pause_s: float
    """For how long."""

    @cached_property
    def parts(self) -> Sequence[Speech]:
        """What is said before and after the pause; all of it where there is none."""
        cut = [part for part in (self.audio[: self.gap], self.audio[self.gap :]) if len(part)]
        return [Speech.from_samples(part, RATE_HERTZ) for part in cut]

    @cached_property
    def whole(self) -> npt.NDArray[np.float32]:
        """The audio with its pause."""
        pause = np.zeros(round(self.pause_s / FRAME_S) * _FRAME, np.float32)
        return np.concatenate([self.audio[: self.gap], pause, self.audio[self.gap :]])

    @property
    def last_voiced(self) -> int:
        """Index of the last packet of `whole` with voice."""
        return len(self.whole) // _FRAME - len(self.parts[-1].packets) + self.parts[-1].last_voiced


def load_questions(limit: int = 0) -> list[Question]:
    """The questions, in the order in which they are asked; with a limit, some of all kinds."""
    lines = (Path(__file__).parent / "questions.txt").read_text(encoding="utf-8").splitlines()
    voice: PiperVoice | None = None
    _CACHE.mkdir(parents=True, exist_ok=True)
    chosen = range(0, len(lines), max(1, len(lines) // limit)) if limit else range(len(lines))
    found, paused = [], 0
    for index in chosen:
        file = _CACHE / f"{index:03}.npy"
        if not file.exists():
            voice = voice or spoken_by()
            pitch, slower = _SPEAKERS[index % len(_SPEAKERS)]
            np.save(file, spoken(voice, lines[index], pitch, slower))
        audio = np.load(file)
        gap = _gap(audio, lines[index])
        found.append(Question(lines[index], audio, gap, _PAUSES_S[paused % 4] if gap else 0.0))
        paused += bool(gap)
    return found[:limit] if limit else found


def spoken_by() -> PiperVoice:
    """The project's own voice."""
    store = ModelStore(default_models_dir(), load_catalogue())
    return PiperVoice.load(str(store.require(_VOICE) / "en_US-joe-medium.onnx"))


def spoken(
    voice: PiperVoice, text: str, pitch: float = 1.0, slower: float = 1.0
) -> npt.NDArray[np.float32]:
    """A text at 48 kHz in whole packets."""
    options = SynthesisConfig(length_scale=slower)
    chunks = [chunk.audio_float_array for chunk in voice.synthesize(text, options)]
    made = soxr.resample(np.concatenate(chunks), voice.config.sample_rate * pitch, RATE_HERTZ)
    made = (made * (_PEAK / np.abs(made).max())).astype(np.float32)
    return np.pad(made, (0, -len(made) % _FRAME))


def _gap(audio: npt.NDArray[np.float32], text: str) -> int:
    """Where the speaker stops: the quietest place near the last comma, at a packet's edge."""
    before, comma, _ = text.rpartition(",")
    if not comma:
        return 0
    energy = np.square(audio).reshape(-1, _FRAME).mean(axis=1)
    width = round(_GAP_S / FRAME_S)
    smooth = np.convolve(energy, np.ones(width), "same")
    middle = round(len(energy) * len(before) / len(text))
    reach = round(len(energy) * _SEARCHED)
    first = max(width, middle - reach)
    last = min(len(energy) - width, middle + reach)
    return (first + int(np.argmin(smooth[first:last]))) * _FRAME
