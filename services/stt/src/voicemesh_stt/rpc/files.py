"""The messages of TranscribeFile, from and to what `files.work` knows."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from voicemesh.stt.v1 import speech_to_text_service_pb2 as pb
from voicemesh_chassis.errors import InvalidArgumentError
from voicemesh_stt.domain import Segment
from voicemesh_stt.errors import MessageOrderError
from voicemesh_stt.files.work import FileEvent, FileRequest, Progress, Summary
from voicemesh_stt.rpc.convert import (
    duration_message,
    language_message,
    segment_message,
    timings_message,
)
from voicemesh_stt.rpc.incoming import check_is_config
from voicemesh_stt.rpc.parsing import recognition_options, recording_format

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator

    from google.protobuf.duration_pb2 import Duration

    from voicemesh_stt.domain import SpeechModel

__all__ = ("file_config", "file_message", "file_parts", "file_request")

_MOST_BYTES = 1 << 20
_NANOS = 1_000_000_000
_RESUME = "config.resume_offset"


def file_config(first: pb.TranscribeFileRequest) -> pb.TranscribeFileConfig:
    """The config that must come first.

    Raises:
        MessageOrderError: if something else did.
    """
    check_is_config(first.WhichOneof("payload"))
    return first.config


def file_request(
    message: pb.TranscribeFileConfig, model: SpeechModel, default_beam_size: int
) -> FileRequest:
    """What is wanted of the file, as far as `model` can.

    Raises:
        InvalidArgumentError: naming a field under `config`.
    """
    path = "config.transcription"
    return FileRequest(
        audio_format=recording_format(message.format, path="config.format"),
        options=recognition_options(message.transcription, model, default_beam_size, path=path),
        separate_channels=message.transcription.separate_channels,
        resume_s=_resume_s(message.resume_offset),
    )


async def file_parts(
    requests: AsyncIterator[pb.TranscribeFileRequest],
) -> AsyncGenerator[bytes]:
    """The bytes of the file, as they come after the config.

    Raises:
        InvalidArgumentError: naming the field of a message that does not fit.
    """
    async for request in requests:
        match request.WhichOneof("payload"):
            case "audio":
                size = len(request.audio)
                if size > _MOST_BYTES:
                    why = f"{size} bytes are more than {_MOST_BYTES}; send smaller pieces"
                    _refuse("audio", why)
                yield request.audio
            case "config":
                msg = "config: it was sent already; an upload has one"
                raise MessageOrderError(msg, field="config")
            case _:
                _refuse("payload", "the message carries nothing")


def file_message(event: FileEvent) -> pb.TranscribeFileResponse:
    """One message of TranscribeFile."""
    match event:
        case Segment():
            return pb.TranscribeFileResponse(segment=segment_message(event))
        case Progress():
            return pb.TranscribeFileResponse(
                progress=pb.TranscribeFileProgress(
                    processed_duration=duration_message(event.processed_s),
                    received_duration=duration_message(event.received_s),
                )
            )
        case Summary():
            return pb.TranscribeFileResponse(
                summary=pb.TranscribeFileSummary(
                    audio_duration=duration_message(event.audio_s),
                    language=language_message(event.language),
                    model=event.model,
                    timings=timings_message(event.timings),
                )
            )


def _resume_s(offset: Duration) -> float:
    # As google/protobuf/duration.proto has it: less than a second, and of the same sign.
    if abs(offset.nanos) >= _NANOS or offset.seconds * offset.nanos < 0:
        _refuse(_RESUME, f"{offset.seconds} s and {offset.nanos} ns are not a valid duration")
    seconds = offset.seconds + offset.nanos / _NANOS
    if seconds < 0:
        _refuse(_RESUME, "must not be negative")
    return seconds


def _refuse(field: str, why: str) -> NoReturn:
    msg = f"{field}: {why}"
    raise InvalidArgumentError(msg, field=field)
