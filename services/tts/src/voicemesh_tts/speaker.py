"""From a clause to its sound: cleaned, synthesised in turn with others, edges faded."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from voicemesh_chassis.logs import get_logger
from voicemesh_chassis.service import StartupError
from voicemesh_tts.audio.shaping import faded
from voicemesh_tts.domain import Clause, SpeechRequest, Timings, Utterance
from voicemesh_tts.errors import VoiceUnusableError
from voicemesh_tts.speakable import speakable

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator

    from voicemesh_tts.metrics import TtsMetrics
    from voicemesh_tts.ports import Piece
    from voicemesh_tts.turns import Turns
    from voicemesh_tts.voices import Voices

__all__ = ("Speaker", "Stopwatch")

_logger = get_logger(__name__)


@dataclass
class Stopwatch:
    """Where the time of one call goes; written by whoever does the work."""

    metrics: TtsMetrics
    """Is told of the first audio."""

    call: str
    """Name of the call, for the metrics."""

    begun: float | None = None
    """When the first clause was there, on the monotonic clock."""

    queue_s: float | None = None
    """How long the first turn waited, in seconds."""

    first_audio_s: float | None = None
    """From the first clause to the first encoded audio, in seconds."""

    synthesis_s: float = 0.0
    """The engine's work, in seconds."""

    def begin(self) -> None:
        """The first clause is there."""
        if self.begun is None:
            self.begun = time.monotonic()

    def heard(self) -> None:
        """There is encoded audio."""
        if self.first_audio_s is None and self.begun is not None:
            self.first_audio_s = time.monotonic() - self.begun
            self.metrics.first_audio_seconds.labels(self.call).observe(self.first_audio_s)

    @property
    def timings(self) -> Timings:
        """What has been measured."""
        return Timings(self.queue_s or 0.0, self.first_audio_s or 0.0, self.synthesis_s)


class Speaker:
    """Speaks clauses for everyone; keeps nothing from one to the next.

    Attributes:
        metrics: what is counted.
    """

    def __init__(self, voices: Voices, turns: Turns, metrics: TtsMetrics) -> None:
        self._voices = voices
        self._turns = turns
        self.metrics = metrics

    async def speak(
        self, clause: Clause, request: SpeechRequest, watch: Stopwatch
    ) -> AsyncGenerator[Piece, None]:
        """The clause's sound piece by piece, at the voice's rate; nothing if it has no words.

        The sound begins and ends at zero, so clauses can be put after one another without a click.

        Raises:
            OverloadedError: if too many wait and nothing of the call has been spoken yet.
            VoiceUnusableError: if the voice cannot be loaded.
            EngineStalledError: if the engine does not answer.
        """
        text = speakable(clause.text)
        if not text:
            return
        watch.begin()
        engine = self._voices.engine_of(request.voice)
        utterance = Utterance(text, request.voice.id, request.speaking_rate)
        rate = request.voice.sample_rate_hertz
        pieces = faded(engine.speak(utterance), rate)
        while (piece := await self._next(pieces, request, watch)) is not None:
            self.metrics.audio_seconds.labels(engine.name).inc(len(piece.samples) / rate)
            yield piece
            if piece.last:
                break
        self.metrics.clauses.inc()

    async def _next(
        self, pieces: Iterator[Piece], request: SpeechRequest, watch: Stopwatch
    ) -> Piece | None:
        opening = watch.queue_s is None
        try:
            turn = await self._turns.take(lambda: next(pieces, None), opening=opening)
        except StartupError as error:
            # Its text names files of this machine, which are not the caller's business.
            _logger.error("a voice cannot be loaded", voice=request.voice.id, cause=str(error))
            msg = f"voice {request.voice.id!r} cannot be loaded on this server"
            raise VoiceUnusableError(msg) from error
        if opening:
            watch.queue_s = turn.waited_s
        watch.synthesis_s += turn.worked_s
        self.metrics.synthesis_seconds.labels(request.voice.engine).inc(turn.worked_s)
        return turn.result
