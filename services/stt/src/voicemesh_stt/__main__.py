"""Puts the service together and runs it: `voicemesh-stt`."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, NoReturn

from voicemesh_chassis import app
from voicemesh_chassis.errors import UnavailableError
from voicemesh_chassis.media import bound_allocations
from voicemesh_chassis.metrics import new_registry
from voicemesh_chassis.service import Service, StartupError
from voicemesh_chassis.shelf import ShelfLimits
from voicemesh_stt.domain import AudioFormat, Encoding, TurnDetection, end_threshold_of
from voicemesh_stt.engines.containers import BoundedRecordingDecoder
from voicemesh_stt.engines.file_decoding import ProgressiveFileDecoder
from voicemesh_stt.engines.libopus import load_libopus
from voicemesh_stt.engines.loading import open_models
from voicemesh_stt.engines.opus import OpusLiveDecoder
from voicemesh_stt.engines.owner import EngineOwner, QueueLimits
from voicemesh_stt.engines.raw_audio import RawLiveDecoder
from voicemesh_stt.engines.resources import cores, keep_to_own_threads, prefer_wide_vectors
from voicemesh_stt.errors import ModelLoadError, SpoolFullError
from voicemesh_stt.files.recordings import Recordings
from voicemesh_stt.files.spool import Spool
from voicemesh_stt.files.uploads import FileLimits, Files
from voicemesh_stt.live.stream import LiveLimits, LiveStreams
from voicemesh_stt.metrics import MeteredAdmission, MeteredTranscriber, SttMetrics
from voicemesh_stt.models.shelf import ModelShelf
from voicemesh_stt.models.stream_models import StreamModels
from voicemesh_stt.rpc.servicer import WEIGHTS, RpcDefaults, SpeechToTextServicer, Work, api
from voicemesh_stt.settings import SttSettings, TurnSettings

if TYPE_CHECKING:
    from pathlib import Path

    from voicemesh_stt.ports import LiveDecoder

__all__ = ("build", "main")


def build(settings: SttSettings) -> Service:
    """The service, not started; call it inside the event loop that will serve."""
    registry = new_registry()
    metrics = SttMetrics(registry)
    shelf = ModelShelf(_model_limits(settings), metrics.engine)
    small = StreamModels()
    owner = EngineOwner(shelf, _queue_limits(settings), metrics.engine)
    metrics.watch_queue(lambda: owner.queued)
    metrics.watch_wait(owner.expected_wait_s)
    transcriber = MeteredTranscriber(owner, metrics)
    # Apart, because a recording may take a thread for seconds, for which no live stream can wait.
    live_threads = ThreadPoolExecutor(settings.audio_threads, thread_name_prefix="stt-live")
    bulk_threads = ThreadPoolExecutor(settings.audio_threads, thread_name_prefix="stt-bulk")
    streams = LiveStreams(
        transcriber,
        _new_decoder,
        small.detector,
        live_threads,
        metrics,
        _live_limits(settings),
        small.end_of_turn,
    )
    decoder = BoundedRecordingDecoder(settings.max_audio_s)
    recordings = Recordings(transcriber, decoder, small.detector, bulk_threads)
    files = Files(
        transcriber,
        ProgressiveFileDecoder(),
        small.detector,
        _file_limits(settings),
        metrics.file_heard,
    )
    work = Work(shelf, recordings, files, streams, MeteredAdmission(owner, metrics))
    servicer = SpeechToTextServicer(work, _defaults(settings), metrics.recording_heard)

    async def start() -> None:
        keep_to_own_threads()
        prefer_wide_vectors()
        # Rather than when the first stream, or recording, needs it.
        await asyncio.to_thread(load_libopus)
        await asyncio.to_thread(bound_allocations)
        if settings.spool_dir is not None:
            await asyncio.to_thread(_check_spool, settings.spool_dir)
        opened = await asyncio.to_thread(open_models, settings)
        small.place(opened.voices.detector, opened.end_of_turn)
        try:
            await shelf.start(opened.library)
        except ModelLoadError as error:
            raise StartupError(error.detail) from error
        owner.start()

    async def stop() -> None:
        await owner.aclose()
        await shelf.aclose()
        await files.aclose()
        await asyncio.to_thread(live_threads.shutdown)
        await asyncio.to_thread(bulk_threads.shutdown)

    return Service(
        "stt", [api(servicer)], start, stop, WEIGHTS, registry, drain=streams.draining.set
    )


def _check_spool(directory: Path) -> None:
    """Raises `StartupError` rather than that every upload is refused later."""
    try:
        Spool(max_bytes=1, ahead_bytes=1, directory=directory).close()
    except (UnavailableError, SpoolFullError) as error:
        msg = f"VOICEMESH_STT_SPOOL_DIR: {directory} is no directory that files can be made in"
        raise StartupError(msg) from error


def _new_decoder(audio_format: AudioFormat) -> LiveDecoder:
    if audio_format.encoding is Encoding.OPUS_PACKETS:
        return OpusLiveDecoder()
    return RawLiveDecoder(audio_format)


def _model_limits(settings: SttSettings) -> ShelfLimits:
    return ShelfLimits(
        settings.max_loaded_models,
        settings.model_idle_timeout_s,
        settings.model_load_timeout_s,
        settings.model_load_deadline_s,
    )


def _queue_limits(settings: SttSettings) -> QueueLimits:
    return QueueLimits(
        settings.queue_bound,
        settings.max_queue_wait_s,
        settings.max_live_wait_s,
        settings.workers or cores(),
    )


def _live_limits(settings: SttSettings) -> LiveLimits:
    return LiveLimits(
        settings.stream_idle_timeout_s,
        settings.job_timeout_s,
        settings.partial_interval_s,
        drain_turn_s=settings.drain_turn_s,
    )


def _file_limits(settings: SttSettings) -> FileLimits:
    return FileLimits(
        settings.max_file_bytes,
        settings.max_file_audio_s,
        settings.max_files,
        settings.stream_idle_timeout_s,
        directory=settings.spool_dir,
        drain_s=settings.drain_turn_s,
    )


def _defaults(settings: SttSettings) -> RpcDefaults:
    return RpcDefaults(
        settings.beam_size,
        _detection(settings.turn),
        settings.recording_timeout_s,
        settings.file_timeout_s,
        settings.stream_idle_timeout_s,
    )


def _detection(turn: TurnSettings) -> TurnDetection:
    end_threshold = end_threshold_of(turn.start_threshold)
    return TurnDetection(**turn.model_dump(), end_threshold=end_threshold)


def main() -> NoReturn:
    """Runs the service until it is told to stop."""
    app.main(SttSettings, build)


if __name__ == "__main__":
    main()
