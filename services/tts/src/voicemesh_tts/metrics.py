"""What the service counts, under `voicemesh_tts_`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import GaugeMetricFamily

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from voicemesh_tts.clause_cache import ClauseCache

__all__ = ("TtsMetrics",)

_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
_FACTORS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1.0, 1.5, 2.5, 5.0)


class TtsMetrics:
    """The metrics of one tts service.

    Attributes:
        first_audio_seconds: from a text's first clause to its first encoded audio, by `call`.
        queue_wait_seconds: how long turns waited for the engine, by `lane`.
        real_time_factor: time the engine worked for a clause over the clause's length, by `engine`.
        synthesis_seconds: time the engine has worked, by `engine`.
        audio_seconds: sound the engine has made, by `engine`.
        load_seconds: how long voices took to load, by `engine`.
        active_streams: texts being spoken while they are written.
        clauses: clauses spoken.
        clauses_dropped: clauses that a cancel, or the caller's leaving, kept from being spoken.
        clauses_cut: clauses broken off in the middle.
        cache_lookups: clauses looked for among those spoken before, by `result` (hit, miss).
        stalls: turns that the engine did not end in time.
        refused: texts refused because too many were waiting.
        cloned: voices made of recordings, by `result` (made, refused, failed).
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry
        self._make_histograms(registry)
        self._make_engine_counters(registry)
        self._make_clause_counters(registry)
        self.active_streams = Gauge(
            "voicemesh_tts_active_streams",
            "Number of texts being spoken while they are written.",
            registry=registry,
        )
        self.refused = Counter(
            "voicemesh_tts_refused",
            "Number of texts refused because too many were waiting.",
            registry=registry,
        )
        self.cloned = Counter(
            "voicemesh_tts_cloned_voices",
            "Number of voices made of recordings.",
            ("result",),
            registry=registry,
        )

    def _make_histograms(self, registry: CollectorRegistry) -> None:
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
            ("lane",),
            buckets=_SECONDS,
            registry=registry,
        )
        self.real_time_factor = Histogram(
            "voicemesh_tts_real_time_factor",
            "Time that the speech engine worked for a clause, over the clause's length.",
            ("engine",),
            buckets=_FACTORS,
            registry=registry,
        )
        self.load_seconds = Histogram(
            "voicemesh_tts_voice_load_seconds",
            "Time that loading a voice took.",
            ("engine",),
            buckets=_SECONDS,
            registry=registry,
        )

    def _make_engine_counters(self, registry: CollectorRegistry) -> None:
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
        self.stalls = Counter(
            "voicemesh_tts_engine_stalls",
            "Number of turns that the speech engine did not end in time.",
            registry=registry,
        )

    def _make_clause_counters(self, registry: CollectorRegistry) -> None:
        self.clauses = Counter(
            "voicemesh_tts_clauses", "Number of clauses spoken.", registry=registry
        )
        self.clauses_dropped = Counter(
            "voicemesh_tts_clauses_dropped",
            "Number of clauses that were no longer wanted before they were spoken.",
            registry=registry,
        )
        self.clauses_cut = Counter(
            "voicemesh_tts_clauses_cut",
            "Number of clauses that were broken off in the middle.",
            registry=registry,
        )
        self.cache_lookups = Counter(
            "voicemesh_tts_cache_lookups",
            "Number of clauses looked for among those spoken before.",
            ("result",),
            registry=registry,
        )

    def watch_turns(self, waiting: Callable[[], int], stalled: Callable[[], int]) -> None:
        """Shows how many turns wait and how many engine threads hang, asked at each scrape."""
        Gauge(
            "voicemesh_tts_waiting_turns",
            "Number of turns that wait for the speech engine.",
            registry=self._registry,
        ).set_function(waiting)
        Gauge(
            "voicemesh_tts_stalled_threads",
            "Number of engine threads that hang.",
            registry=self._registry,
        ).set_function(stalled)

    def watch_cache(self, cache: ClauseCache) -> None:
        """Shows how full the cache is, asked at each scrape."""
        Gauge(
            "voicemesh_tts_cache_bytes",
            "Memory that cached clauses take up.",
            registry=self._registry,
        ).set_function(lambda: cache.size_bytes)
        Gauge(
            "voicemesh_tts_cache_entries", "Number of cached clauses.", registry=self._registry
        ).set_function(lambda: len(cache))

    def watch_voices(self, memory: Callable[[], Mapping[str, Sequence[int]]]) -> None:
        """Shows the voices in memory and what they take up, by engine, asked at each scrape."""
        self._registry.register(_LoadedVoices(memory))


class _LoadedVoices:
    """A collector: engines come and go, which gauges that are set would not show."""

    def __init__(self, memory: Callable[[], Mapping[str, Sequence[int]]]) -> None:
        self._memory = memory

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """What is in memory now."""
        count = GaugeMetricFamily(
            "voicemesh_tts_loaded_voices", "Number of voices in memory.", labels=("engine",)
        )
        size = GaugeMetricFamily(
            "voicemesh_tts_voice_memory_bytes",
            "Memory that loaded voices take up, about.",
            labels=("engine",),
        )
        for engine, sizes in sorted(self._memory().items()):
            count.add_metric((engine,), len(sizes))
            size.add_metric((engine,), sum(sizes))
        return [count, size]
