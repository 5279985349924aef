"""Whole recordings, with fakes for what reads and hears them."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from voicemesh_stt.domain import (
    AudioFormat,
    Encoding,
    Language,
    RecognitionOptions,
    Segment,
    SpeechModel,
)
from voicemesh_stt.files.recordings import Recording, Recordings
from voicemesh_stt.ports import Job, Recognition, Samples

pytestmark = pytest.mark.unit


class TwoChannels:
    """Two seconds on each of two channels."""

    def decode(
        self, audio: bytes, audio_format: AudioFormat, *, separate: bool, stop: threading.Event
    ) -> list[Samples]:
        return [np.full(32_000, number, dtype=np.float32) for number in (1, 2)]


class Always:
    """Hears a voice everywhere."""

    def probabilities(self, audio: Samples) -> list[float]:
        return [1.0] * (len(audio) // 512)


class Polyglot:
    """Hears another language on each channel, and remembers which it was told to expect."""

    def __init__(self) -> None:
        self.told: list[str | None] = []

    async def transcribe(self, job: Job) -> Recognition:
        self.told.append(job.options.language)
        language = Language("en" if job.audio[0] == 1 else "ru", 0.9)
        return Recognition((Segment(0.0, 1.0, " da", 0.9),), language)


async def test_each_channel_may_be_in_its_own_language() -> None:
    transcriber = Polyglot()
    model = SpeechModel("fake", ("en", "ru"), "none", "none")
    with ThreadPoolExecutor(1) as threads:
        recordings = Recordings(transcriber, TwoChannels(), Always, threads)
        recording = Recording(
            b"x", AudioFormat(Encoding.WAV), RecognitionOptions(), separate_channels=True
        )
        transcript = await recordings.transcribe(recording, model, timeout_s=10)

    assert transcriber.told == [None, None]
    assert [segment.channel for segment in transcript.segments] == [0, 1]
