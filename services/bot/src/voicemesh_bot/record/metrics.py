"""Records of turns for Prometheus, under the prefix `voicemesh_bot_turn_`.

No metric names a person, a guild or a word. p50 and p95 of a stage come from its histogram.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Histogram

if TYPE_CHECKING:
    from voicemesh_bot.record.turns import TurnRecord

__all__ = ("TurnMetrics",)

_STAGES = (
    "speech",
    "soft_stop",
    "stt_queue",
    "stt",
    "transcript_ready",
    "gate",
    "llm_ttft",
    "first_clause",
    "tts_ttfb",
    "tts_leading_silence",
    "first_frame_sent",
    "interrupted_at",
)
_SECONDS = (
    0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7,
    0.8, 0.9, 1.0, 1.25, 1.5, 2.0, 3.0, 5.0, 10.0, 20.0, 30.0,
)  # fmt: skip
"""Fine where voice to voice is to be: a median of 0.6 s, and 0.9 s for 95 of 100."""


class TurnMetrics:
    """Counts turns of all sessions of a process."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Takes where the metrics are shown."""
        self._ended = Counter(
            "voicemesh_bot_turn_ended_total",
            "Turns, by why they were meant for the bot and how the answer ended.",
            ("addressed", "outcome"),
            registry=registry,
        )
        self._stages = Histogram(
            "voicemesh_bot_turn_seconds",
            "Stages of a turn; first_frame_sent is voice to voice. See voicemesh_bot/record/turns.",
            ("stage",),
            buckets=_SECONDS,
            registry=registry,
        )
        self._speculations = Counter(
            "voicemesh_bot_turn_speculations_total",
            "Answers begun before the turn was over, by whether they were used.",
            ("result",),
            registry=registry,
        )
        self._revisions = Histogram(
            "voicemesh_bot_turn_revisions",
            "Soft finals of a turn.",
            buckets=(0, 1, 2, 3, 4, 6, 8, 12),
            registry=registry,
        )
        self._talking = Histogram(
            "voicemesh_bot_turn_talking",
            "People who were speaking when a turn ended.",
            buckets=(1, 2, 3, 5, 10, 25),
            registry=registry,
        )
        self._smart_turn = Histogram(
            "voicemesh_bot_turn_smart_turn_probability",
            "How likely a turn was over by its sound, at its last soft final.",
            buckets=(0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 1.0),
            registry=registry,
        )
        self._heard = Counter(
            "voicemesh_bot_turn_heard_characters_total",
            "Characters of answers that were heard, or read.",
            registry=registry,
        )

    def count(self, record: TurnRecord) -> None:
        """Counts a turn."""
        self._ended.labels(record.addressed_reason or "none", record.outcome or "none").inc()
        for stage in _STAGES:
            if (milliseconds := getattr(record, f"{stage}_ms")) is not None:
                self._stages.labels(stage).observe(milliseconds / 1e3)
        if record.speculation == "used":
            self._speculations.labels("used").inc()
        self._speculations.labels("wasted").inc(record.speculations_wasted)
        if record.turn_id:
            self._revisions.observe(record.revisions)
            self._talking.observe(record.n_talking)
        if record.smart_turn_p is not None:
            self._smart_turn.observe(record.smart_turn_p)
        self._heard.inc(record.heard_chars)
