"""The words of one turn of a live stream: partial, ready at a soft stop, final.

Words are prepared at the soft stop, while the turn may still go on. If it does not, the final is
those same words and costs nothing more.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from voicemesh_chassis.errors import ServiceError
from voicemesh_stt.agreement import LocalAgreement
from voicemesh_stt.end_of_turn import judge_words
from voicemesh_stt.errors import JobExpiredError, QueueFullError
from voicemesh_stt.events import Final, Partial, SoftFinal, SpeechStarted, TurnResumed
from voicemesh_stt.passages import Asking, Heard, Passage, hear, language_of
from voicemesh_stt.ports import Lane, Transcriber
from voicemesh_stt.turns import FRAME_S, Resumed, SoftStopped, TurnOpened, TurnOver, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from voicemesh_stt.domain import RecognitionOptions, Segment, SpeechModel
    from voicemesh_stt.outbox import Outbox

__all__ = ("LiveTurn", "TurnParts")


@dataclass(frozen=True)
class TurnParts:
    """What the turns of one stream share."""

    transcriber: Transcriber
    """Where the words come from."""
    outbox: Outbox
    """Where events go."""
    options: RecognitionOptions
    """How to recognise."""
    model: SpeechModel
    """The model that is used."""
    job_timeout_s: float
    """Longest time from asking the engine to its words, in seconds."""
    judge: Callable[[int, int, Verdict], None]
    """Told what the words of a soft stop sound like: turn, revision, verdict."""


class LiveTurn:
    """One turn. It owns the tasks that recognise its audio; `aclose` ends them."""

    def __init__(self, parts: TurnParts, opened: TurnOpened) -> None:
        self._parts = parts
        self._opened = opened
        self._agreement = LocalAgreement()
        self._revision = 0
        self._told = 0  # the revision of the last soft final that was sent
        self._prepared: asyncio.Task[Heard] | None = None
        self._partial: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[Any]] = set()
        self.partial_s = 0.0
        """How long the last partial took, from asking to words, in seconds."""

    @property
    def takes_partial(self) -> bool:
        """Whether no partial is being made."""
        return self._partial is None

    async def begin(self) -> None:
        """Tells that somebody began to speak."""
        start_s = self._opened.voice_frame * FRAME_S
        await self._parts.outbox.put(SpeechStarted(self._opened.turn_id, 0, start_s))

    def start_partial(self, passage: Passage) -> None:
        """Makes a partial of the audio so far, unless the engine has other work."""
        self._partial = self._task(self._tell_partial(passage), "partial")

    def prepare(self, stop: SoftStopped, passage: Passage) -> None:
        """Makes words ready at a soft stop."""
        self._drop_partial()
        self._revision = stop.revision
        self._prepared = self._task(self._tell_soft_final(stop, passage), "soft-final")

    async def prepared(self) -> None:
        """Waits until the words of the last soft stop are there, or cannot be had."""
        if self._prepared is not None:
            await asyncio.wait({self._prepared})

    async def resume(self, resumed: Resumed) -> None:
        """Takes the last soft stop back."""
        if self._prepared is not None:
            self._prepared.cancel()
            self._prepared = None
        if self._told == resumed.revision:
            at_s = resumed.voice_frame * FRAME_S
            event = TurnResumed(resumed.turn_id, resumed.revision, at_s)
            await self._parts.outbox.put(event)

    async def finish(self, over: TurnOver, passage: Passage, voice_arrived_s: float) -> Final:
        """Sends and returns the final.

        Args:
            over: the machine's decision.
            passage: the audio of the whole turn.
            voice_arrived_s: when its last voice came, on the monotonic clock.

        Raises:
            ServiceError: if its words cannot be had.
        """
        self._drop_partial()
        heard = await self._words(over, passage)
        final = Final(
            turn_id=over.turn_id,
            revision=over.revision,
            segments=heard.segments,
            confidence=_confidence(heard.segments),
            language=language_of(heard, self._parts.options, self._parts.model),
            speech_start_s=over.voice_frame * FRAME_S,
            speech_end_s=over.voice_end_frame * FRAME_S,
            timings=heard.timings,
            reason=over.reason,
            latency_s=max(0.0, time.monotonic() - voice_arrived_s),
            model=self._parts.model.name,
        )
        await self._parts.outbox.put(final)
        return final

    async def aclose(self) -> None:
        """Ends all work on this turn."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def _words(self, over: TurnOver, passage: Passage) -> Heard:
        if self._prepared is not None and self._revision == over.revision:
            try:
                return await self._prepared
            except QueueFullError:
                pass  # there was no room at the soft stop; now the words are really needed
        return await self._hear(passage, Lane.LIVE, self._parts.options)

    async def _tell_partial(self, passage: Passage) -> None:
        options = replace(self._parts.options, word_timestamps=False, beam_size=1)
        begun_s = time.monotonic()
        try:
            heard = await self._hear(passage, Lane.PARTIAL, options)
        except (QueueFullError, JobExpiredError):
            return  # partials are the first thing to go under load
        self.partial_s = time.monotonic() - begun_s
        if not heard.text:
            return
        text = self._agreement.update(heard.text)
        turn_id = self._opened.turn_id
        event = Partial(turn_id, self._revision, text.stable, text.unstable, text.stability)
        self._parts.outbox.offer(event)

    async def _tell_soft_final(self, stop: SoftStopped, passage: Passage) -> Heard:
        heard = await self._hear(passage, Lane.LIVE, self._parts.options)
        self._parts.judge(stop.turn_id, stop.revision, judge_words(heard.text))
        if heard.text:
            end_s = stop.voice_end_frame * FRAME_S
            event = SoftFinal(stop.turn_id, stop.revision, heard.text, end_s)
            await self._parts.outbox.put(event)
            self._told = stop.revision
        return heard

    async def _hear(self, passage: Passage, lane: Lane, options: RecognitionOptions) -> Heard:
        deadline_s = time.monotonic() + self._parts.job_timeout_s
        return await hear(self._parts.transcriber, passage, Asking(options, lane, deadline_s))

    def _drop_partial(self) -> None:
        if self._partial is not None:
            self._partial.cancel()
            self._partial = None

    def _task(self, work: Coroutine[Any, Any, Any], name: str) -> asyncio.Task[Any]:
        task = asyncio.create_task(work, name=f"stt-{name}")
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if task is self._partial:
            self._partial = None
        error = None if task.cancelled() else task.exception()
        # A ServiceError is raised again, or made good, when the turn is over.
        if error is not None and not isinstance(error, ServiceError):
            self._parts.outbox.fail(error)


def _confidence(segments: tuple[Segment, ...]) -> float:
    """The mean over segments, weighted by their length; 0 without words."""
    weights = [max(segment.end_s - segment.start_s, 0.01) for segment in segments]
    if not weights:
        return 0.0
    parts = (weight * segment.confidence for weight, segment in zip(weights, segments, strict=True))
    return sum(parts) / sum(weights)
