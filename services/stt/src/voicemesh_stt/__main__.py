"""Puts the service together and runs it: `voicemesh-stt`."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, NoReturn

from voicemesh_chassis import app
from voicemesh_chassis.metrics import new_registry
from voicemesh_chassis.service import Service
from voicemesh_stt.domain import AudioFormat, Encoding, TurnDetection, end_threshold_of
from voicemesh_stt.engines.containers import BoundedRecordingDecoder
from voicemesh_stt.engines.loading import load_models
from voicemesh_stt.engines.opus import OpusLiveDecoder
from voicemesh_stt.engines.owner import EngineOwner
from voicemesh_stt.engines.raw_audio import RawLiveDecoder
from voicemesh_stt.live_stream import LiveLimits, LiveStreams
from voicemesh_stt.metrics import MeteredTranscriber, SttMetrics
from voicemesh_stt.recordings import Recordings
from voicemesh_stt.rpc.servicer import WEIGHTS, RpcDefaults, SpeechToTextServicer, api
from voicemesh_stt.settings import SttSettings, TurnSettings
from voicemesh_stt.shelf import Shelf

if TYPE_CHECKING:
    from voicemesh_stt.ports import LiveDecoder

__all__ = ("build", "main")


def build(settings: SttSettings) -> Service:
    """The service, not started; call it inside the event loop that will serve."""
    registry = new_registry()
    metrics = SttMetrics(registry)
    owner = EngineOwner(settings.queue_bound)
    metrics.watch_queue(lambda: owner.queued)
    transcriber = MeteredTranscriber(owner, metrics)
    # Apart, because a recording may take a thread for seconds, for which no live stream can wait.
    live_threads = ThreadPoolExecutor(settings.audio_threads, thread_name_prefix="stt-live")
    bulk_threads = ThreadPoolExecutor(settings.audio_threads, thread_name_prefix="stt-bulk")
    shelf = Shelf()
    limits = LiveLimits(
        settings.stream_idle_timeout_s, settings.job_timeout_s, settings.partial_interval_s
    )
    decoder = BoundedRecordingDecoder(settings.max_audio_s)
    defaults = RpcDefaults(
        settings.beam_size,
        _detection(settings.turn),
        settings.recording_timeout_s,
        settings.stream_idle_timeout_s,
    )
    servicer = SpeechToTextServicer(
        shelf,
        Recordings(transcriber, decoder, shelf.detector, bulk_threads),
        LiveStreams(transcriber, _new_decoder, shelf.detector, live_threads, metrics, limits),
        defaults,
        metrics.recording_heard,
    )

    async def start() -> None:
        loaded = await asyncio.to_thread(load_models, settings)
        shelf.place(loaded.engine.model, loaded.voices.detector)
        owner.start(loaded.engine)

    async def stop() -> None:
        await owner.aclose()
        await asyncio.to_thread(live_threads.shutdown)
        await asyncio.to_thread(bulk_threads.shutdown)

    return Service("stt", [api(servicer)], start, stop, WEIGHTS, registry)


def _new_decoder(audio_format: AudioFormat) -> LiveDecoder:
    if audio_format.encoding is Encoding.OPUS_PACKETS:
        return OpusLiveDecoder()
    return RawLiveDecoder(audio_format)


def _detection(turn: TurnSettings) -> TurnDetection:
    end_threshold = end_threshold_of(turn.start_threshold)
    return TurnDetection(**turn.model_dump(), end_threshold=end_threshold)


def main() -> NoReturn:
    """Runs the service until it is told to stop."""
    app.main(SttSettings, build)


if __name__ == "__main__":
    main()
