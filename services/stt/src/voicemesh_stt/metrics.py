"""The figures of speech recognition, and what counts by standing in front of something."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from voicemesh_chassis.errors import ServiceError
from voicemesh_stt.events import EndReason
from voicemesh_stt.ports import (
    Admission,
    Again,
    Job,
    Lane,
    Prepared,
    Recognition,
    Transcriber,
    Worked,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ("EngineMetrics", "MeteredAdmission", "MeteredTranscriber", "SttMetrics")

_PREFIX = "voicemesh_stt"
_SIZES = (1, 2, 3, 4, 6, 8, 12, 16, 32, 64)
_CONTEXTS_S = (10.0, 12.5, 15.0, 20.0, 25.0, 30.0)
_FACTORS = (0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.5, 0.75, 1.0, 2.0)
_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.5, 5.0, 10.0, 30.0)


class SttMetrics:
    """Metrics of calls, streams and jobs; a `StreamObserver`."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.engine = EngineMetrics(registry)
        """Metrics of what runs on the engines."""
        self._count_calls(registry)
        self._count_turns(registry)
        self._count_jobs(registry)
        self._foresee(registry)

    def _count_calls(self, registry: CollectorRegistry) -> None:
        self._streams = Gauge(
            f"{_PREFIX}_active_streams", "Live streams being served.", registry=registry
        )
        self._asked = Counter(
            f"{_PREFIX}_streams_total",
            "Live streams that were admitted, or refused for want of time on the engine.",
            ("outcome",),
            registry=registry,
        )
        self._audio = Counter(
            f"{_PREFIX}_audio_seconds_total",
            "Audio received, decoded, by rpc.",
            ("rpc",),
            registry=registry,
        )
        for outcome in ("admitted", "refused"):  # series that exist from the start can be watched
            self._asked.labels(outcome)

    def _count_turns(self, registry: CollectorRegistry) -> None:
        self._turns = Counter(
            f"{_PREFIX}_turns_total",
            "Turns of live streams that are over, by reason.",
            ("reason",),
            registry=registry,
        )
        self._latency = Histogram(
            f"{_PREFIX}_end_of_speech_to_final_seconds",
            "From the arrival of the last voice of a turn to its final.",
            buckets=_SECONDS,
            registry=registry,
        )
        for reason in EndReason:  # as above
            self._turns.labels(reason.value)

    def _count_jobs(self, registry: CollectorRegistry) -> None:
        self._jobs = Counter(
            f"{_PREFIX}_jobs_total",
            "Jobs for the engine, by lane and outcome.",
            ("lane", "outcome"),
            registry=registry,
        )
        self._waited = Histogram(
            f"{_PREFIX}_queue_wait_seconds",
            "From asking the engine to the start of its work.",
            ("lane",),
            buckets=_SECONDS,
            registry=registry,
        )
        self._inference = Histogram(
            f"{_PREFIX}_inference_seconds",
            "Work of the engine on the batches of one job.",
            ("lane",),
            buckets=_SECONDS,
            registry=registry,
        )
        self._recognised = Counter(
            f"{_PREFIX}_recognised_audio_seconds_total",
            "Audio given to the engine.",
            ("lane",),
            registry=registry,
        )
        for lane in Lane:  # as above
            self._waited.labels(lane.name.lower())
            self._inference.labels(lane.name.lower())

    def _foresee(self, registry: CollectorRegistry) -> None:
        self._queued = Gauge(
            f"{_PREFIX}_queued_jobs", "Jobs that wait for the engine.", registry=registry
        )
        self._expected = Gauge(
            f"{_PREFIX}_expected_wait_seconds",
            "How long a job that comes now will wait for the engine, as far as can be foreseen.",
            ("lane",),
            registry=registry,
        )

    def watch_queue(self, queued: Callable[[], int]) -> None:
        """Reads the length of the queue whenever it is asked for."""
        self._queued.set_function(queued)

    def watch_wait(self, expected_s: Callable[[Lane], float]) -> None:
        """Reads the expected wait for the engine whenever it is asked for."""
        for lane in (Lane.LIVE, Lane.BULK):
            self._expected.labels(lane.name.lower()).set_function(partial(expected_s, lane))

    def stream_opened(self) -> None:
        """A stream began."""
        self._streams.inc()
        self._asked.labels("admitted").inc()

    def stream_refused(self) -> None:
        """A stream was told to come back later."""
        self._asked.labels("refused").inc()

    def stream_closed(self) -> None:
        """A stream ended."""
        self._streams.dec()

    def audio_heard(self, audio_s: float) -> None:
        """So many more seconds of live audio were decoded."""
        self._audio.labels("StreamTranscribe").inc(audio_s)

    def recording_heard(self, audio_s: float) -> None:
        """A recording of that many seconds was transcribed."""
        self._audio.labels("Transcribe").inc(audio_s)

    def file_heard(self, audio_s: float) -> None:
        """So many more seconds of an uploaded file were decoded."""
        self._audio.labels("TranscribeFile").inc(audio_s)

    def turn_over(self, reason: EndReason, latency_s: float) -> None:
        """A final was made."""
        self._turns.labels(reason.value).inc()
        self._latency.observe(latency_s)

    def job_ended(self, job: Job, outcome: str) -> None:
        """A job was done, refused, late, cancelled or failed."""
        self._jobs.labels(job.lane.name.lower(), outcome).inc()

    def job_done(self, job: Job, found: Recognition) -> None:
        """A job was done."""
        lane = job.lane.name.lower()
        self._waited.labels(lane).observe(found.queue_s)
        self._inference.labels(lane).observe(found.inference_s)
        self._recognised.labels(lane).inc(job.audio_s)


