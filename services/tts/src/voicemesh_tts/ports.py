"""What the service needs from a speech engine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from voicemesh_tts.domain import Utterance, Voice, WordTime

__all__ = (
    "REFERENCE_RATE_HERTZ",
    "Piece",
    "Samples",
    "SpeechDetector",
    "VoiceCloner",
    "VoiceEngine",
    "VoiceMixer",
)

REFERENCE_RATE_HERTZ = 24_000
"""Rate of the recordings that voices are cloned from."""

Samples: TypeAlias = NDArray[np.float32]
"""Sound, float32 [samples], one channel, at the voice's own rate, about -1 to 1."""


@dataclass(frozen=True)
class Piece:
    """A part of the sound of an utterance."""

    samples: Samples
    """The sound; may be empty."""

    last: bool
    """Whether the utterance ends with it."""

    words: tuple[WordTime, ...] = ()
    """When the words that end in it are spoken; none if the engine does not know."""


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

    def unload(self, voice: str) -> None:
        """Gives back the memory of a voice; does nothing if it is not loaded.

        Not called while it speaks; `load` or `speak` bring it back.
        """
        ...

    def memory_bytes(self, voice: str) -> int:
        """Memory that a loaded voice takes up, about; 0 if it is not loaded. Does not block."""
        ...

    def close(self) -> None:
        """Gives back what would outlive it, such as processes. Called once nobody speaks."""
        ...


class VoiceCloner(Protocol):
    """An engine that can speak like somebody who was recorded. All methods block."""

    @property
    def name(self) -> str:
        """The part of its voices' ids before the colon."""
        ...

    def pattern(self) -> Voice:
        """What a voice made by it is like: languages, rate, licence, capabilities.

        Its id and name mean nothing.

        Raises:
            StartupError: if no model is set up to clone with.
        """
        ...

    def create(self, reference: Samples, directory: Path) -> None:
        """Works out what it needs of a recording and writes it into an empty directory.

        Args:
            reference: one person speaking, float32 [samples] at `REFERENCE_RATE_HERTZ`.
            directory: where its files go.

        Raises:
            StartupError: if the model that clones cannot be loaded.
            OSError: if a file cannot be written.
        """
        ...

    def add(self, voice: Voice, directory: Path) -> None:
        """Makes a cloned voice known, of the directory that `create` filled."""
        ...

    def remove(self, voice: str) -> None:
        """Forgets a cloned voice; does nothing if it is not known."""
        ...


class VoiceMixer(Protocol):
    """An engine with more voices than can be listed, such as blends of them."""

    @property
    def name(self) -> str:
        """The part of its voices' ids before the colon."""
        ...

    def find(self, voice: str) -> Voice | None:
        """The voice of an id, listed or not; None if there is none. Blocks; raises nothing."""
        ...


class SpeechDetector(Protocol):
    """Tells speech from everything else. Its method blocks."""

    def speech(self, reference: Samples) -> NDArray[np.bool_]:
        """Where somebody speaks.

        Args:
            reference: float32 [samples] at `REFERENCE_RATE_HERTZ`.

        Returns:
            bool [samples], of the same length.
        """
        ...
