"""What the bot counts, under the prefix `voicemesh_bot_`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from voicemesh_bot.conversation.commands import ShowNotice, ShowReplyEnd, ShowTiming
from voicemesh_bot.domain import Backend
from voicemesh_bot.record.metrics import TurnMetrics

if TYPE_CHECKING:
    from voicemesh_bot.conversation.commands import FrontCommand
    from voicemesh_bot.conversation.timeline import Timing
    from voicemesh_bot.ports import Audience

__all__ = ("BotMetrics", "MeteredAudience")

# Voice to voice is felt in steps of a tenth of a second; beyond 5 s nobody waits.
_SECONDS = (0.025, 0.05, 0.1, 0.2, 0.3, 0.4, 0.6, 0.8, 1.0, 1.5, 2.5, 5.0, 10.0)


class BotMetrics:
    """The metrics of one bot process.

    Attributes:
        turns: answers by `front` and `outcome`.
        stages: seconds of each `stage` of an answer; `total` is voice to voice.
        sessions: open sessions by `front`.
        problems: failures that people were told of, by `backend`.
        turn_records: all that is measured of each turn.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self.turns = Counter(
            "voicemesh_bot_turns_total",
            "Answers, by front and how they ended.",
            ("front", "outcome"),
            registry=registry,
        )
        self.stages = Histogram(
            "voicemesh_bot_stage_seconds",
            "Time of each stage from the end of speech to the first sound played.",
            ("stage",),
            buckets=_SECONDS,
            registry=registry,
        )
        self.sessions = Gauge(
            "voicemesh_bot_sessions", "Open sessions.", ("front",), registry=registry
        )
        self.problems = Counter(
            "voicemesh_bot_problems_total",
            "Failures of backends that people were told of.",
            ("backend",),
            registry=registry,
        )
        self.turn_records = TurnMetrics(registry)


class MeteredAudience:
    """An `Audience` that counts what passes to another."""

    def __init__(self, audience: Audience, metrics: BotMetrics, *, front: str) -> None:
        self._audience = audience
        self._metrics = metrics
        self._front = front
        self._timing: Timing | None = None

    async def deliver(self, command: FrontCommand) -> None:
        """Counts and passes on."""
        if isinstance(command, ShowTiming):
            self._timing = command.timing
        elif isinstance(command, ShowReplyEnd):
            self._metrics.turns.labels(front=self._front, outcome=command.outcome).inc()
            stages = {} if self._timing is None else self._timing.stages_s()
            for stage, seconds in stages.items():
                self._metrics.stages.labels(stage=stage).observe(seconds)
            self._timing = None
            if command.sentence:
                self._metrics.problems.labels(backend=Backend.TRAINER).inc()
        elif isinstance(command, ShowNotice) and not command.good:
            self._metrics.problems.labels(backend=command.backend).inc()
        await self._audience.deliver(command)
