"""What became of the packets of all rooms, as Prometheus asks for it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector

from voicemesh_bot.voice.receive.packets import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator

    from voicemesh_bot.voice.receive.counters import ReceiveCounters

__all__ = ("PacketCounts",)


class PacketCounts(Collector):
    """Sums the counters of rooms, open and closed ones. Whose packets they are is not exported."""

    def __init__(self) -> None:
        self._closed: Counter[Outcome] = Counter()
        self._open: list[ReceiveCounters] = []

    def add(self, counters: ReceiveCounters) -> None:
        """Takes in a room."""
        self._open.append(counters)

    def remove(self, counters: ReceiveCounters) -> None:
        """Closes a room; what it counted stays counted."""
        self._open.remove(counters)
        self._closed.update(counters.totals)

    def collect(self) -> Iterator[CounterMetricFamily]:
        """Called by prometheus_client."""
        totals = Counter(self._closed)
        for counters in tuple(self._open):
            totals.update(counters.totals)
        family = CounterMetricFamily(
            "voicemesh_bot_voice_packets_total",
            "Packets received from voice channels, by what became of them.",
            labels=("outcome",),
        )
        for outcome in Outcome:
            family.add_metric((outcome.value,), totals[outcome])
        yield family
