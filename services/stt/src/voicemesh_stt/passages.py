"""The words of a passage of audio of any length, by jobs that the engine can take."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from voicemesh_stt.domain import Language, RecognitionOptions, Segment, SpeechModel, Timings
from voicemesh_stt.ports import FRAME_S, FRAME_SAMPLES
from voicemesh_stt.scribe import Asking, Piece, Scribe

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterable, Sequence
    from typing import Any

    from voicemesh_stt.chunks import Chunk
    from voicemesh_stt.ports import Samples, Transcriber

__all__ = ("Asking", "Heard", "Passage", "hear", "in_order", "language_of")

_UNDETERMINED = Language("und", 0.0)

T = TypeVar("T")


@dataclass(frozen=True)
class Passage:
    """Audio and the pieces of it in which somebody speaks."""

    audio: Samples
    """The audio."""
    chunks: Sequence[Chunk]
    """Its pieces, in order; frames are counted from the start of `audio`."""
    start_s: float = 0.0
    """When the audio begins in the recording or stream."""
    channel: int = 0
    """The channel it is of."""


@dataclass(frozen=True)
class Heard:
    """The words of a passage."""

    segments: tuple[Segment, ...]
    """Stretches of speech; times are from the start of the recording or stream."""
    language: Language | None
    """The language; None if there was nothing to hear it in."""
    timings: Timings
    """Where the time went."""

    @property
    def text(self) -> str:
        """All words."""
        return "".join(segment.text for segment in self.segments).strip()


async def hear(
    transcriber: Transcriber,
    passage: Passage,
    asking: Asking,
    room: asyncio.Semaphore | None = None,
) -> Heard:
    """The words of a passage, several pieces at a time; see `scribe`.

    The first piece that fails ends the others.

    Args:
        transcriber: where the words come from.
        passage: what is to be heard.
        asking: how the words are wanted.
        room: for the pieces that wait for the engine at once, where passages share it.

    Raises:
        QueueFullError: if there is no room for a piece; see `Scribe.write`.
        JobExpiredError: if the deadline has passed.
    """
    scribe = Scribe(transcriber, asking, room)
    parts = await in_order(scribe.write(_piece(passage, chunk)) for chunk in passage.chunks)
    return Heard(
        tuple(segment for part in parts for segment in part), scribe.language, scribe.timings
    )


async def in_order(work: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """What all of it comes to, done at the same time; the first failure ends the rest.

    When it returns or raises, none of it is running any more.
    """
    tasks = [asyncio.ensure_future(each) for each in work]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def language_of(heard: Heard, options: RecognitionOptions, model: SpeechModel) -> Language:
    """The language and how it was found, also where nobody spoke."""
    if options.language is not None:
        return Language(options.language, 1.0)
    if not model.is_multilingual:
        return Language(model.language_codes[0], 1.0)
    return heard.language or _UNDETERMINED


def _piece(passage: Passage, chunk: Chunk) -> Piece:
    first, end = chunk.first_frame * FRAME_SAMPLES, chunk.end_frame * FRAME_SAMPLES
    return Piece(
        audio=passage.audio[first:end],
        start_s=passage.start_s + chunk.first_frame * FRAME_S,
        voiced_s=chunk.voiced_frames * FRAME_S,
        channel=passage.channel,
    )
