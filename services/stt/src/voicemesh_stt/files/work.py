"""The work on one uploaded file; `uploads` says how it is made up."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from concurrent.futures import Executor, Future, wait
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from voicemesh_stt.domain import (
    AudioFormat,
    Language,
    RecognitionOptions,
    Segment,
    SpeechModel,
    Timings,
)
from voicemesh_stt.errors import JobExpiredError, StreamIdleError, UnreadableAudioError
from voicemesh_stt.files.reading import FileReading, Slab
from voicemesh_stt.files.sequence import Sequencer
from voicemesh_stt.files.spool import Spool
from voicemesh_stt.passages import Heard, in_order, language_of
from voicemesh_stt.ports import Lane, Transcriber, VoiceDetector
from voicemesh_stt.scribe import MOST_AT_ONCE, Asking, Piece, Scribe, expected_language

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from voicemesh_stt.files.ports import FileDecoder

__all__ = ("FileEvent", "FileRequest", "FileWork", "Progress", "Summary", "WorkParts")

_AHEAD = 2 * MOST_AT_ONCE
"""Pieces that wait for their words, beyond which no more of the file is read."""
_TOLD = 64
"""Events that wait for the caller to take them."""

T = TypeVar("T")


@dataclass(frozen=True)
class FileRequest:
    """What a caller wants of a file."""

    audio_format: AudioFormat
    """How it is encoded."""
    options: RecognitionOptions
    """How to recognise it."""
    separate_channels: bool = False
    """Whether each channel is one speaker."""
    resume_s: float = 0.0
    """The time, in seconds, before which speech is not transcribed."""


@dataclass(frozen=True)
class Progress:
    """How far the work has come."""

    processed_s: float
    """Audio transcribed so far, in seconds; all segments that begin before it have been told."""
    received_s: float
    """Audio received so far, in seconds: by what the file's header says, or what was decoded of
    the bytes so far."""


@dataclass(frozen=True)
class Summary:
    """The end of the work."""

    audio_s: float
    """Length of the file in seconds."""
    language: Language
    """The language and how it was found."""
    model: str
    """Name of the model that was used."""
    timings: Timings
    """Where the time went."""


FileEvent: TypeAlias = Segment | Progress | Summary
"""One thing that is told of a file."""


@dataclass(frozen=True)
class WorkParts:
    """What the work on all files shares; see `uploads.FileLimits` for the bounds."""

    transcriber: Transcriber
    decoder: FileDecoder
    new_detector: Callable[[], VoiceDetector]
    readers: Executor
    writers: Executor
    heard: Callable[[float], None]
    max_bytes: int
    max_audio_s: float
    idle_timeout_s: float
    ahead_bytes: int
    progress_s: float
    directory: Path | None


class FileWork:
    """One file; `run` it once."""

    def __init__(
        self, parts: WorkParts, request: FileRequest, model: SpeechModel, timeout_s: float
    ) -> None:
        """Makes the work, and the file that the upload is kept in.

        Raises:
            UnavailableError: if there can be no such file.
        """
        self._loop = asyncio.get_running_loop()
        self.told: asyncio.Queue[FileEvent] = asyncio.Queue(_TOLD)
        """What is to be told, in order."""
        self._parts = parts
        self._request = request
        self._model = model
        self._timeout_s = timeout_s
        self._room = asyncio.Event()
        self._spool = Spool(
            parts.max_bytes,
            parts.ahead_bytes,
            directory=parts.directory,
            patience_s=timeout_s,
            moved=self._tell_of_room,
        )
        self._reading = FileReading(
            parts.decoder.blocks(
                self._spool,
                request.audio_format,
                separate=request.separate_channels,
                skip_s=request.resume_s,
            ),
            parts.new_detector,
            resume_s=request.resume_s,
            max_audio_s=parts.max_audio_s,
        )
        self._in_threads: set[Future[Any]] = set()
        self._asking = Asking(
            expected_language(request.options, model),
            Lane.BULK,
            time.monotonic() + timeout_s,
            model=model.name,
            caller=object(),
        )
        self._sending = asyncio.Semaphore(MOST_AT_ONCE)
        self._scribes: dict[int, Scribe] = {}
        self._sequencer = Sequencer()
        self._heard = asyncio.Event()
        self._telling = asyncio.Lock()
        self._ready: deque[Segment] = deque()
        self._told_s = time.monotonic()
        self._slab = Slab((), (), request.resume_s, None, is_last=False)
        self._decode_s = 0.0

    async def run(self, uploads: AsyncIterator[bytes]) -> None:
        """Does all of it; what is to be told goes to `told`.

        Raises:
            ServiceError: whatever is wrong; see `errors`.
        """
        ticking = asyncio.create_task(self._tick(), name="stt-file-progress")
        try:
            async with asyncio.timeout(self._timeout_s):
                await in_order((self._upload(uploads), self._transcribe()))
                ticking.cancel()
                await self._tell()
                await self.told.put(self._summary())
        except TimeoutError as error:
            msg = f"the file could not be transcribed within {self._timeout_s:.1f} s"
            raise JobExpiredError(msg) from error
        finally:
            ticking.cancel()
            await asyncio.wait([ticking])

    async def aclose(self) -> None:
        """Waits until no thread works on the file, and frees its space; after `run` has ended."""
        self._reading.stop()
        self._spool.cancel()
        closing = self._parts.readers.submit(self._close, tuple(self._in_threads))
        await asyncio.shield(asyncio.wrap_future(closing))

    async def _upload(self, uploads: AsyncIterator[bytes]) -> None:
        """Takes the upload in, as fast as it is read."""
        while (data := await self._next_part(uploads)) is not None:
            if data:
                await self._in_thread(self._parts.writers, partial(self._spool.append, data))
            while not self._spool.has_room():
                await self._room.wait()
                self._room.clear()
        if not self._spool.size:
            msg = "audio is empty"
            raise UnreadableAudioError(msg, field="audio")
        self._spool.finish()

    async def _next_part(self, uploads: AsyncIterator[bytes]) -> bytes | None:
        idle_s = self._parts.idle_timeout_s
        try:
            async with asyncio.timeout(idle_s):
                return await anext(uploads)
        except StopAsyncIteration:
            return None
        except TimeoutError as error:
            msg = f"no more of the file came for {idle_s:g} s"
            raise StreamIdleError(msg) from error

    async def _transcribe(self) -> None:
        """Reads the file to its end and has the words of every piece told."""
        try:
            async with asyncio.TaskGroup() as hearing:
                while not self._slab.is_last:
                    await self._read()
                    for piece in self._slab.pieces:
                        hearing.create_task(self._hear(self._scribe(piece), piece))
                    await self._tell()
                    while self._sequencer.awaited >= _AHEAD:
                        self._heard.clear()
                        await self._heard.wait()
                self._spool.ignore_rest()
        except BaseExceptionGroup as errors:
            raise _first(errors) from None

    async def _read(self) -> None:
        begun_s, waited_s = time.monotonic(), self._spool.waited_s
        before_s = self._slab.read_s
        slab = await self._in_thread(self._parts.readers, self._reading.slab)
        waited_s = self._spool.waited_s - waited_s
        self._decode_s += max(0.0, time.monotonic() - begun_s - waited_s)
        self._parts.heard(max(0.0, slab.read_s - before_s))
        for piece in slab.pieces:
            self._sequencer.expect(piece)
        self._sequencer.advance(slab.done_s)
        self._slab = slab

    def _scribe(self, piece: Piece) -> Scribe:
        scribe = self._scribes.get(piece.channel)
        if scribe is None:
            # Each channel is a person, who may speak another language than the others.
            asking = replace(self._asking, patient=bool(self._scribes))
            scribe = Scribe(self._parts.transcriber, asking, self._sending)
            self._scribes[piece.channel] = scribe
        return scribe

    async def _hear(self, scribe: Scribe, piece: Piece) -> None:
        self._sequencer.heard(piece, await scribe.write(piece))
        self._heard.set()
        await self._tell()

    async def _tell(self) -> None:
        """Tells what is ready, and how far the work has come."""
        async with self._telling:  # so that segments stay in order when the caller is slow
            self._ready += self._sequencer.take()
            late = time.monotonic() - self._told_s >= self._parts.progress_s
            wanted = bool(self._ready) or late or self._slab.is_last
            while self._ready:  # whoever is cancelled here leaves what is not told to the next
                await self.told.put(self._ready[0])
                self._ready.popleft()
            if wanted:
                await self.told.put(self._progress())
                self._told_s = time.monotonic()

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(self._parts.progress_s)
            await self._tell()

    def _progress(self) -> Progress:
        slab, spool = self._slab, self._spool
        received_s = slab.read_s
        if not slab.is_last and 0 < spool.place < spool.size:
            received_s *= spool.size / spool.place
        if not slab.is_last and slab.stated_s is not None:
            stated_s = max(slab.read_s, slab.stated_s)
            received_s = stated_s if spool.is_finished else min(received_s, stated_s)
        processed_s = min(self._sequencer.done_s, slab.read_s)
        return Progress(max(self._request.resume_s, processed_s), received_s)

    def _summary(self) -> Summary:
        scribes = [self._scribes[channel] for channel in sorted(self._scribes)]
        timings = sum((scribe.timings for scribe in scribes), Timings(decode_s=self._decode_s))
        found = next((scribe.language for scribe in scribes if scribe.language is not None), None)
        language = language_of(Heard((), found, timings), self._request.options, self._model)
        return Summary(self._slab.read_s, language, self._model.name, timings)

    async def _in_thread(self, threads: Executor, work: Callable[[], T]) -> T:
        doing = threads.submit(work)
        self._in_threads.add(doing)
        try:
            return await asyncio.wrap_future(doing)
        finally:
            if doing.done():
                self._in_threads.discard(doing)

    def _tell_of_room(self) -> None:
        self._loop.call_soon_threadsafe(self._room.set)

    def _close(self, working: tuple[Future[Any], ...]) -> None:
        wait(working)  # they end soon: the reading was stopped and the spool cancelled
        self._reading.close()
        self._spool.close()


def _first(errors: BaseExceptionGroup[BaseException]) -> BaseException:
    """The first of several errors at once; the others mostly follow from it."""
    error: BaseException = errors
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
