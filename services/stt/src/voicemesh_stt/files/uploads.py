"""Files of any length, uploaded in parts, to segments in order of time, while they still come.

    uploads ─▶ Spool ─▶ FileReading (a thread of its own pool) ─▶ Scribes ─▶ Sequencer ─▶ events

Everything is bounded, and whoever is fast waits for who is slow: a caller who does not read holds
up the words, those the reading, that the upload. So a file takes the same memory however long it
is, and the disk that its upload takes.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from voicemesh_chassis.errors import InvalidArgumentError
from voicemesh_stt.errors import DrainingError, FilesBusyError
from voicemesh_stt.files.work import FileEvent, FileRequest, FileWork, WorkParts

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable
    from pathlib import Path

    from voicemesh_stt.domain import SpeechModel
    from voicemesh_stt.files.ports import FileDecoder
    from voicemesh_stt.ports import Transcriber, VoiceDetector

__all__ = ("FileLimits", "Files")

_RETRY_AFTER_S = 10.0
"""When a caller that found no room may come again; files take minutes, not seconds."""


@dataclass(frozen=True)
class FileLimits:
    """Bounds of every file."""

    max_bytes: int = 4 << 30
    """Most bytes of a file."""
    max_audio_s: float = 86_400.0
    """Most audio in a file, in seconds."""
    max_files: int = 8
    """Most files at the same time; each may keep a thread busy."""
    idle_timeout_s: float = 60.0
    """Longest time without a message while more of the file is waited for, in seconds."""
    ahead_bytes: int = 8 << 20
    """How far an upload may be ahead of its decoder, in bytes."""
    progress_s: float = 2.0
    """Longest time without an event, in seconds."""
    directory: Path | None = None
    """Where uploads are kept while they last; None means the system's for temporary files."""
    drain_s: float = 10.0
    """How long a file may go on once the service is about to stop, in seconds."""


class Files:
    """Transcribes files, several at a time. Belongs to one event loop; `aclose` it there."""

    def __init__(
        self,
        transcriber: Transcriber,
        decoder: FileDecoder,
        new_detector: Callable[[], VoiceDetector],
        limits: FileLimits,
        heard: Callable[[float], None],
    ) -> None:
        """Makes it.

        Args:
            transcriber: where the words come from.
            decoder: reads the bytes.
            new_detector: makes a voice detector for one channel.
            limits: bounds of every file.
            heard: told the seconds of audio as they are decoded.
        """
        self._limits = limits
        self._open = 0
        # Apart from those of recordings and live streams, for which no upload may be waited for;
        # and writers apart from readers, who may all be waiting for what is to be written.
        self._readers = ThreadPoolExecutor(limits.max_files, thread_name_prefix="stt-file")
        self._writers = ThreadPoolExecutor(2, thread_name_prefix="stt-spool")
        self._parts = WorkParts(
            transcriber=transcriber,
            decoder=decoder,
            new_detector=new_detector,
            readers=self._readers,
            writers=self._writers,
            heard=heard,
            max_bytes=limits.max_bytes,
            max_audio_s=limits.max_audio_s,
            idle_timeout_s=limits.idle_timeout_s,
            ahead_bytes=limits.ahead_bytes,
            progress_s=limits.progress_s,
            directory=limits.directory,
        )

    async def aclose(self) -> None:
        """Ends the threads, once all files are done or cancelled."""
        await asyncio.to_thread(self._readers.shutdown)
        await asyncio.to_thread(self._writers.shutdown)

    async def events(
        self,
        uploads: AsyncIterator[bytes],
        request: FileRequest,
        model: SpeechModel,
        timeout_s: float,
        draining: asyncio.Event | None = None,
    ) -> AsyncGenerator[FileEvent]:
        """Segments in order of time, progress between them, and the summary at the end.

        Closing the generator, or cancelling the task that iterates, ends all work at once. Before
        an error come the segments that were ready.

        Args:
            uploads: the bytes of the file, cut anywhere.
            request: what is wanted.
            model: which model is to be used; it must stay loaded.
            timeout_s: longest time for all of it, in seconds.
            draining: set when the service is about to stop.

        Raises:
            InvalidArgumentError: at once, if the resume offset is beyond any file.
            FilesBusyError: at once, if as many files are open as may be.
            DrainingError: if the service is about to stop and the file is not done soon.
            ServiceError: whatever else is wrong; see `errors`.
        """
        # What is skipped is never as long as to be refused for it, so the offset itself must be.
        if request.resume_s > self._limits.max_audio_s:
            field = "config.resume_offset"
            msg = f"{field}: a file has at most {self._limits.max_audio_s:g} s"
            raise InvalidArgumentError(msg, field=field)
        if self._open >= self._limits.max_files:
            msg = f"{self._open} files are being transcribed already; try again later"
            raise FilesBusyError(msg, retry_after_s=_RETRY_AFTER_S)
        self._open += 1
        try:
            work = FileWork(self._parts, request, model, timeout_s)
            running = asyncio.create_task(work.run(uploads), name="stt-file")
            leaving = asyncio.create_task(self._leave(running, draining), name="stt-file-drain")
            try:
                while (event := await _next(work.told, running)) is not None:
                    yield event
                if running.cancelled():
                    raise DrainingError
                await running
            finally:
                running.cancel()
                leaving.cancel()
                try:
                    await asyncio.wait([running, leaving])
                finally:
                    await work.aclose()
        finally:
            self._open -= 1

    async def _leave(self, running: asyncio.Task[None], draining: asyncio.Event | None) -> None:
        """Ends work that is not done in time once the service drains; what it told stays told."""
        if draining is not None:
            await draining.wait()
            await asyncio.sleep(self._limits.drain_s)
            running.cancel()


async def _next(told: asyncio.Queue[FileEvent], running: asyncio.Task[None]) -> FileEvent | None:
    """The next event; None once the work has ended and no event is left."""
    if not told.empty():
        return told.get_nowait()
    getting = asyncio.ensure_future(told.get())
    try:
        await asyncio.wait({getting, running}, return_when=asyncio.FIRST_COMPLETED)
        if getting.done():
            return getting.result()
    finally:
        getting.cancel()
    return None if told.empty() else told.get_nowait()
