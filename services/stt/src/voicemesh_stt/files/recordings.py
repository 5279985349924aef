"""One whole recording, from bytes to a transcript.

Decoding and voice activity run on the audio threads; only pieces with speech go to the engine,
several at a time.
"""

from __future__ import annotations

import asyncio
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from voicemesh_stt.chunks import plan_chunks
from voicemesh_stt.domain import AudioFormat, RecognitionOptions, SpeechModel, Timings, Transcript
from voicemesh_stt.passages import Asking, Heard, Passage, hear, in_order, language_of
from voicemesh_stt.ports import (
    FRAME_SAMPLES,
    SAMPLE_RATE_HERTZ,
    Lane,
    RecordingDecoder,
    Samples,
    Transcriber,
    VoiceDetector,
)
from voicemesh_stt.scribe import MOST_AT_ONCE, expected_language

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Executor

__all__ = ("Recording", "Recordings")

_SLAB_SAMPLES = FRAME_SAMPLES * 1_000
"""Audio that is searched for voices in one go; a cancelled call ends within that time."""


@dataclass(frozen=True)
class Recording:
    """What a caller wants transcribed."""

    audio: bytes
    """The recording."""
    audio_format: AudioFormat
    """How it is encoded."""
    options: RecognitionOptions
    """How to recognise it."""
    separate_channels: bool = False
    """Whether each channel is one speaker."""


class Recordings:
    """Transcribes recordings, many at a time."""

    def __init__(
        self,
        transcriber: Transcriber,
        decoder: RecordingDecoder,
        new_detector: Callable[[], VoiceDetector],
        threads: Executor,
    ) -> None:
        """Makes it.

        Args:
            transcriber: where the words come from.
            decoder: reads the bytes.
            new_detector: makes a voice detector for one channel.
            threads: where decoding and detection run.
        """
        self._transcriber = transcriber
        self._decoder = decoder
        self._new_detector = new_detector
        self._threads = threads

    async def transcribe(
        self, recording: Recording, model: SpeechModel, timeout_s: float
    ) -> Transcript:
        """The transcript of a recording. Cancelling the call ends the work on it.

        Raises:
            UnreadableAudioError: if the bytes are not audio of that format.
            AudioTooLongError: if it is longer than allowed.
            QueueFullError: if the engine has too much to do.
            JobExpiredError: if `timeout_s` seconds are not enough.
        """
        begun_s = time.monotonic()
        stop = threading.Event()
        try:
            passages = await self._passages(recording, stop)
            decode_s = time.monotonic() - begun_s
            asking = Asking(
                expected_language(recording.options, model),
                Lane.BULK,
                begun_s + timeout_s,
                model=model.name,
                caller=object(),
            )
            heard = await self._hear(passages, asking)
        finally:
            stop.set()
        language = language_of(heard, recording.options, model)
        return Transcript(
            segments=heard.segments,
            language=language,
            audio_s=max(len(passage.audio) for passage in passages) / SAMPLE_RATE_HERTZ,
            model=model.name,
            timings=heard.timings + Timings(decode_s=decode_s),
        )

    async def _passages(self, recording: Recording, stop: threading.Event) -> list[Passage]:
        loop = asyncio.get_running_loop()

        def decode() -> list[Samples]:
            separate = recording.separate_channels
            return self._decoder.decode(
                recording.audio, recording.audio_format, separate=separate, stop=stop
            )

        channels = await loop.run_in_executor(self._threads, decode)
        voices = await in_order(self._voices(audio) for audio in channels)
        return [
            Passage(audio, plan_chunks(found), channel=channel)
            for channel, (audio, found) in enumerate(zip(channels, voices, strict=True))
        ]

    async def _voices(self, audio: Samples) -> list[float]:
        """The probability of a voice in each frame; a last frame that is short is padded."""
        loop = asyncio.get_running_loop()
        detector = self._new_detector()
        found: list[float] = []
        for start in range(0, len(audio), _SLAB_SAMPLES):
            slab = audio[start : start + _SLAB_SAMPLES]
            whole = np.pad(slab, (0, -len(slab) % FRAME_SAMPLES))
            found += await loop.run_in_executor(self._threads, detector.probabilities, whole)
        return found

    async def _hear(self, passages: list[Passage], asking: Asking) -> Heard:
        """The words of all channels, in order of time."""
        # Each channel is a person, who may speak another language than the others.
        room = asyncio.Semaphore(MOST_AT_ONCE)
        parts = await in_order(
            hear(self._transcriber, passage, asking, room) for passage in passages
        )
        return Heard(
            tuple(sorted((s for part in parts for s in part.segments), key=lambda s: s.start_s)),
            next((part.language for part in parts if part.language is not None), None),
            sum((part.timings for part in parts), Timings()),
        )
