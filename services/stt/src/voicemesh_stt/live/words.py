"""The words of one turn of a live stream: partial, ready at a soft stop, final.

Words are prepared at the soft stop, while the turn may still go on. If it does not, the final is
those same words and costs nothing more. Sound and words then say each on its own how long to wait:
the sound is judged at once, the words once they are there.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from voicemesh_chassis.errors import ServiceError
from voicemesh_stt.errors import JobExpiredError, JobSupersededError, QueueFullError
from voicemesh_stt.events import Final, Partial, SoftFinal, SpeechStarted, TurnResumed
from voicemesh_stt.live.agreement import LocalAgreement
from voicemesh_stt.live.end_of_turn import judge
from voicemesh_stt.live.prefix import Candidate, Prefix, candidate_at_pause
from voicemesh_stt.passages import Asking, Heard, Passage, hear, language_of
from voicemesh_stt.ports import FRAME_S, Lane, Samples, Transcriber

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Hashable

    from voicemesh_stt.domain import RecognitionOptions, Segment, SpeechModel
    from voicemesh_stt.live.outbox import Outbox
    from voicemesh_stt.live.turns import Resumed, SoftStopped, TurnOpened, TurnOver, Verdict

__all__ = ("LiveTurn", "TurnParts")

_NO_WORDS_NOW = (QueueFullError, JobExpiredError, JobSupersededError)
"""What the engine may say where there is too much to do; a final is asked for again."""
_SOUND_GRACE_S = 0.05
"""How long words that are ready wait for the sound to be judged, so that they carry both."""


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
    """Told what a soft stop sounds like: turn, revision, verdict."""
    sound: Callable[[Samples], Awaitable[float | None]]
    """The probability that a turn is complete, by its sound; None if nothing says so."""
    words_took: Callable[[float], None]
    """Told how long the words of a soft stop took, in seconds."""
    caller: Hashable
    """The stream, as the engine's scheduler knows it."""


