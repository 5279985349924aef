"""Counts answers and what they cost, whichever model writes them."""

from __future__ import annotations

import asyncio
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from voicemesh_chassis.errors import ServiceError
from voicemesh_trainer.domain.conversations import Accepted, Ended, Piece, TokenUsage
from voicemesh_trainer.domain.providers import CircuitState

if TYPE_CHECKING:
    from collections.abc import Iterator

    from voicemesh_trainer.domain.conversations import FinishReason, ModelEvent, ModelInfo

__all__ = ("EvaluationMetrics", "ModelMetrics", "ProviderMetrics", "ShelfMetrics")

_LABELS = ("backend", "model")
_TUNED = "tuned"
"""Stands for every model that a tenant trained: their names would be labels without end."""
_LOAD_S = (0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0)
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
        labels = _labels(info)
        meter = _Meter(self, labels)
        self.active.labels(*labels).inc()
        try:
            yield meter
        except (GeneratorExit, asyncio.CancelledError):
            self.answers.labels(*meter.labels, "cancelled").inc()
            raise
        except BaseException as error:
            reason = error.reason if isinstance(error, ServiceError) else "INTERNAL"
            self.refused.labels(*meter.labels, reason).inc()
            raise
        finally:
            self.active.labels(*labels).dec()
            meter.count_tokens()


class _Meter:
    """An `AnswerMeter`."""

    def __init__(self, metrics: ModelMetrics, labels: tuple[str, str]) -> None:
        self._metrics = metrics
        self.labels = labels
        self._began_s = time.monotonic()
        self._first_s: float | None = None
        self._last_s = self._began_s
        self._pieces = 0
        self._usage: TokenUsage | None = None

    def read(self, event: ModelEvent) -> None:
        """See `AnswerMeter.read`."""
        self._last_s = time.monotonic()
        if isinstance(event, Accepted) and event.answering is not None:
            self.labels = _labels(event.answering)
        elif isinstance(event, Ended):
            self._usage = event.usage
        elif isinstance(event, Piece):
            self._pieces += 1
            if self._first_s is None:
                self._first_s = self._last_s
                wait_s = self._first_s - self._began_s
                self._metrics.first_token.labels(*self.labels).observe(wait_s)

    def finish(self, reason: FinishReason) -> None:
        """See `AnswerMeter.finish`."""
        self._metrics.answers.labels(*self.labels, reason.value).inc()

    def count_tokens(self) -> None:
        """Counts what the model says, or else what was seen of it: it was stopped before."""
        metrics, labels = self._metrics, self.labels
        usage = self._usage or TokenUsage(output_tokens=self._pieces)
        metrics.input_tokens.labels(*labels).inc(usage.input_tokens)
        metrics.cached_input_tokens.labels(*labels).inc(usage.cached_input_tokens)
        metrics.output_tokens.labels(*labels).inc(usage.output_tokens)
        if self._first_s is None or self._last_s <= self._first_s or usage.output_tokens < 2:
            return
        speed = (usage.output_tokens - 1) / (self._last_s - self._first_s)
        metrics.speed.labels(*labels).observe(speed)


def _labels(info: ModelInfo) -> tuple[str, str]:
    return info.backend, _TUNED if info.tuned else info.name


class ProviderMetrics:
    """The metrics of a provider; a `ProviderMeter`."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.state = Gauge(
            "voicemesh_trainer_provider_circuit",
            "1 for what the circuit of the model provider does with calls now.",
            ("state",),
            registry=registry,
        )
        self.fallbacks = Counter(
            "voicemesh_trainer_fallbacks_total",
            "Answers that the local model gave in place of the provider's, by why.",
            ("reason",),
            registry=registry,
        )

    def circuit(self, state: CircuitState) -> None:
        """See `ProviderMeter.circuit`."""
        for each in CircuitState:
            self.state.labels(each.value).set(each is state)

    def fell_back(self, reason: str) -> None:
        """See `ProviderMeter.fell_back`."""
        self.fallbacks.labels(reason).inc()


class ShelfMetrics:
    """The metrics of tenants' models in memory; a `ModelShelfMeter`."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.loaded = Gauge(
            "voicemesh_trainer_adapters_loaded",
            "Adapters of tenants in memory.",
            registry=registry,
        )
        self.load_time = Histogram(
            "voicemesh_trainer_adapter_load_seconds",
            "Time to bring an adapter into memory and to warm it, in seconds.",
            buckets=_LOAD_S,
            registry=registry,
        )
        self.failures = Counter(
            "voicemesh_trainer_adapter_load_failures_total",
            "Adapters that could not be loaded.",
            registry=registry,
        )

    def model_loaded(self, seconds: float) -> None:
        """See `ModelShelfMeter.model_loaded`."""
        self.loaded.inc()
        self.load_time.observe(seconds)

    def model_unloaded(self) -> None:
        """See `ModelShelfMeter.model_unloaded`."""
        self.loaded.dec()

    def load_failed(self) -> None:
        """See `ModelShelfMeter.load_failed`."""
        self.failures.inc()


class EvaluationMetrics:
    """The metrics of tests; an `EvaluationMeter`."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.runs = Counter(
            "voicemesh_trainer_evaluations_total",
            "Evaluations ended: `finished`, `cancelled` by the caller or `failed`.",
            ("outcome",),
            registry=registry,
        )

    def evaluated(self, outcome: str) -> None:
        """See `EvaluationMeter.evaluated`."""
        self.runs.labels(outcome).inc()
