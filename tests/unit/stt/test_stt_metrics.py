"""What is counted of jobs, batches, streams and models."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest
from prometheus_client import CollectorRegistry

from voicemesh_stt.domain import Language, RecognitionOptions
from voicemesh_stt.errors import JobExpiredError, QueueFullError
from voicemesh_stt.metrics import MeteredAdmission, MeteredTranscriber, SttMetrics
from voicemesh_stt.ports import Again, Job, Lane, Prepared, Recognition, Worked

pytestmark = pytest.mark.unit

FOUND = Recognition((), Language("en", 1.0), queue_s=0.2, inference_s=0.4)


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def metrics(registry: CollectorRegistry) -> SttMetrics:
    return SttMetrics(registry)


def value(registry: CollectorRegistry, name: str, **labels: str) -> float:
    found = registry.get_sample_value(f"voicemesh_stt_{name}", labels)
    assert found is not None, name
    return found


def job(lane: Lane = Lane.LIVE) -> Job:
    return Job(np.zeros(32_000, dtype=np.float32), RecognitionOptions(), lane, 1.0)


def prepared(frames: int) -> Prepared:
    return Prepared(job(), np.zeros((80, frames), dtype=np.float32), 200, 0, "key")


def test_a_batch_is_counted_with_its_size_contexts_times_and_redos(
    registry: CollectorRegistry, metrics: SttMetrics
) -> None:
    batch = [prepared(1250), prepared(1250)]
    worked = Worked([FOUND, Again(prepared(3000), FOUND)], encoder_s=0.1, decoder_s=0.3)

    metrics.engine.batch_done("tiny", batch, worked, 0.4)

    assert value(registry, "batch_size_sum", model="tiny") == 2
    assert value(registry, "context_seconds_bucket", model="tiny", le="10.0") == 0
    assert value(registry, "context_seconds_bucket", model="tiny", le="12.5") == 2
    assert value(registry, "encoder_seconds_sum", model="tiny") == 0.1
    assert value(registry, "decoder_seconds_sum", model="tiny") == 0.3
    assert value(registry, "real_time_factor_sum", model="tiny") == pytest.approx(0.1)
    assert value(registry, "redone_jobs_total", model="tiny") == 1


def test_a_model_is_counted_while_it_is_loaded(
    registry: CollectorRegistry, metrics: SttMetrics
) -> None:
    metrics.engine.model_loaded("tiny", 75_000_000)
    assert value(registry, "model_memory_bytes", model="tiny") == 75_000_000
    assert value(registry, "redone_jobs_total", model="tiny") == 0

    metrics.engine.model_unloaded("tiny")
    assert registry.get_sample_value("voicemesh_stt_model_memory_bytes", {"model": "tiny"}) is None


async def test_jobs_are_counted_by_what_became_of_them(
    registry: CollectorRegistry, metrics: SttMetrics
) -> None:
    class Told:
        def __init__(self) -> None:
            self.error: BaseException | None = None

        async def transcribe(self, job: Job) -> Recognition:
            if self.error is not None:
                raise self.error
            return FOUND

    inner = Told()
    metered = MeteredTranscriber(inner, metrics)
    await metered.transcribe(job())
    for error in (
        QueueFullError("full", retry_after_s=1),
        JobExpiredError("late"),
        asyncio.CancelledError(),
        RuntimeError("broken"),
    ):
        inner.error = error
        with pytest.raises(type(error)):
            await metered.transcribe(job())

    for outcome in ("done", "queue_full", "job_expired", "cancelled", "failed"):
        assert value(registry, "jobs_total", lane="live", outcome=outcome) == 1
    assert value(registry, "queue_wait_seconds_sum", lane="live") == 0.2
    assert value(registry, "inference_seconds_sum", lane="live") == 0.4
    assert value(registry, "recognised_audio_seconds_total", lane="live") == 2.0


def test_streams_are_counted_whether_admitted_or_refused(
    registry: CollectorRegistry, metrics: SttMetrics
) -> None:
    class Busy:
        wait_s: float | None = None

        def overloaded(self) -> float | None:
            return self.wait_s

    inner = Busy()
    admission = MeteredAdmission(inner, metrics)
    assert admission.overloaded() is None
    metrics.stream_opened()
    inner.wait_s = 2.0
    assert admission.overloaded() == 2.0

    assert value(registry, "streams_total", outcome="admitted") == 1
    assert value(registry, "streams_total", outcome="refused") == 1
    assert value(registry, "active_streams") == 1


def test_the_queue_and_the_expected_wait_are_read_when_asked_for(
    registry: CollectorRegistry, metrics: SttMetrics
) -> None:
    waits = {Lane.LIVE: 0.5, Lane.BULK: 3.0}
    metrics.watch_queue(lambda: 7)
    metrics.watch_wait(waits.__getitem__)

    assert value(registry, "queued_jobs") == 7
    assert value(registry, "expected_wait_seconds", lane="live") == 0.5
    assert value(registry, "expected_wait_seconds", lane="bulk") == 3.0
