"""One live stream, from what a caller sends to the events of its turns.

    items ─▶ Hearing (audio thread) ─▶ TurnMachine ─▶ LiveTurn ─▶ Outbox ─▶ events

One task listens and decides; the caller's task takes the events. Audio time is the clock of every
decision. Where a stream comes faster than real time there is no haste, and the listener waits for
the words that a decision depends on; so the same audio gives the same turns at any speed, and a
caller cannot run ahead of the engine by more than a turn.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import aclosing
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from voicemesh_stt.domain import (
    AudioFormat,
    Encoding,
    FinishTurn,
    LiveItem,
    RecognitionOptions,
    SpeechModel,
    TurnDetection,
)
from voicemesh_stt.errors import DrainingError, StreamIdleError
from voicemesh_stt.events import EndReason, TurnEvent
from voicemesh_stt.live.audio import LONGEST_JOB_S, TurnAudio
from voicemesh_stt.live.hearing import Frame, Hearing
from voicemesh_stt.live.items import Leave, LiveItems, Quiet
from voicemesh_stt.live.outbox import Outbox
from voicemesh_stt.live.prefix import cut_frame
from voicemesh_stt.live.soft_stop import SoftStopPacing
from voicemesh_stt.live.sound import TurnSound
from voicemesh_stt.live.turns import (
    Decision,
    Resumed,
    SoftStopped,
    TurnMachine,
    TurnOpened,
    TurnOver,
)
from voicemesh_stt.live.words import LiveTurn, TurnParts
from voicemesh_stt.ports import FRAME_S

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine
    from concurrent.futures import Executor

    from voicemesh_stt.passages import Passage
    from voicemesh_stt.ports import (
        EndOfTurnModel,
        LiveDecoder,
        StreamObserver,
        Transcriber,
        VoiceDetector,
    )

__all__ = ("LiveConfig", "LiveLimits", "LiveStream", "LiveStreams")

_AHEAD_S = 0.25
"""How far the audio may be ahead of the wall clock and still count as live: network bursts."""
_PARTIAL_REST = 2.0
"""Partials are at least this many times as far apart as one takes, so that they leave time."""
_SOUND_FRAMES = round(8.0 / FRAME_S)
"""Frames of a turn that its sound is judged by."""
_CUT_REST = round(2.0 / FRAME_S)
"""Frames after which a voice that could not be cut is cut again."""

T = TypeVar("T")


@dataclass(frozen=True)
class LiveConfig:
    """What a caller wants of a live stream."""

    audio_format: AudioFormat
    """How the audio is encoded: headerless or Opus packets."""
    options: RecognitionOptions
    """How to recognise it."""
    detection: TurnDetection
    """When turns begin and end."""
    partials: bool
    """Whether words are wanted in the middle of a turn."""


@dataclass(frozen=True)
class LiveLimits:
    """Bounds of every live stream, in seconds."""

    idle_timeout_s: float = 60.0
    """Longest time without audio."""
    job_timeout_s: float = 30.0
    """Longest time from asking the engine to its words."""
    partial_interval_s: float = 0.3
    """Least audio between two partials."""
    read_timeout_s: float = 30.0
    """Longest time that events wait for a caller who does not read."""
    drain_turn_s: float = 10.0
    """Longest time that an open turn may go on once the service is about to stop."""


@dataclass(frozen=True)
class LiveStreams:
    """What all live streams share; makes one for each caller."""

    transcriber: Transcriber
    """Where the words come from."""
    new_decoder: Callable[[AudioFormat], LiveDecoder]
    """Makes a decoder for one stream."""
    new_detector: Callable[[], VoiceDetector]
    """Makes a voice detector for one stream."""
    threads: Executor
    """Where decoding and detection run."""
    observer: StreamObserver
    """Is told how streams go."""
    limits: LiveLimits
    """Bounds of each stream."""
    end_of_turn: Callable[[], EndOfTurnModel | None] = lambda: None
    """What judges the sound of turns, once it is loaded; without it timing and words decide."""
    draining: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the service is about to stop: each stream then ends after its open turn."""
    pacing: SoftStopPacing = field(default_factory=SoftStopPacing)
    """How soon soft stops are made where the caller leaves it to the service."""

    @cached_property
    def sound(self) -> TurnSound:
        """Asks `end_of_turn` for all streams."""
        return TurnSound(self.end_of_turn, self.threads)

    async def before_drain(self, first: Coroutine[Any, Any, T]) -> T:
        """What a stream waits for before it can be opened.

        Raises:
            DrainingError: if the service is about to stop before it comes.
        """
        coming = asyncio.ensure_future(first)
        stopping = asyncio.ensure_future(self.draining.wait())
        try:
            await asyncio.wait({coming, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if not coming.done():
                raise DrainingError
            return coming.result()
        finally:
            coming.cancel()
            stopping.cancel()
            await asyncio.gather(coming, stopping, return_exceptions=True)

    def open(self, config: LiveConfig, model: SpeechModel) -> LiveStream:
        """A stream that has not begun; nothing runs until its events are asked for."""
        return LiveStream(self, config, model)


class LiveStream:
    """One stream; `events` runs it once."""

    def __init__(self, shared: LiveStreams, config: LiveConfig, model: SpeechModel) -> None:
        self._shared = shared
        self._config = config
        self._hearing = Hearing(shared.new_decoder(config.audio_format), shared.new_detector())
        self._machine = TurnMachine(config.detection)
        self._audio = TurnAudio(config.detection.start_threshold, config.detection.end_threshold)
        self._outbox = Outbox(patience_s=shared.limits.read_timeout_s)
        self._parts = TurnParts(
            transcriber=shared.transcriber,
            outbox=self._outbox,
            options=config.options,
            model=model,
            job_timeout_s=shared.limits.job_timeout_s,
            judge=self._machine.judge,
            sound=shared.sound.probability,
            words_took=shared.pacing.words_took,
            caller=object(),  # not this: whoever counts by callers must not keep it alive
        )
        self._turn: LiveTurn | None = None
        self._closing: asyncio.Task[None] | None = None
        self._begun_s: float | None = None
        self._voice_s = 0.0  # when the last voice came
        self._next_partial = 0  # the frame from which one may be made
        self._next_cut = 0  # the frame from which a voice without pauses may be cut

    async def events(self, items: AsyncIterator[LiveItem]) -> AsyncGenerator[TurnEvent]:
        """The events of all turns; ends when `items` does, after the final of an open turn.

        Closing the generator, or cancelling the task that iterates, ends all work at once.

        Raises:
            ServiceError: if the stream cannot go on; events made before it come first.
        """
        limits, draining = self._shared.limits, self._shared.draining
        reader = LiveItems(items, limits.idle_timeout_s, draining, limits.drain_turn_s)
        listener = asyncio.create_task(self._listen(reader), name="stt-listen")
        listener.add_done_callback(self._ended)
        self._shared.observer.stream_opened()
        try:
            async with aclosing(self._outbox.events()) as events:
                async for event in events:
                    yield event
        finally:
            self._shared.observer.stream_closed()
            listener.cancel()
            await asyncio.wait({listener})
            await reader.aclose()
            await self._aclose()

    def _ended(self, listener: asyncio.Task[None]) -> None:
        error = None if listener.cancelled() else listener.exception()
        if error is not None:
            self._outbox.fail(error)
        else:
            self._outbox.close()

    async def _aclose(self) -> None:
        if self._closing is not None:
            self._closing.cancel()
            await asyncio.wait({self._closing})
        if self._turn is not None:
            await self._turn.aclose()

    async def _listen(self, reader: LiveItems) -> None:
        """Reads to the end; nothing that was said before an idle end is lost."""
        try:
            leaving = await self._hear_out(reader)
        except StreamIdleError:
            await self._end()
            raise
        await self._end()
        if leaving:
            raise DrainingError

    async def _hear_out(self, reader: LiveItems) -> bool:
        """Reads to the end; says whether it was the service's end and not the caller's."""
        draining = False
        while (item := await reader.read(self._wants_quiet)) is not None:
            if isinstance(item, Leave):
                draining = True
                if item.at_once:
                    return True
            else:
                await self._take(item)
            if draining and not self._machine.is_open:
                return True
        return False

    def _wants_quiet(self) -> bool:
        packets = self._config.audio_format.encoding is Encoding.OPUS_PACKETS
        return packets and self._machine.is_open

    async def _take(self, item: LiveItem | Quiet) -> None:
        loop = asyncio.get_running_loop()
        came_s = time.monotonic()
        threads, hearing = self._shared.threads, self._hearing
        if isinstance(item, FinishTurn):
            frames = await loop.run_in_executor(threads, lambda: hearing.settle(ended=False))
            await self._follow(frames, came_s)
            await self._decide(self._machine.finish(EndReason.FINISHED_BY_CALLER))
        elif isinstance(item, Quiet):
            samples = round(item.seconds * 48_000)
            await self._follow(await loop.run_in_executor(threads, hearing.quiet, samples), came_s)
        else:
            await self._follow(
                await loop.run_in_executor(threads, hearing.hear, item, came_s), came_s
            )

    async def _end(self) -> None:
        loop = asyncio.get_running_loop()
        hearing = self._hearing
        rest = await loop.run_in_executor(self._shared.threads, lambda: hearing.settle(ended=True))
        await self._follow(rest, time.monotonic())
        await self._decide(self._machine.finish(EndReason.END_OF_STREAM))
        await self._closed()

    async def _follow(self, frames: list[Frame], came_s: float) -> None:
        """Lets the machine see frames that came at `came_s`, and does what it decides."""
        if self._begun_s is None:
            self._begun_s = came_s
        self._shared.observer.audio_heard(len(frames) * FRAME_S)
        for frame in frames:
            if self._config.detection.soft_stop_s is None:
                self._machine.soft_stop(self._shared.pacing.soft_stop_s)
            if self._machine.awaits_verdict and self._is_ahead() and self._turn is not None:
                await self._turn.prepared()
            self._audio.append(frame.audio, frame.probability)
            decisions = self._machine.frame(frame.probability)
            if self._machine.is_speaking:
                self._voice_s = came_s
            await self._decide(decisions)
            if self._machine.is_speaking:
                await self._settle_words()
                self._maybe_partial()
            self._audio.forget(self._machine.oldest_needed)
            if frame.skipped:
                self._skip(frame.skipped, came_s)

    def _skip(self, frames: int, came_s: float) -> None:
        """Lets a long silence pass that nobody made; from it on, audio is ahead of the clock."""
        self._machine.skip(frames)
        self._audio.skip(frames)
        self._begun_s = came_s - self._machine.now * FRAME_S

    def _is_ahead(self) -> bool:
        begun_s = self._begun_s or 0.0
        return self._machine.now * FRAME_S > time.monotonic() - begun_s + _AHEAD_S

    async def _decide(self, decisions: list[Decision]) -> None:
        for decision in decisions:
            match decision:
                case TurnOpened():
                    await self._closed()
                    self._turn = LiveTurn(self._parts, decision)
                    await self._turn.begin()
                    self._next_partial = decision.voice_frame + self._partial_frames()
                    self._next_cut = 0
                case SoftStopped():
                    turn = self._open_turn()
                    first = max(decision.first_frame, decision.end_frame - _SOUND_FRAMES)
                    sound = self._audio.samples(first, decision.end_frame)
                    turn.prepare(decision, self._tail(turn, decision.end_frame), sound)
                case Resumed():
                    await self._open_turn().resume(decision)
                case TurnOver():
                    # Taken now: the frames are forgotten before the task first runs.
                    tail = self._tail(self._open_turn(), decision.end_frame)
                    finishing = self._finish(decision, tail, self._voice_s)
                    self._closing = asyncio.create_task(finishing, name="stt-finish")
                    self._closing.add_done_callback(self._finished)

    def _open_turn(self) -> LiveTurn:
        if self._turn is None:
            msg = "the turn machine decided about a turn that it has not opened"
            raise RuntimeError(msg)
        return self._turn

    def _tail(self, turn: LiveTurn, end_frame: int) -> Passage:
        """The audio whose words are not settled."""
        return self._audio.passage(turn.prefix.end_frame, end_frame)

    async def _finish(self, over: TurnOver, tail: Passage, voice_s: float) -> None:
        final = await self._open_turn().finish(over, tail, voice_s)
        self._shared.observer.turn_over(final.reason, final.latency_s)

    def _finished(self, task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self._outbox.fail(error)

    async def _closed(self) -> None:
        """Waits for the final of the turn before: turns do not overlap."""
        if self._closing is not None:
            await asyncio.wait({self._closing})
            self._closing.result()
            self._closing = None
        if self._turn is not None:
            await self._turn.aclose()
            self._turn = None

    async def _settle_words(self) -> None:
        """Keeps the tail of a long turn short, while its voice goes on."""
        turn, now = self._open_turn(), self._machine.now
        if not turn.has_candidate and now >= self._next_cut:
            cut = cut_frame(turn.prefix, now, self._audio)
            if cut is not None:
                turn.cut(self._tail(turn, cut), cut)
                self._next_cut = now + _CUT_REST
        if turn.settles_at(now):
            if self._is_ahead():
                await turn.candidate_ready()
            turn.settle()

    def _maybe_partial(self) -> None:
        turn, now = self._open_turn(), self._machine.now
        if not self._config.partials or now < self._next_partial or not turn.takes_partial:
            return
        if (now - turn.prefix.end_frame) * FRAME_S > LONGEST_JOB_S:
            return  # it could not be cut for want of room, which is needed for more than this
        turn.start_partial(self._tail(turn, now))
        self._next_partial = now + self._partial_frames()

    def _partial_frames(self) -> int:
        turn_s = 0.0 if self._turn is None else self._turn.partial_s
        return round(max(self._shared.limits.partial_interval_s, _PARTIAL_REST * turn_s) / FRAME_S)
