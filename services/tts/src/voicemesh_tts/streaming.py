"""One text being spoken while it is written.

Three coroutines hand work on, each through something bounded:

    reader:  text events → planner → clauses waiting       (bounded by characters)
    speaker: clauses → engine → slices of sound waiting    (bounded by seconds)
    caller:  slices → encoder → speech events              (as fast as the caller takes them)

A cancel starts a new generation: clauses that wait are dropped, and slices of an older generation
are dropped where they are met. So the answer to a cancel does not wait for the engine.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from contextlib import aclosing, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from voicemesh_tts.domain import (
    CancelledSpeech,
    CancelText,
    Clause,
    FinishedSpeech,
    FlushedSpeech,
    FlushText,
    SpeechEvent,
    TextEvent,
    TextPiece,
)
from voicemesh_tts.errors import DrainingError, StreamIdleError
from voicemesh_tts.timeline import Timeline, moved

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Coroutine, Iterator, Sequence

    from voicemesh_tts.audio.chain import AudioChain
    from voicemesh_tts.audio.pool import EncodingPool
    from voicemesh_tts.calls import Call
    from voicemesh_tts.domain import TimedWord
    from voicemesh_tts.ports import Samples
    from voicemesh_tts.speaker import ClauseSound, Speaker
    from voicemesh_tts.text.clauses import ClausePlanner

__all__ = ("SpeechStream", "StreamLimits")

SLICE_S = 0.5
"""Longest sound of one event, in seconds."""

FIRST_SLICE_S = 0.1
"""Longest sound of a clause's first event: the caller hears it before the rest is encoded."""


_DRAIN_IDLE_S = 1.0
"""How long a stream may have nothing to speak when the service is to stop, in seconds."""


@dataclass(frozen=True)
class StreamLimits:
    """Bounds of one stream."""

    idle_timeout_s: float = 60.0
    """Longest time without a message while nothing is spoken, in seconds. Who calls `run` bounds
    by it how long its events may go untaken."""

    max_pending_chars: int = 20_000
    """Characters planned and not spoken, beyond which no more is read for the moment; a flush
    counts as one."""

    buffer_s: float = 10.0
    """Sound made and not taken, beyond which no more is made for the moment, in seconds."""


@dataclass(frozen=True)
class _Slice:
    clause: Clause
    samples: Samples
    words: tuple[TimedWord, ...]
    end: bool


@dataclass(frozen=True)
class _Tagged:
    """Something of a generation; dropped when that is over."""

    generation: int
    item: _Slice | FlushedSpeech


class _Lull:
    """The text has been waiting for as long as the planner has patience with it."""


class _End:
    """Everything has been spoken, or something has failed."""