class EngineMetrics:
    """Metrics of batches and models; an `EngineObserver` and a `ModelObserver`."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._count_batches(registry)
        self._time_batches(registry)
        self._memory = Gauge(
            f"{_PREFIX}_model_memory_bytes",
            "Memory of the weights of models that are loaded.",
            ("model",),
            registry=registry,
        )

    def _count_batches(self, registry: CollectorRegistry) -> None:
        self._sizes = Histogram(
            f"{_PREFIX}_batch_size",
            "Jobs in a batch.",
            ("model",),
            buckets=_SIZES,
            registry=registry,
        )
        self._contexts = Histogram(
            f"{_PREFIX}_context_seconds",
            "Audio context of a job as the engine was given it.",
            ("model",),
            buckets=_CONTEXTS_S,
            registry=registry,
        )
        self._again = Counter(
            f"{_PREFIX}_redone_jobs_total",
            "Jobs whose words were not believed and that were done again with the whole context.",
            ("model",),
            registry=registry,
        )

    def _time_batches(self, registry: CollectorRegistry) -> None:
        self._encoder = Histogram(
            f"{_PREFIX}_encoder_seconds",
            "Time of the encoder on one batch.",
            ("model",),
            buckets=_SECONDS,
            registry=registry,
        )
        self._decoder = Histogram(
            f"{_PREFIX}_decoder_seconds",
            "Time of the decoder on one batch, with all its attempts and word times.",
            ("model",),
            buckets=_SECONDS,
            registry=registry,
        )
        self._factor = Histogram(
            f"{_PREFIX}_real_time_factor",
            "Time of a worker on one batch, divided by the batch's audio.",
            ("model",),
            buckets=_FACTORS,
            registry=registry,
        )

    def model_loaded(self, model: str, memory_bytes: int) -> None:
        """A model is in memory and takes up so much of it."""
        self._memory.labels(model).set(memory_bytes)
        self._again.labels(model)

    def model_unloaded(self, model: str) -> None:
        """A model is in memory no more."""
        self._memory.remove(model)

    def batch_done(
        self, model: str, batch: Sequence[Prepared], worked: Worked, spent_s: float
    ) -> None:
        """A batch was done; see `ports.EngineObserver`."""
        self._sizes.labels(model).observe(len(batch))
        for each in batch:
            self._contexts.labels(model).observe(each.context_s)
        self._encoder.labels(model).observe(worked.encoder_s)
        self._decoder.labels(model).observe(worked.decoder_s)
        audio_s = sum(each.job.audio_s for each in batch)
        if audio_s:
            self._factor.labels(model).observe(spent_s / audio_s)
        again = sum(isinstance(outcome, Again) for outcome in worked.outcomes)
        self._again.labels(model).inc(again)


class MeteredAdmission:
    """An `Admission` in front of another; asked once for each stream."""

    def __init__(self, inner: Admission, metrics: SttMetrics) -> None:
        self._inner = inner
        self._metrics = metrics

    def overloaded(self) -> float | None:
        """When a new live stream may try again; see `ports.Admission`."""
        retry_after_s = self._inner.overloaded()
        if retry_after_s is not None:
            self._metrics.stream_refused()
        return retry_after_s


class MeteredTranscriber:
    """A `Transcriber` in front of another."""

    def __init__(self, inner: Transcriber, metrics: SttMetrics) -> None:
        self._inner = inner
        self._metrics = metrics

    async def transcribe(self, job: Job) -> Recognition:
        """The words of `job`; see `ports.Transcriber`."""
        outcome = "failed"
        try:
            found = await self._inner.transcribe(job)
            outcome = "done"
            self._metrics.job_done(job, found)
            return found
        except asyncio.CancelledError:
            outcome = "cancelled"
            raise
        except ServiceError as error:
            outcome = error.reason.lower()
            raise
        finally:
            self._metrics.job_ended(job, outcome)
