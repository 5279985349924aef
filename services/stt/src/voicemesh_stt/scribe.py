"""One speaker's pieces of audio to words, several at a time.

The engine batches what waits for it and shares itself fairly between callers, so a recording comes
out sooner if more than one of its pieces waits. Where the language is to be detected, pieces go
one by one until one has words: its language holds for the rest.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from voicemesh_stt.domain import Language, RecognitionOptions, Segment, SpeechModel, Timings
from voicemesh_stt.errors import JobExpiredError, QueueFullError
from voicemesh_stt.plausibility import plausible
from voicemesh_stt.ports import Job, Lane, Recognition, Samples, Transcriber

if TYPE_CHECKING:
    from collections.abc import Hashable

__all__ = ("MOST_AT_ONCE", "Asking", "Piece", "Scribe", "expected_language")

MOST_AT_ONCE = 8
"""Pieces of one caller that wait for the engine at the same time."""
_LONGEST_REST_S = 5.0
"""Longest wait before a full queue is tried again."""


@dataclass(frozen=True)
class Asking:
    """How the words are wanted."""

    options: RecognitionOptions
    """How to recognise."""
    lane: Lane
    """How urgent it is."""
    deadline_s: float
    """When the answer is no longer wanted, on the monotonic clock."""
    model: str = ""
    """Name of the model; empty means the default one."""
    caller: Hashable = None
    """Who asks; see `ports.Job`."""
    turn: Hashable | None = None
    """What the words are of; see `ports.Job`."""
    patient: bool = False
    """Whether to wait for room also with the first piece, since work would be lost."""


@dataclass(frozen=True, eq=False)
class Piece:
    """Audio that the engine can take at once."""

    audio: Samples
    """The audio."""
    start_s: float
    """When it begins in the recording or stream."""
    voiced_s: float
    """How much of it is voiced, in seconds."""
    channel: int = 0
    """The channel it is of."""


class Scribe:
    """Writes down what one speaker says; belongs to one event loop."""

    def __init__(
        self, transcriber: Transcriber, asking: Asking, room: asyncio.Semaphore | None = None
    ) -> None:
        """Makes a scribe who has heard nothing.

        Args:
            transcriber: where the words come from.
            asking: how they are wanted.
            room: for the pieces that wait for the engine at once, where speakers share it.
        """
        self._transcriber = transcriber
        self._asking = asking
        self._room = room or asyncio.Semaphore(MOST_AT_ONCE)
        self._detecting = asyncio.Lock()
        self._options = asking.options
        self._caller = object() if asking.caller is None else asking.caller
        self._asked = 0
        self.language: Language | None = None
        """The language of the speaker; None as long as there were no words to hear it in."""
        self.timings = Timings()
        """Where the time went."""

    async def write(self, piece: Piece) -> tuple[Segment, ...]:
        """The plausible words of a piece, with times from the start of the recording or stream.

        Call it for each piece, in order of time; as many calls as you like may be open.

        Raises:
            QueueFullError: if there is no room; of a recording, only for its first piece, since
                later ones wait for room, so that no work is lost.
            JobExpiredError: if the deadline has passed.
        """
        if self._options.language is None:
            async with self._detecting:  # lets them in in the order in which they came
                if self._options.language is None:
                    return await self._written(piece)
        return await self._written(piece)

    async def _written(self, piece: Piece) -> tuple[Segment, ...]:
        async with self._room:
            job, found = await self._recognised(piece)
        self.timings += Timings(queue_s=found.queue_s, inference_s=found.inference_s)
        kept = plausible(found.segments, voiced_s=piece.voiced_s, audio_s=job.audio_s)
        if self.language is None and (kept or self._options.language is not None):
            self.language = found.language
            self._options = replace(self._options, language=found.language.code)
        return tuple(_placed(segment, piece) for segment in kept)

    async def _recognised(self, piece: Piece) -> tuple[Job, Recognition]:
        number = self._asked
        self._asked += 1
        patient = self._asking.patient or (number > 0 and self._asking.lane is Lane.BULK)
        while True:
            job = self._job(piece, number)
            try:
                return job, await self._transcriber.transcribe(job)
            except QueueFullError as error:
                if not patient:
                    raise
                rest_s = min(error.retry_after_s or 0.0, _LONGEST_REST_S, job.timeout_s)
            await asyncio.sleep(rest_s)

    def _job(self, piece: Piece, number: int) -> Job:
        asking = self._asking
        # A newer job replaces one of the same turn: the pieces of one asking must not do so.
        turn = asking.turn if number == 0 or asking.turn is None else (asking.turn, number)
        timeout_s = asking.deadline_s - time.monotonic()
        if timeout_s <= 0:
            msg = "the audio could not be recognised in the time allowed"
            raise JobExpiredError(msg)
        return Job(
            piece.audio,
            self._options,
            asking.lane,
            timeout_s,
            model=asking.model,
            caller=self._caller,
            turn=turn,
        )


def expected_language(options: RecognitionOptions, model: SpeechModel) -> RecognitionOptions:
    """The options, with the language that needs no detecting because the model knows no other."""
    if options.language is not None or model.is_multilingual:
        return options
    return replace(options, language=model.language_codes[0])


def _placed(segment: Segment, piece: Piece) -> Segment:
    words = tuple(
        replace(word, start_s=word.start_s + piece.start_s, end_s=word.end_s + piece.start_s)
        for word in segment.words
    )
    return replace(
        segment,
        start_s=segment.start_s + piece.start_s,
        end_s=segment.end_s + piece.start_s,
        words=words,
        channel=piece.channel,
    )