class SpeechStream:
    """Speaks one text. `run` it once, in one task; closing its iterator ends everything."""

    def __init__(
        self,
        call: Call,
        speaker: Speaker,
        chain: AudioChain,
        pool: EncodingPool,
        planner: ClausePlanner,
        limits: StreamLimits,
    ) -> None:
        self._call = call
        self._speaker = speaker
        self._draining = asyncio.Event()
        self._chain = chain
        self._pool = pool
        self._planner = planner
        self._limits = limits
        self._watch = call.watch
        self._work: deque[Clause | FlushText | None] = deque()  # None: the text has ended
        self._pending_chars = 0
        self._changed = asyncio.Condition()  # of the two above
        size = max(1, round(limits.buffer_s / SLICE_S))
        self._out: asyncio.Queue[_Tagged | CancelledSpeech | _End] = asyncio.Queue(size)
        self._generation = 0
        self._speaking = False
        self._active_at = time.monotonic()
        self._waits_since: float | None = None  # when the first clause became long enough
        self._failure: Exception | None = None
        self._placed: Clause | None = None  # the clause being encoded, and where it begins
        self._placed_s = 0.0

    def drain(self) -> None:
        """Tells it that the service is to stop: it ends as soon as there is nothing to speak."""
        self._draining.set()

    async def run(self, texts: AsyncIterator[TextEvent]) -> AsyncGenerator[SpeechEvent, None]:
        """What comes of the text, in order; ends with `FinishedSpeech`.

        Args:
            texts: what the caller sends; its end is the end of the text.

        Raises:
            StreamIdleError: if the caller sends nothing for too long while nothing is spoken.
            DrainingError: if the service is to stop, and there is nothing to speak.
            ServiceError: what `texts` or the speaker raises, as soon as it happens.
        """
        tasks = [
            asyncio.create_task(self._guarded(self._read(texts)), name="tts-stream-reader"),
            asyncio.create_task(self._guarded(self._speak()), name="tts-stream-speaker"),
        ]
        self._speaker.metrics.active_streams.inc()
        try:
            async with aclosing(self._events()) as events:
                async for event in events:
                    yield event
                    self._active_at = time.monotonic()
        finally:
            self._speaker.metrics.active_streams.dec()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._drop_work()

    async def _guarded(self, work: Coroutine[None, None, None]) -> None:
        try:
            await work
        except Exception as error:  # handed over to the caller's side
            self._failure = error
            # If the queue is full, the caller's side is awake anyway.
            with suppress(asyncio.QueueFull):
                self._out.put_nowait(_End())

    # The reader.

    async def _read(self, texts: AsyncIterator[TextEvent]) -> None:
        async with aclosing(self._unless_idle(texts)) as events:
            async for event in events:
                match event:
                    case TextPiece(text):
                        await self._add(await self._fed(text))
                    case FlushText():
                        await self._add([*self._planner.flush(), event])
                    case CancelText(cancel_id):
                        await self._cancel(cancel_id)
                    case _Lull():
                        await self._add(self._planner.lull())
        await self._add([*self._planner.flush(), None])

    async def _fed(self, text: str) -> list[Clause]:
        return await self._speaker.reading.run(lambda: self._planner.feed(text), chars=len(text))

    async def _unless_idle(
        self, texts: AsyncIterator[TextEvent]
    ) -> AsyncGenerator[TextEvent | _Lull, None]:
        drain = asyncio.create_task(self._draining.wait(), name="tts-stream-drain")
        pull = None
        try:
            while True:
                # One task for each message and no timeout around it: breaking off a read loses it.
                pull = asyncio.create_task(_next_or_none(texts), name="tts-stream-pull")
                lull_at = self._lull_at()
                while not pull.done():
                    left_s = self._idle_left_s()
                    if left_s <= 0:
                        raise self._idle_error()
                    if lull_at is not None:
                        left_s = min(left_s, max(0.0, lull_at - time.monotonic()))
                    awaited = {pull} if drain.done() else {pull, drain}
                    await asyncio.wait(awaited, timeout=left_s, return_when=asyncio.FIRST_COMPLETED)
                    if lull_at is not None and lull_at <= time.monotonic() and not pull.done():
                        lull_at = None
                        yield _Lull()
                event = pull.result()
                if event is None:
                    return
                self._active_at = time.monotonic()
                yield event
        finally:
            tasks = [task for task in (drain, pull) if task is not None and not task.done()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _lull_at(self) -> float | None:
        """When the planner is to hear that no more text has come."""
        patience_s = self._planner.patience_s
        if patience_s is None:
            self._waits_since = None
            return None
        if self._waits_since is None:
            self._waits_since = time.monotonic()
        return self._waits_since + patience_s

    def _idle_left_s(self) -> float:
        limit_s = self._limits.idle_timeout_s
        if self._draining.is_set():
            limit_s = min(limit_s, _DRAIN_IDLE_S)
        if self._work or self._speaking or not self._out.empty():
            return limit_s
        return self._active_at + limit_s - time.monotonic()

    def _idle_error(self) -> Exception:
        if self._draining.is_set():
            return DrainingError()
        return StreamIdleError(f"no message came for {self._limits.idle_timeout_s:g} s")

    async def _add(self, items: Sequence[Clause | FlushText | None]) -> None:
        async with self._changed:
            for item in items:
                self._work.append(item)
                self._pending_chars += _length(item)
                if isinstance(item, Clause):
                    self._watch.begin()
            self._changed.notify_all()
            await self._changed.wait_for(
                lambda: self._pending_chars <= self._limits.max_pending_chars
            )

    async def _cancel(self, cancel_id: int) -> None:
        self._planner.cancel()
        self._watch.silenced()
        self._generation += 1
        self._drop_work()
        await self._out.put(CancelledSpeech(cancel_id))

    def _drop_work(self) -> None:
        dropped = sum(isinstance(item, Clause) for item in self._work)
        self._speaker.metrics.clauses_dropped.inc(dropped)
        self._work.clear()
        self._pending_chars = 0

    # The speaker.

    async def _speak(self) -> None:
        while (item := await self._take()) is not None:
            generation = self._generation
            if isinstance(item, FlushText):
                await self._out.put(_Tagged(generation, FlushedSpeech(item.flush_id)))
            else:
                await self._speak_clause(item, generation)
                if self._watch.first_audio_s is None:
                    # The engine takes every core it gets; the first sound goes out before that.
                    await self._out.join()
            self._speaking = False
        await self._out.put(_End())

    async def _take(self) -> Clause | FlushText | None:
        async with self._changed:
            await self._changed.wait_for(lambda: len(self._work) > 0)
            item = self._work.popleft()
            self._pending_chars -= _length(item)
            self._speaking = True
            self._changed.notify_all()
            return item

    async def _speak_clause(self, clause: Clause, generation: int) -> None:
        made_s, first = 0.0, True
        async with aclosing(self._speaker.speak(clause, self._call)) as sounds:
            async for sound in sounds:
                for samples, words, last in self._sliced(sound, made_s, first=first):
                    slice_ = _Slice(clause, samples, words, sound.last and last)
                    await self._out.put(_Tagged(generation, slice_))
                    if generation != self._generation:
                        return
                first = False
                made_s += len(sound.samples) / self._rate

    def _sliced(
        self, sound: ClauseSound, begins_s: float, *, first: bool
    ) -> Iterator[tuple[Samples, tuple[TimedWord, ...], bool]]:
        """Parts of a sound that are short enough, each with the words that begin in it.

        Args:
            sound: a part of a clause.
            begins_s: where in the clause it begins, in seconds.
            first: whether the clause begins with it.
        """
        size = round((FIRST_SLICE_S if first else SLICE_S) * self._rate)
        rest, words, last = sound.samples, sound.words, False
        while not last:
            part, rest = rest[:size], rest[size:]
            begins_s += len(part) / self._rate
            last = not len(rest)
            begun = tuple(word for word in words if last or word.start_s < begins_s)
            words = words[len(begun) :]
            yield part, begun, last
            size = round(SLICE_S * self._rate)

    @property
    def _rate(self) -> int:
        return self._call.request.voice.sample_rate_hertz

    # The caller's side.

    async def _events(self) -> AsyncGenerator[SpeechEvent, None]:
        timeline = Timeline()
        item: _Tagged | CancelledSpeech | _End | None = None
        while not isinstance(item, _End):
            item = await self._out.get()
            if self._failure is not None:
                raise self._failure
            event = await self._event_of(item, timeline)
            self._out.task_done()
            if event is not None:
                yield event
        tail = timeline.tail(await self._pool.run(self._chain.finish))
        if tail is not None:
            yield tail
        yield FinishedSpeech(self._planner.position, timeline.position, self._watch.timings)

    async def _event_of(
        self, item: _Tagged | CancelledSpeech | _End, timeline: Timeline
    ) -> SpeechEvent | None:
        match item:
            case _Tagged(generation, content) if generation == self._generation:
                if isinstance(content, FlushedSpeech):
                    return content
                # Sent even if a cancel comes meanwhile: what is encoded is part of the file.
                return await self._encoded(content, timeline)
            case CancelledSpeech():
                self._chain.reset()
                return item
        return None

    async def _encoded(self, part: _Slice, timeline: Timeline) -> SpeechEvent | None:
        if part.clause is not self._placed:
            self._placed = part.clause
            self._placed_s = timeline.begins_s(self._call.request)
        audio = await self._pool.run(
            lambda: self._chain.push(part.samples, end=part.end, prosody=part.clause.prosody)
        )
        words = [moved(word, self._placed_s) for word in part.words]
        event = timeline.place(part.clause, audio, end=part.end, words=words)
        if event is not None:
            self._watch.heard()
        return event


async def _next_or_none(texts: AsyncIterator[TextEvent]) -> TextEvent | None:
    try:
        return await anext(texts)
    except StopAsyncIteration:
        return None


def _length(item: Clause | FlushText | None) -> int:
    return len(item.text) if isinstance(item, Clause) else 1
