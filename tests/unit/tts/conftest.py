"""A voice engine that fits on a screen: tones of known length, in turns the test can hold up."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest
from prometheus_client import CollectorRegistry

from voicemesh_tts.domain import Utterance, Voice, WordTime
from voicemesh_tts.metrics import TtsMetrics
from voicemesh_tts.ports import Piece

RATE = 16_000
VOICE = Voice("tone:a", "A", ("en-US",), RATE, takes_phonemes=True, has_word_times=True)
OTHERS = (Voice("tone:b", "B", ("de-DE",), RATE), Voice("tone:c", "C", ("en-GB",), RATE))
MEMORY_BYTES = 1_000


@dataclass
class ToneEngine:
    """10 ms of tone for each character, a piece for each word; `gate` closed holds turns up."""

    name: str = "tone"
    said: list[str] = field(default_factory=list)
    awaited: list[bool] = field(default_factory=list)
    loaded: set[str] = field(default_factory=set)
    gate: threading.Event = field(default_factory=threading.Event)
    loading: threading.Event = field(default_factory=threading.Event)
    error: Exception | None = None
    load_error: Exception | None = None
    turns: int = 0

    def __post_init__(self) -> None:
        self.gate.set()
        self.loading.set()

    def voices(self) -> Sequence[Voice]:
        return [VOICE, *OTHERS]

    def is_loaded(self, voice: str) -> bool:
        return voice in self.loaded

    def load(self, voice: str) -> None:
        if not self.loading.wait(10):
            raise TimeoutError
        if self.load_error is not None:
            raise self.load_error
        self.loaded.add(voice)

    def unload(self, voice: str) -> None:
        self.loaded.discard(voice)

    def memory_bytes(self, voice: str) -> int:
        return MEMORY_BYTES if voice in self.loaded else 0

    def speak(self, utterance: Utterance) -> Iterator[Piece]:
        made_s = 0.0
        self.said.append(utterance.text)
        self.awaited.append(utterance.is_awaited)
        for index, word in enumerate(utterance.words):
            if not self.gate.wait(10):
                raise TimeoutError
            if self.error is not None:
                raise self.error
            self.turns += 1
            count = round((len(word.text) + 1) * RATE // 100 / utterance.speaking_rate)
            sound = 0.5 * np.sin(np.arange(count) * (2 * np.pi * 440 / RATE))
            time = WordTime(index, made_s, made_s + count / RATE)
            made_s = time.end_s
            last = index == len(utterance.words) - 1
            yield Piece(sound.astype(np.float32), last, (time,))

    def close(self) -> None:
        return None


@pytest.fixture
def engine() -> Iterator[ToneEngine]:
    """The engine, with its gates opened again at the end."""
    tone = ToneEngine()
    yield tone
    tone.gate.set()
    tone.loading.set()


@pytest.fixture
def registry() -> CollectorRegistry:
    """Where the metrics of the test are."""
    return CollectorRegistry()


@pytest.fixture
def metrics(registry: CollectorRegistry) -> TtsMetrics:
    """Metrics of their own for each test."""
    return TtsMetrics(registry)