class LiveTurn:
    """One turn. It owns the tasks that recognise its audio; `aclose` ends them."""

    def __init__(self, parts: TurnParts, opened: TurnOpened) -> None:
        self._parts = parts
        self._opened = opened
        self._agreement = LocalAgreement()
        self._prefix = Prefix(opened.first_frame)
        self._candidate: Candidate | None = None
        self._stop: SoftStopped | None = None
        self._told = 0  # the revision of the last soft final that was sent
        self._prepared: asyncio.Task[Heard] | None = None  # the tail at the last soft stop
        self._sound: asyncio.Task[float | None] | None = None
        self._telling: asyncio.Task[None] | None = None
        self._partial: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[Any]] = set()
        self.partial_s = 0.0
        """How long the last partial took, from asking to words, in seconds."""

    @property
    def prefix(self) -> Prefix:
        """What is settled so far."""
        return self._prefix

    @property
    def takes_partial(self) -> bool:
        """Whether no partial is being made, nor words that would make it pointless."""
        return self._partial is None and (self._candidate is None or self._candidate.is_ready)

    async def begin(self) -> None:
        """Tells that somebody began to speak."""
        start_s = self._opened.voice_frame * FRAME_S
        await self._parts.outbox.put(SpeechStarted(self._opened.turn_id, 0, start_s))

    def start_partial(self, tail: Passage) -> None:
        """Makes a partial of the audio so far, unless the engine has other work."""
        self._partial = self._task(self._tell_partial(tail), "partial")

    def prepare(self, stop: SoftStopped, tail: Passage, sound: Samples) -> None:
        """Makes words ready at a soft stop, and has its sound judged.

        Args:
            stop: the machine's decision.
            tail: the audio after the prefix.
            sound: the last seconds of the turn's audio.
        """
        self._drop_partial()
        self._drop_candidate()
        self._stop = stop
        self._sound = self._task(self._judge_sound(stop, sound), "end-of-turn")
        self._prepared = self._task(self._timed_words(tail), "words")
        self._telling = self._task(self._tell_soft_final(stop, self._prepared), "soft-final")

    async def prepared(self) -> None:
        """Waits until all that the last soft stop asked for is there, or cannot be had."""
        asked = (self._prepared, self._sound, self._telling)
        if tasks := {task for task in asked if task is not None}:
            await asyncio.wait(tasks)

    async def resume(self, resumed: Resumed) -> None:
        """Takes the last soft stop back; its words may be settled later, see `settle`."""
        for task in (self._sound, self._telling):
            if task is not None:
                task.cancel()
        if self._prepared is not None and self._stop is not None:
            self._candidate = candidate_at_pause(self._prefix, self._stop, resumed, self._prepared)
            if self._candidate is None:
                self._prepared.cancel()
        self._prepared = self._sound = self._telling = None
        if self._told == resumed.revision:
            at_s = resumed.voice_frame * FRAME_S
            event = TurnResumed(resumed.turn_id, resumed.revision, at_s)
            await self._parts.outbox.put(event)

    def cut(self, tail: Passage, end_frame: int) -> None:
        """Has the words up to a place without a pause made ready, to be settled.

        Args:
            tail: the audio from the prefix to that place.
            end_frame: the place.
        """
        self._drop_partial()
        words = self._task(self._hear(tail, Lane.LIVE), "cut")
        self._candidate = Candidate(words, end_frame, end_frame)

    @property
    def has_candidate(self) -> bool:
        """Whether words that may be settled are there or on their way."""
        return self._candidate is not None

    def settles_at(self, frame: int) -> bool:
        """Whether there is a candidate that may be settled at that frame, once it is ready."""
        return self._candidate is not None and frame >= self._candidate.due_frame

    async def candidate_ready(self) -> None:
        """Waits for the words that may be settled."""
        if self._candidate is not None:
            await asyncio.wait({self._candidate.words})

    def settle(self) -> None:
        """Settles the words that may be, if they are there."""
        candidate = self._candidate
        if candidate is None or not candidate.is_ready:
            return
        self._candidate = None
        longer = candidate.settled(self._prefix)
        if longer is not None:
            self._drop_partial()  # it hears audio whose words are settled now
            said = longer.heard.segments[len(self._prefix.heard.segments) :]
            self._agreement.settle("".join(segment.text for segment in said))
            self._prefix = longer

    async def finish(self, over: TurnOver, tail: Passage, voice_arrived_s: float) -> Final:
        """Sends and returns the final.

        Args:
            over: the machine's decision.
            tail: the audio after the prefix.
            voice_arrived_s: when its last voice came, on the monotonic clock.

        Raises:
            ServiceError: if its words cannot be had.
        """
        self._drop_partial()
        self._drop_candidate()
        heard = self._prefix.with_tail(await self._words(over, tail))
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

    async def _words(self, over: TurnOver, tail: Passage) -> Heard:
        if self._prepared is not None and self._telling is not None:
            try:
                await self._telling  # a soft final goes before its final
                return await self._prepared
            except _NO_WORDS_NOW:
                pass  # there was no room at the soft stop; now the words are really needed
        return await self._hear(tail, Lane.LIVE)

    async def _tell_partial(self, tail: Passage) -> None:
        begun_s = time.monotonic()
        try:
            heard = await self._hear(tail, Lane.PARTIAL)
        except _NO_WORDS_NOW:
            return  # partials are the first thing to go under load
        self.partial_s = time.monotonic() - begun_s
        if not heard.text:
            return
        text = self._agreement.update("".join(segment.text for segment in heard.segments))
        revision = 0 if self._stop is None else self._stop.revision
        event = Partial(self._opened.turn_id, revision, text.stable, text.unstable, text.stability)
        self._parts.outbox.offer(event)

    async def _judge_sound(self, stop: SoftStopped, sound: Samples) -> float | None:
        probability = await self._parts.sound(sound)
        self._judge(stop, probability, None)
        return probability

    async def _timed_words(self, tail: Passage) -> Heard:
        begun_s = time.monotonic()
        heard = await self._hear(tail, Lane.LIVE)
        self._parts.words_took(time.monotonic() - begun_s)
        return heard

    async def _tell_soft_final(self, stop: SoftStopped, words: asyncio.Task[Heard]) -> None:
        await asyncio.wait({words})  # `await words` would cancel them with this: see `resume`
        text = self._prefix.with_tail(words.result()).text
        probability = await self._judged_sound()
        self._judge(stop, probability, text)
        if text:
            end_s = stop.voice_end_frame * FRAME_S
            event = SoftFinal(stop.turn_id, stop.revision, text, end_s, probability)
            await self._parts.outbox.put(event)
            self._told = stop.revision

    async def _judged_sound(self) -> float | None:
        if self._sound is None:
            return None
        await asyncio.wait({self._sound}, timeout=_SOUND_GRACE_S)
        done = self._sound.done() and not self._sound.cancelled()
        return self._sound.result() if done else None

    def _judge(self, stop: SoftStopped, probability: float | None, text: str | None) -> None:
        verdict = judge(probability, text)
        if verdict is not None:
            self._parts.judge(stop.turn_id, stop.revision, verdict)

    async def _hear(self, passage: Passage, lane: Lane) -> Heard:
        parts = self._parts
        options = self._prefix.followed_by(parts.options)
        if lane is Lane.PARTIAL:
            options = replace(options, word_timestamps=False, beam_size=1)
        asking = Asking(
            options,
            lane,
            time.monotonic() + parts.job_timeout_s,
            model=parts.model.name,
            caller=parts.caller,
            turn=(parts.caller, self._opened.turn_id),
        )
        return await hear(parts.transcriber, passage, asking)

    def _drop_partial(self) -> None:
        if self._partial is not None:
            self._partial.cancel()
            self._partial = None

    def _drop_candidate(self) -> None:
        if self._candidate is not None:
            self._candidate.words.cancel()
            self._candidate = None

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
