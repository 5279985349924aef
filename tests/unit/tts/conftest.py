"""A voice engine that fits on a screen: tones of known length, in turns the test can hold up."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest

from voicemesh_tts.domain import Utterance, Voice
from voicemesh_tts.ports import Piece

RATE = 16_000
VOICE = Voice("tone:a", "A", ("en-US",), RATE)


@dataclass
class ToneEngine:
    """10 ms of tone for each character; `gate` closed holds every turn up."""

    name: str = "tone"
    said: list[str] = field(default_factory=list)
    gate: threading.Event = field(default_factory=threading.Event)
    error: Exception | None = None

    def __post_init__(self) -> None:
        self.gate.set()

    def voices(self) -> Sequence[Voice]:
        return [VOICE, Voice("tone:b", "B", ("de-DE",), RATE)]

    def is_loaded(self, voice: str) -> bool:
        return voice == VOICE.id

    def load(self, voice: str) -> None:
        return None

    def speak(self, utterance: Utterance) -> Iterator[Piece]:
        if not self.gate.wait(10):
            raise TimeoutError
        if self.error is not None:
            raise self.error
        self.said.append(utterance.text)
        count = len(utterance.text) * RATE // 100
        sound = 0.5 * np.sin(np.arange(count) * (2 * np.pi * 440 / RATE))
        yield Piece(sound.astype(np.float32), last=True)

    def close(self) -> None:
        return None


@pytest.fixture
def engine() -> Iterator[ToneEngine]:
    tone = ToneEngine()
    yield tone
    tone.gate.set()
