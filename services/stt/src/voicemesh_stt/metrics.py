"""The figures of speech recognition, and a `Transcriber` that counts what passes through it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from voicemesh_chassis.errors import ServiceError
from voicemesh_stt.events import EndReason
from voicemesh_stt.ports import Job, Lane, Recognition, Transcriber

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ("MeteredTranscriber", "SttMetrics")

_PREFIX = "voicemesh_stt"
_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.5, 5.0, 10.0, 30.0)


class SttMetrics:
    """All metrics of one service; a `StreamObserver`."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._streams = Gauge(
            f"{_PREFIX}_active_streams", "Live streams being served.", registry=registry
        )
        self._audio = Counter(
            f"{_PREFIX}_audio_seconds_total",
            "Audio received, decoded, by rpc.",
            ("rpc",),
            registry=registry,
        )
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
            "Work of the engine on one job.",
            ("lane",),
            buckets=_SECONDS,
            registry=registry,
        )
        self._recognised = Counter(
            f"{_PREFIX}_recognised_audio_seconds_total",
            "Audio given to the engine; divide inference by it for the real-time factor.",
            ("lane",),
            registry=registry,
        )
        self._queued = Gauge(
            f"{_PREFIX}_queued_jobs", "Jobs that wait for the engine.", registry=registry
        )
        for reason in EndReason:  # series that exist from the start can be alerted on
            self._turns.labels(reason.value)
        for lane in Lane:
            self._waited.labels(lane.name.lower())
            self._inference.labels(lane.name.lower())

    def watch_queue(self, queued: Callable[[], int]) -> None:
        """Reads the length of the queue whenever it is asked for."""
        self._queued.set_function(queued)

    def stream_opened(self) -> None:
        """A stream began."""
        self._streams.inc()

    def stream_closed(self) -> None:
        """A stream ended."""
        self._streams.dec()

    def audio_heard(self, audio_s: float) -> None:
        """So many more seconds of live audio were decoded."""
        self._audio.labels("StreamTranscribe").inc(audio_s)

    def recording_heard(self, audio_s: float) -> None:
        """A recording of that many seconds was transcribed."""
        self._audio.labels("Transcribe").inc(audio_s)

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
