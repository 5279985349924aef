"""What the service counts, under `voicemesh_tts_`."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

__all__ = ("TtsMetrics",)

_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)


class TtsMetrics:
    """The metrics of one tts service.

    The real-time factor is the rate of `synthesis_seconds` over the rate of `audio_seconds`.

    Attributes:
        first_audio_seconds: from a text's first clause to its first encoded audio, by `call`.
        queue_wait_seconds: how long turns waited for the engine.
        synthesis_seconds: time the engine has worked, by `engine`.
        audio_seconds: sound the engine has made, by `engine`.
        active_streams: texts being spoken while they are written.
        waiting: turns waiting for the engine.
        clauses: clauses spoken.
        clauses_dropped: clauses that a cancel kept from being spoken.
        refused: texts refused because too many were waiting.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self.first_audio_seconds = Histogram(
            "voicemesh_tts_first_audio_seconds",
            "Time from a text's first clause to its first encoded audio.",
            ("call",),
            buckets=_SECONDS,
            registry=registry,
        )
        self.queue_wait_seconds = Histogram(
            "voicemesh_tts_queue_wait_seconds",
            "Time that turns waited for the speech engine.",
            buckets=_SECONDS,
            registry=registry,
        )
        self.synthesis_seconds = Counter(
            "voicemesh_tts_synthesis_seconds",
            "Time that the speech engine has worked.",
            ("engine",),
            registry=registry,
        )
        self.audio_seconds = Counter(
            "voicemesh_tts_audio_seconds",
            "Length of the sound that the speech engine has made.",
            ("engine",),
            registry=registry,
        )
        self.active_streams = Gauge(
            "voicemesh_tts_active_streams",
            "Number of texts being spoken while they are written.",
            registry=registry,
        )
        self.waiting = Gauge(
            "voicemesh_tts_waiting_turns",
            "Number of turns that wait for the speech engine.",
            registry=registry,
        )
        self.clauses = Counter(
            "voicemesh_tts_clauses", "Number of clauses spoken.", registry=registry
        )
        self.clauses_dropped = Counter(
            "voicemesh_tts_clauses_dropped",
            "Number of clauses that a cancel kept from being spoken.",
            registry=registry,
        )
        self.refused = Counter(
            "voicemesh_tts_refused",
            "Number of texts refused because too many were waiting.",
            registry=registry,
        )
