"""What the service counts, as a scrape shows it."""

from __future__ import annotations

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from voicemesh_tts.clause_cache import ClauseCache
from voicemesh_tts.metrics import TtsMetrics

pytestmark = pytest.mark.unit


def test_every_figure_of_the_service_is_scraped(
    registry: CollectorRegistry, metrics: TtsMetrics
) -> None:
    cache = ClauseCache(1_000)
    metrics.watch_cache(cache)
    metrics.watch_turns(lambda: 3, lambda: 1)
    metrics.watch_voices(lambda: {"piper": [70, 30], "kokoro": [100]})
    metrics.first_audio_seconds.labels("Synthesize").observe(0.1)
    metrics.real_time_factor.labels("piper").observe(0.05)
    metrics.queue_wait_seconds.labels("live").observe(0.01)
    metrics.cache_lookups.labels("hit").inc()
    metrics.load_seconds.labels("piper").observe(1)

    page = generate_latest(registry).decode()

    for line in (
        'voicemesh_tts_first_audio_seconds_count{call="Synthesize"} 1.0',
        'voicemesh_tts_real_time_factor_count{engine="piper"} 1.0',
        'voicemesh_tts_queue_wait_seconds_count{lane="live"} 1.0',
        'voicemesh_tts_cache_lookups_total{result="hit"} 1.0',
        "voicemesh_tts_cache_bytes 0.0",
        "voicemesh_tts_cache_entries 0.0",
        "voicemesh_tts_clauses_cut_total 0.0",
        "voicemesh_tts_waiting_turns 3.0",
        "voicemesh_tts_stalled_threads 1.0",
        'voicemesh_tts_loaded_voices{engine="piper"} 2.0',
        'voicemesh_tts_voice_memory_bytes{engine="piper"} 100.0',
        'voicemesh_tts_voice_memory_bytes{engine="kokoro"} 100.0',
    ):
        assert line in page


def test_voices_that_are_unloaded_are_no_longer_shown(
    registry: CollectorRegistry, metrics: TtsMetrics
) -> None:
    loaded = {"piper": [70]}
    metrics.watch_voices(lambda: loaded)
    assert registry.get_sample_value("voicemesh_tts_loaded_voices", {"engine": "piper"}) == 1

    loaded.clear()

    assert registry.get_sample_value("voicemesh_tts_loaded_voices", {"engine": "piper"}) is None
