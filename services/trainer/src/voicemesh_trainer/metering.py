"""Counts what a model does, around any model."""

from __future__ import annotations

import asyncio
import time
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from voicemesh_chassis.errors import ServiceError
from voicemesh_trainer.domain import Ended, Piece

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from voicemesh_trainer.domain import Conversation, ModelEvent, ModelInfo
    from voicemesh_trainer.ports import LanguageModel

__all__ = ("MeteredModel", "ModelMetrics")

_LABELS = ("backend", "model")
_FIRST_TOKEN_S = (0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_TOKENS_PER_SECOND = (1.0, 5.0, 10.0, 20.0, 40.0, 60.0, 80.0, 120.0, 200.0, 400.0)


class ModelMetrics:
    """The metrics of all models of a server."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def counter(name: str, about: str, *labels: str) -> Counter:
            full = f"voicemesh_trainer_{name}"
            return Counter(full, about, (*_LABELS, *labels), registry=registry)

        self.input_tokens = counter("input_tokens_total", "Tokens that models have read.")
        self.cached_input_tokens = counter(
            "cached_input_tokens_total", "Of the tokens read, those whose work was already done."
        )
        self.output_tokens = counter("output_tokens_total", "Tokens that models have written.")
        self.answers = counter(
            "answers_total", "Answers ended, by why: a finish reason or `cancelled`.", "reason"
        )
        self.refused = counter("refused_total", "Answers refused or broken off.", "reason")
        self.active = Gauge(
            "voicemesh_trainer_active_generations",
            "Answers being written or waiting for a slot.",
            _LABELS,
            registry=registry,
        )
        self.first_token = Histogram(
            "voicemesh_trainer_first_token_seconds",
            "From the request to the first token of an answer, in seconds.",
            _LABELS,
            buckets=_FIRST_TOKEN_S,
            registry=registry,
        )
        self.speed = Histogram(
            "voicemesh_trainer_output_tokens_per_second",
            "Tokens a second after the first, by answer.",
            _LABELS,
            buckets=_TOKENS_PER_SECOND,
            registry=registry,
        )


@dataclass
class _Reading:
    began_s: float
    first_s: float | None = None
    reason: str = "cancelled"


class MeteredModel:
    """A `LanguageModel` that counts and times the one it wraps."""

    def __init__(self, model: LanguageModel, metrics: ModelMetrics) -> None:
        self._model = model
        self._metrics = metrics
        self._labels = (model.info.backend, model.info.name)

    @property
    def info(self) -> ModelInfo:
        """The wrapped model's."""
        return self._model.info

    async def open(self) -> None:
        """Opens the wrapped model."""
        await self._model.open()

    async def aclose(self) -> None:
        """Closes the wrapped model."""
        await self._model.aclose()

    async def reply(self, conversation: Conversation) -> AsyncGenerator[ModelEvent, None]:
        """The wrapped model's reply, counted."""
        metrics, labels = self._metrics, self._labels
        reading = _Reading(time.monotonic())
        metrics.active.labels(*labels).inc()
        try:
            async with aclosing(self._model.reply(conversation)) as events:
                async for event in events:
                    self._read(event, reading)
                    yield event
        except (GeneratorExit, asyncio.CancelledError):
            raise
        except BaseException as error:
            reading.reason = "failed"
            reason = error.reason if isinstance(error, ServiceError) else "INTERNAL"
            metrics.refused.labels(*labels, reason).inc()
            raise
        finally:
            metrics.active.labels(*labels).dec()
            if reading.reason != "failed":
                metrics.answers.labels(*labels, reading.reason).inc()

    def _read(self, event: ModelEvent, reading: _Reading) -> None:
        metrics, labels, now = self._metrics, self._labels, time.monotonic()
        if isinstance(event, Piece) and reading.first_s is None:
            reading.first_s = now
            metrics.first_token.labels(*labels).observe(now - reading.began_s)
        elif isinstance(event, Ended):
            usage = event.usage
            reading.reason = event.reason.value
            metrics.input_tokens.labels(*labels).inc(usage.input_tokens)
            metrics.cached_input_tokens.labels(*labels).inc(usage.cached_input_tokens)
            metrics.output_tokens.labels(*labels).inc(usage.output_tokens)
            if reading.first_s is not None and now > reading.first_s and usage.output_tokens > 1:
                speed = (usage.output_tokens - 1) / (now - reading.first_s)
                metrics.speed.labels(*labels).observe(speed)
