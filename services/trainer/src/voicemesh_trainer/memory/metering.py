"""Counts what memory does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

if TYPE_CHECKING:
    from collections.abc import Callable

    from voicemesh_trainer.domain.lessons import Recalled

__all__ = ("MemoryMetrics",)

_RECALL_S = (0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1.0)


class MemoryMetrics:
    """The metrics of memory; a `RecallMeter`."""

    def __init__(self, registry: CollectorRegistry, indexes: Callable[[], int]) -> None:
        """Registers the metrics; `indexes` tells how many indexes are held."""
        self.recalls = Counter(
            "voicemesh_trainer_recalls_total",
            "Questions that memory was asked, by what it had: `answer`, `examples` or `nothing`; "
            "`missed` if it could not be asked in time.",
            ("found",),
            registry=registry,
        )
        self.seconds = Histogram(
            "voicemesh_trainer_recall_seconds",
            "Time that memory took to look up a question, in seconds.",
            buckets=_RECALL_S,
            registry=registry,
        )
        self.used = Counter(
            "voicemesh_trainer_recalled_examples_total",
            "Things people taught that answers have used.",
            registry=registry,
        )
        held = Gauge(
            "voicemesh_trainer_memory_indexes", "Indexes held in memory.", registry=registry
        )
        held.set_function(indexes)
        for found in ("answer", "examples", "nothing", "missed"):
            self.recalls.labels(found)

    def recalled(self, recalled: Recalled, seconds: float) -> None:
        """See `RecallMeter.recalled`."""
        found = "answer" if recalled.answer else "examples" if recalled.used else "nothing"
        self.recalls.labels(found).inc()
        self.used.inc(len(recalled.used))
        self.seconds.observe(seconds)

    def missed(self) -> None:
        """See `RecallMeter.missed`."""
        self.recalls.labels("missed").inc()
