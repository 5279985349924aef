"""One call while it is served: what is wanted, by whom, and where its time goes."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from voicemesh_tts.domain import SpeechRequest, Timings
from voicemesh_tts.schedule import Lane

if TYPE_CHECKING:
    from collections.abc import Hashable

    from voicemesh_tts.metrics import TtsMetrics
    from voicemesh_tts.text.pronunciations import Pronunciations

__all__ = ("Call", "Stopwatch")


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
    """How long the first turn waited, in seconds; None until it has begun."""

    first_audio_s: float | None = None
    """From the first clause to the first encoded audio, in seconds."""

    synthesis_s: float = 0.0
    """The engine's work, in seconds."""

    heard_until: float = 0.0
    """When all sound that was made so far has been heard, if it is played as it comes; on the
    monotonic clock."""

    def begin(self) -> None:
        """The first clause is there."""
        if self.begun is None:
            self.begun = time.monotonic()

    def heard(self) -> None:
        """There is encoded audio."""
        if self.first_audio_s is None and self.begun is not None:
            self.first_audio_s = time.monotonic() - self.begun
            self.metrics.first_audio_seconds.labels(self.call).observe(self.first_audio_s)

    def made(self, sound_s: float) -> None:
        """There are so many more seconds of sound."""
        self.heard_until = max(self.heard_until, time.monotonic()) + sound_s

    def silenced(self) -> None:
        """What was made and not heard will not be heard."""
        self.heard_until = 0.0

    @property
    def unheard_s(self) -> float:
        """How much there still is to listen to, in seconds."""
        return max(0.0, self.heard_until - time.monotonic())

    @property
    def timings(self) -> Timings:
        """What has been measured."""
        return Timings(self.queue_s or 0.0, self.first_audio_s or 0.0, self.synthesis_s)


@dataclass(frozen=True)
class Call:
    """What everyone who works for a call needs to know of it."""

    request: SpeechRequest
    """How to speak."""

    watch: Stopwatch
    """Where its time goes."""

    lane: Lane = Lane.LIVE
    """How urgent it is."""

    caller: Hashable = None
    """Whose share of the engines' time it counts to."""

    pronunciations: Pronunciations | None = None
    """How words of the request or the tenant are said; None if there are none."""

    source: str | None = field(default=None, repr=False)
    """The whole text, if it is known from the start and spans count in it."""

    @property
    def language(self) -> str:
        """BCP-47 code of the language that the text is read in; empty if it is not known."""
        codes = self.request.voice.language_codes
        return self.request.language_code or (codes[0] if codes else "")
