"""What the service needs from a speech engine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from voicemesh_tts.domain import Utterance, Voice

__all__ = ("Piece", "Samples", "VoiceEngine")

Samples: TypeAlias = NDArray[np.float32]
"""Sound, float32 [samples], one channel, at the voice's own rate, about -1 to 1."""


@dataclass(frozen=True)
class Piece:
    """A part of the sound of an utterance."""

    samples: Samples
    """The sound; may be empty."""

    last: bool
    """Whether the utterance ends with it."""


class VoiceEngine(Protocol):
    """A speech engine with its voices.

    All methods block and are called in worker threads, several at once; an engine whose library
    is not thread-safe keeps a lock of its own.
    """

    @property
    def name(self) -> str:
        """The part of its voices' ids before the colon."""
        ...

    def voices(self) -> Sequence[Voice]:
        """The voices that are installed, found without loading any. Reads files; raises nothing."""
        ...

    def is_loaded(self, voice: str) -> bool:
        """Whether the voice is in memory and speaks at once. Does not block."""
        ...

    def load(self, voice: str) -> None:
        """Loads and warms a voice; does nothing if it is loaded.

        Raises:
            StartupError: if the engine or the voice's files cannot be used; the message is one
                sentence: what, where, how to mend.
        """
        ...

    def speak(self, utterance: Utterance) -> Iterator[Piece]:
        """The sound of the utterance, in order, each piece as soon as it exists.

        Loads the voice if need be. The pieces are one continuous sound; the last one says so, and
        an utterance without any sound has no pieces. Each `next` is one turn of the engine:
        between two of them other callers are served, and a caller who is gone is noticed. May be
        dropped half-way, and is then never resumed; calls of `next` do not overlap but may come
        from different threads.

        Raises:
            StartupError: as `load`, at the first `next`.
            UnpronounceableTextError: if the text is one that the engine cannot cope with.
        """
        ...

    def close(self) -> None:
        """Gives back what would outlive it, such as processes. Called once nobody speaks."""
        ...
