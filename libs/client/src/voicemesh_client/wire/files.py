"""Recordings of any length: what is uploaded and what comes back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from voicemesh.stt.v1 import speech_to_text_service_pb2 as pb
from voicemesh_client.files import FileEvent, FileProgress, FileSummary
from voicemesh_client.wire.audio import (
    duration_from_seconds,
    format_to_wire,
    seconds_from_duration,
)
from voicemesh_client.wire.recognition import (
    language_from_wire,
    options_to_wire,
    segment_from_wire,
    timings_from_wire,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from voicemesh_client.audio import AudioFormat
    from voicemesh_client.transcripts import TranscriptionOptions

__all__ = ("config_to_wire", "event_from_wire", "piece_to_wire")

_MOST_BYTES = 1 << 18
"""Of audio in one message. The contract allows 1 MiB; smaller ones let the receiver hold less."""


def config_to_wire(
    audio_format: AudioFormat | None, options: TranscriptionOptions, resume_s: float
) -> pb.TranscribeFileRequest:
    """The first message of an upload."""
    return pb.TranscribeFileRequest(
        config=pb.TranscribeFileConfig(
            transcription=options_to_wire(options),
            format=None if audio_format is None else format_to_wire(audio_format),
            resume_offset=duration_from_seconds(resume_s) if resume_s else None,
        )
    )


def piece_to_wire(piece: bytes) -> Iterator[pb.TranscribeFileRequest]:
    """Later messages of an upload; a long piece is cut, an empty one left out."""
    view = memoryview(piece).cast("B")
    for start in range(0, len(view), _MOST_BYTES):
        yield pb.TranscribeFileRequest(audio=bytes(view[start : start + _MOST_BYTES]))


def event_from_wire(message: pb.TranscribeFileResponse) -> FileEvent | None:
    """The event of a message; None if a newer server sends a kind this client does not know."""
    match message.WhichOneof("event"):
        case "segment":
            return segment_from_wire(message.segment)
        case "progress":
            return FileProgress(
                processed_s=seconds_from_duration(message.progress.processed_duration),
                received_s=seconds_from_duration(message.progress.received_duration),
            )
        case "summary":
            summary = message.summary
            return FileSummary(
                audio_s=seconds_from_duration(summary.audio_duration),
                language=language_from_wire(summary.language),
                model=summary.model,
                timings=timings_from_wire(summary.timings),
            )
        case _:
            return None
