"""Recordings of any length: what goes up, and what comes back while it does.

(Segment | FileProgress)*  FileSummary
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterable, Iterable
from dataclasses import dataclass
from typing import BinaryIO, TypeAlias

from voicemesh_client.transcripts import (
    DetectedLanguage,
    RecognitionTimings,
    Segment,
)

__all__ = ("FileEvent", "FileProgress", "FileSource", "FileSummary")

FileSource: TypeAlias = (
    str | os.PathLike[str] | bytes | BinaryIO | Iterable[bytes] | AsyncIterable[bytes]
)
"""What `SpeechToText.transcribe_file` uploads: a path, the bytes themselves, an open binary file,
or pieces of any size from an iterable or an async iterable. Only paths and bytes can be sent
again, and so resumed."""


@dataclass(frozen=True, slots=True)
class FileProgress:
    """How far the work has come. Neither number ever falls within one transcription."""

    processed_s: float
    """Seconds of audio transcribed so far."""

    received_s: float
    """Seconds of audio that have arrived; the whole length once the upload has ended."""


@dataclass(frozen=True, slots=True)
class FileSummary:
    """The end of a transcription: everything has been said that is in the recording."""

    audio_s: float
    """Length of the recording in seconds."""

    language: DetectedLanguage
    """The language and how sure that is."""

    model: str
    """Name of the model that was used."""

    timings: RecognitionTimings
    """Where the time went; of the last attempt, if it was resumed."""


FileEvent: TypeAlias = Segment | FileProgress | FileSummary
"""What `SpeechToText.transcribe_file` yields."""
