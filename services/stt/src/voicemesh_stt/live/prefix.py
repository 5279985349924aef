"""The words of an open turn that are settled, so that its audio is not recognised again and again.

A turn's words are wanted at every pause and in between. Recognised from its start each time, a long
turn costs more and more, and its end comes later and later. So once a stretch is long, its words up
to a pause are kept, and only what follows (the tail) is recognised from then on.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from voicemesh_chassis.errors import ServiceError
from voicemesh_stt.domain import RecognitionOptions, Timings
from voicemesh_stt.passages import Heard
from voicemesh_stt.ports import FRAME_S

if TYPE_CHECKING:
    import asyncio

    from voicemesh_stt.live.audio import TurnAudio
    from voicemesh_stt.live.turns import Resumed, SoftStopped

__all__ = ("Candidate", "Prefix", "candidate_at_pause", "cut_frame")

_LEAST_PAUSE = round(0.3 / FRAME_S)
"""Frames of silence that make a pause: shorter ones are inside of phrases."""
_LEAST_TAIL = round(6.0 / FRAME_S)
"""Frames worth settling: the recogniser needs words around each other."""
_LEAST_VOICE = round(0.2 / FRAME_S)
"""Frames of voice after a pause, as open a turn: a click is no tail to be recognised alone."""
_LONGEST_LEAD = round(0.3 / FRAME_S)
"""Frames of the pause that are kept before the tail's voice."""
_LONGEST_TAIL = round(20.0 / FRAME_S)
"""Frames after which a voice without pauses is cut; some room is left to the longest job."""
_CUT_FROM, _CUT_TO = round(12.0 / FRAME_S), round(0.5 / FRAME_S)
"""Where it may be cut: so many frames from the tail's start, and so many from now."""


_NOTHING = Heard((), None, Timings())


@dataclass(frozen=True)
class Prefix:
    """What is settled of a turn."""

    end_frame: int
    """Where the tail begins; frames are numbered from the start of the stream."""
    heard: Heard = _NOTHING
    """The words before it."""

    def with_tail(self, tail: Heard) -> Heard:
        """The words of the turn."""
        return Heard(
            self.heard.segments + tail.segments,
            self.heard.language or tail.language,
            self.heard.timings + tail.timings,
        )

    def followed_by(self, options: RecognitionOptions) -> RecognitionOptions:
        """How to recognise the tail: in the language of what was said before."""
        if options.language is not None or self.heard.language is None:
            return options
        return replace(options, language=self.heard.language.code)


@dataclass(frozen=True)
class Candidate:
    """Words that may be settled."""

    words: asyncio.Task[Heard]
    """They; those of the tail so far."""
    end_frame: int
    """Where the tail begins once they are."""
    due_frame: int
    """When they may be: the frame before which too little of a voice has followed."""

    @property
    def is_ready(self) -> bool:
        """Whether it is known whether there are words."""
        return self.words.done()

    def settled(self, prefix: Prefix) -> Prefix | None:
        """The longer prefix; None if the words could not be had."""
        if self.words.cancelled() or isinstance(self.words.exception(), ServiceError):
            return None
        return Prefix(self.end_frame, prefix.with_tail(self.words.result()))


def candidate_at_pause(
    prefix: Prefix, stop: SoftStopped, resumed: Resumed, words: asyncio.Task[Heard]
) -> Candidate | None:
    """The words of a soft stop that was taken back, if they may be settled."""
    if resumed.voice_frame - stop.voice_end_frame < _LEAST_PAUSE:
        return None
    if stop.voice_end_frame - prefix.end_frame < _LEAST_TAIL:
        return None
    end = max(stop.end_frame, resumed.voice_frame - _LONGEST_LEAD)
    return Candidate(words, end, resumed.voice_frame + _LEAST_VOICE)


def cut_frame(prefix: Prefix, now: int, audio: TurnAudio) -> int | None:
    """Where a voice that does not pause is to be cut at frame `now`; None while it is not long."""
    if now - prefix.end_frame < _LONGEST_TAIL:
        return None
    return audio.weakest(prefix.end_frame + _CUT_FROM, now - _CUT_TO)
