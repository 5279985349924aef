"""Counts what is asked of the database and how it fares."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from voicemesh_chassis.database.errors import DatabaseUnavailableError, StorageFullError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ("DatabaseMeters",)

_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class DatabaseMeters:
    """The metrics of one database.

    Attributes:
        up: whether it answered when it was last asked.
    """

    def __init__(self, service: str, registry: CollectorRegistry | None = None) -> None:
        """Takes whose database it is, and where its metrics are shown; None shows them nowhere."""
        prefix = f"voicemesh_{service}_database"
        registry = registry or CollectorRegistry()
        self._calls = Counter(
            f"{prefix}_transactions_total",
            "Transactions ended, whether or not they changed anything.",
            ("kind",),
            registry=registry,
        )
        self._failures = Counter(
            f"{prefix}_failures_total",
            "Transactions that the database failed.",
            ("kind", "reason"),
            registry=registry,
        )
        self._seconds = Histogram(
            f"{prefix}_transaction_seconds",
            "From the wish for a transaction to its end, in seconds.",
            ("kind",),
            buckets=_SECONDS,
            registry=registry,
        )
        self.up = Gauge(
            f"{prefix}_up",
            "Whether the database answered when it was last asked.",
            registry=registry,
        )

    @contextmanager
    def measure(self, kind: str) -> Iterator[None]:
        """Measures a transaction while it is held; `kind` is "reading" or "writing"."""
        began_s = time.monotonic()
        try:
            yield
        except (DatabaseUnavailableError, StorageFullError) as error:
            self._failures.labels(kind, error.reason).inc()
            raise
        finally:
            self._calls.labels(kind).inc()
            self._seconds.labels(kind).observe(time.monotonic() - began_s)
