"""Everything a call needs, put together once: voices, engine threads, encoders and limits."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from voicemesh_tts.audio.chain import AudioChain
from voicemesh_tts.audio.pool import EncodingPool
from voicemesh_tts.clauses import ClauseLimits, ClausePlanner, plan
from voicemesh_tts.domain import EncodedAudio, SpeechRequest, Timings
from voicemesh_tts.errors import AudioTooLargeError, NothingToSpeakError
from voicemesh_tts.speaker import Speaker, Stopwatch
from voicemesh_tts.streaming import SpeechStream, StreamLimits
from voicemesh_tts.turns import TurnLimits, Turns
from voicemesh_tts.voices import Voices

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from voicemesh_tts.metrics import TtsMetrics
    from voicemesh_tts.ports import Piece, VoiceEngine

__all__ = ("Speech", "Studio", "StudioLimits")

# Room for the rest of a response in a message that the audio nearly fills.
_ENVELOPE_BYTES = 64 * 1024


@dataclass(frozen=True)
class StudioLimits:
    """Bounds of calls."""

    text_chars: int = 5_000
    """Most characters of a whole text, and of one message of a stream."""

    audio_bytes: int = 32 * 1024 * 1024
    """Largest message; a whole text's audio must fit into one."""

    opus_bitrate: int = 48_000
    """Bits a second of Opus, for one channel."""

    clauses: ClauseLimits = field(default_factory=ClauseLimits)
    """Where texts are cut."""

    stream: StreamLimits = field(default_factory=StreamLimits)
    """Bounds of one stream."""

    turns: TurnLimits = field(default_factory=TurnLimits)
    """How callers share the engines."""


@dataclass(frozen=True)
class Speech:
    """A whole text, spoken."""

    audio: EncodedAudio
    """All of it."""

    timings: Timings
    """Where the time went."""


class Studio:
    """Made in the event loop that serves; `open` it before use and `aclose` it after.

    Attributes:
        voices: who can speak.
        limits: bounds of calls.
    """

    def __init__(
        self,
        engines: Sequence[VoiceEngine],
        default_voice: str,
        limits: StudioLimits,
        metrics: TtsMetrics,
    ) -> None:
        self.voices = Voices(engines, default_voice)
        self.limits = limits
        self._engines = tuple(engines)
        self._metrics = metrics
        self._turns = Turns(limits.turns, metrics)
        self._pool = EncodingPool()
        self._speaker = Speaker(self.voices, self._turns, metrics)

    async def open(self) -> None:
        """Finds the voices and loads the default one.

        Raises:
            StartupError: if that one cannot be used.
        """
        await asyncio.to_thread(self.voices.open)

    async def aclose(self) -> None:
        """Waits for the work that runs; gives the threads and what the engines hold back."""
        await self._turns.aclose()
        await self._pool.aclose()
        for engine in self._engines:
            await asyncio.to_thread(engine.close)

    def stream(self, request: SpeechRequest) -> SpeechStream:
        """A text to be spoken while it is written."""
        return SpeechStream(
            request,
            self._speaker,
            self._chain(request, whole=False),
            self._pool,
            ClausePlanner(self.limits.clauses),
            self.limits.stream,
        )

    async def speak(self, text: str, request: SpeechRequest) -> Speech:
        """Speaks a whole text, sentence by sentence and in turn with other callers.

        Raises:
            NothingToSpeakError: if the text has no words.
            AudioTooLargeError: if the audio does not fit into one message.
            OverloadedError: if too many wait.
        """
        chain = self._chain(request, whole=True)
        watch = Stopwatch(self._metrics, "Synthesize")
        parts: list[EncodedAudio] = []
        for clause in plan(text, _unhurried(self.limits.clauses)):
            async with aclosing(self._speaker.speak(clause, request, watch)) as pieces:
                async for piece in pieces:
                    push = _bound_push(chain, piece)
                    parts.append(await self._pool.run(push))
                    watch.heard()
                    self._check_size(chain)
        if not parts:
            msg = "the text has no words: it is empty, or only emoji, markup or punctuation"
            raise NothingToSpeakError(msg, field="text")
        parts.append(await self._pool.run(chain.finish))
        return Speech(_joined(parts), watch.timings)

    def _chain(self, request: SpeechRequest, *, whole: bool) -> AudioChain:
        return AudioChain(request, opus_bitrate=self.limits.opus_bitrate, whole=whole)

    def _check_size(self, chain: AudioChain) -> None:
        if chain.size_bytes > self.limits.audio_bytes - _ENVELOPE_BYTES:
            msg = (
                f"the audio is larger than a message may be ({self.limits.audio_bytes} bytes); "
                "use StreamSynthesize, a compressed encoding, or a shorter text"
            )
            raise AudioTooLargeError(msg, field="text")


def _unhurried(limits: ClauseLimits) -> ClauseLimits:
    """The same limits without an early first clause: nobody hears it before the rest."""
    return replace(limits, early=False)


def _bound_push(chain: AudioChain, piece: Piece) -> Callable[[], EncodedAudio]:
    return lambda: chain.push(piece.samples, end=piece.last)


def _joined(parts: Sequence[EncodedAudio]) -> EncodedAudio:
    return EncodedAudio(
        b"".join(part.data for part in parts),
        tuple(packet for part in parts for packet in part.packets),
        sum(part.sample_count for part in parts),
    )
