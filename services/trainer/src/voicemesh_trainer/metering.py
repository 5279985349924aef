"""Counts answers and what they cost, whichever model writes them."""

from __future__ import annotations

import asyncio
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from voicemesh_chassis.errors import ServiceError
from voicemesh_trainer.domain import Ended, Piece, TokenUsage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from voicemesh_trainer.domain import FinishReason, ModelEvent, ModelInfo

__all__ = ("ModelMetrics",)

_LABELS = ("backend", "model")
_FIRST_TOKEN_S = (0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_TOKENS_PER_SECOND = (1.0, 5.0, 10.0, 20.0, 40.0, 60.0, 80.0, 120.0, 200.0, 400.0)


class ModelMetrics:
    """The metrics of all models of a server; an `AnswerMeters`."""

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
            "answers_total",
            "Answers ended, by why: a finish reason, or `cancelled` by the caller.",
            "reason",
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

    @contextmanager
    def measure(self, info: ModelInfo) -> Iterator[_Meter]:
        """See `AnswerMeters.measure`."""
        labels = (info.backend, info.name)
        meter = _Meter(self, labels)
        self.active.labels(*labels).inc()
        try:
            yield meter
        except (GeneratorExit, asyncio.CancelledError):
            self.answers.labels(*labels, "cancelled").inc()
            raise
        except BaseException as error:
            reason = error.reason if isinstance(error, ServiceError) else "INTERNAL"
            self.refused.labels(*labels, reason).inc()
            raise
        finally:
            self.active.labels(*labels).dec()
            meter.count_tokens()


class _Meter:
    """An `AnswerMeter`."""

    def __init__(self, metrics: ModelMetrics, labels: tuple[str, str]) -> None:
        self._metrics = metrics
        self._labels = labels
        self._began_s = time.monotonic()
        self._first_s: float | None = None
        self._last_s = self._began_s
        self._pieces = 0
        self._usage: TokenUsage | None = None

    def read(self, event: ModelEvent) -> None:
        """See `AnswerMeter.read`."""
        self._last_s = time.monotonic()
        if isinstance(event, Ended):
            self._usage = event.usage
        elif isinstance(event, Piece):
            self._pieces += 1
            if self._first_s is None:
                self._first_s = self._last_s
                wait_s = self._first_s - self._began_s
                self._metrics.first_token.labels(*self._labels).observe(wait_s)

    def finish(self, reason: FinishReason) -> None:
        """See `AnswerMeter.finish`."""
        self._metrics.answers.labels(*self._labels, reason.value).inc()

    def count_tokens(self) -> None:
        """Counts what the model says, or else what was seen of it: it was stopped before."""
        metrics, labels = self._metrics, self._labels
        usage = self._usage or TokenUsage(output_tokens=self._pieces)
        metrics.input_tokens.labels(*labels).inc(usage.input_tokens)
        metrics.cached_input_tokens.labels(*labels).inc(usage.cached_input_tokens)
        metrics.output_tokens.labels(*labels).inc(usage.output_tokens)
        if self._first_s is None or self._last_s <= self._first_s or usage.output_tokens < 2:
            return
        speed = (usage.output_tokens - 1) / (self._last_s - self._first_s)
        metrics.speed.labels(*labels).observe(speed)
