"""Live speech: what is sent on the stream and what comes back."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from voicemesh.stt.v1 import speech_to_text_service_pb2 as pb
from voicemesh_client.audio import AudioFormat, OpusPacket
from voicemesh_client.turns import (
    EndOfTurnReason,
    Final,
    FinishTurn,
    Partial,
    SoftFinal,
    SpeechStarted,
    TurnDetection,
    TurnEvent,
    TurnResumed,
)
from voicemesh_client.wire.audio import (
    duration_from_seconds,
    format_to_wire,
    packet_to_wire,
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

    from voicemesh_client.transcripts import TranscriptionOptions

__all__ = ("LiveAudio", "config_to_wire", "detection_to_wire", "event_from_wire", "piece_to_wire")

LiveAudio: TypeAlias = bytes | OpusPacket | FinishTurn
"""What may be sent on a live stream after its config."""

_MOST_BYTES = 1 << 20
"""Of audio in one message, by the contract."""

_REASONS: dict[int, EndOfTurnReason] = {
    pb.END_OF_TURN_REASON_SILENCE: EndOfTurnReason.SILENCE,
    pb.END_OF_TURN_REASON_FINISHED_BY_CALLER: EndOfTurnReason.FINISHED_BY_CALLER,
    pb.END_OF_TURN_REASON_END_OF_STREAM: EndOfTurnReason.END_OF_STREAM,
    pb.END_OF_TURN_REASON_MAX_DURATION: EndOfTurnReason.MAX_DURATION,
}


def config_to_wire(
    audio_format: AudioFormat,
    options: TranscriptionOptions,
    detection: TurnDetection | None,
    *,
    partials: bool,
) -> pb.StreamTranscribeRequest:
    """The first message of a live stream."""
    return pb.StreamTranscribeRequest(
        config=pb.StreamTranscribeConfig(
            format=format_to_wire(audio_format),
            transcription=options_to_wire(options),
            turn_detection=None if detection is None else detection_to_wire(detection),
            partials=partials,
        )
    )


def detection_to_wire(detection: TurnDetection) -> pb.TurnDetection:
    """When a turn begins and ends; None stays unset."""
    message = pb.TurnDetection(
        start_threshold=detection.start_threshold, end_threshold=detection.end_threshold
    )
    for target, seconds in (
        (message.pre_roll_duration, detection.pre_roll_s),
        (message.min_speech_duration, detection.min_speech_s),
        (message.soft_stop_duration, detection.soft_stop_s),
        (message.complete_silence_duration, detection.complete_silence_s),
        (message.unsure_silence_duration, detection.unsure_silence_s),
        (message.incomplete_silence_duration, detection.incomplete_silence_s),
        (message.max_turn_duration, detection.max_turn_s),
    ):
        if seconds is not None:
            target.CopyFrom(duration_from_seconds(seconds))
    return message


def piece_to_wire(piece: LiveAudio) -> Iterator[pb.StreamTranscribeRequest]:
    """Later messages of a live stream; a long piece is cut, an empty one left out."""
    match piece:
        case OpusPacket():
            yield pb.StreamTranscribeRequest(packet=packet_to_wire(piece))
        case FinishTurn():
            yield pb.StreamTranscribeRequest(finish_turn=pb.FinishTurn())
        case _:
            for start in range(0, len(piece), _MOST_BYTES):
                yield pb.StreamTranscribeRequest(audio=bytes(piece[start : start + _MOST_BYTES]))


def event_from_wire(message: pb.StreamTranscribeResponse) -> TurnEvent | None:
    """The event of a message; None if a newer server sends a kind this client does not know."""
    turn_id, revision = message.turn_id, message.revision
    match message.WhichOneof("event"):
        case "speech_started":
            start_s = seconds_from_duration(message.speech_started.start_offset)
            return SpeechStarted(turn_id, revision, start_s)
        case "partial":
            partial = message.partial
            return Partial(
                turn_id, revision, partial.stable_text, partial.unstable_text, partial.stability
            )
        case "soft_final":
            return _soft_final_from_wire(turn_id, revision, message.soft_final)
        case "turn_resumed":
            resume_s = seconds_from_duration(message.turn_resumed.resume_offset)
            return TurnResumed(turn_id, revision, resume_s)
        case "final":
            return _final_from_wire(turn_id, revision, message.final)
        case _:
            return None


def _soft_final_from_wire(
    turn_id: int, revision: int, message: pb.SoftFinalTranscript
) -> SoftFinal:
    known = message.HasField("end_of_turn_probability")
    return SoftFinal(
        turn_id,
        revision,
        text=message.text,
        end_of_turn_probability=message.end_of_turn_probability if known else None,
        speech_end_s=seconds_from_duration(message.speech_end_offset),
    )


def _final_from_wire(turn_id: int, revision: int, message: pb.FinalTranscript) -> Final:
    return Final(
        turn_id,
        revision,
        text=message.text,
        segments=tuple(segment_from_wire(segment) for segment in message.segments),
        confidence=message.confidence,
        language=language_from_wire(message.language),
        speech_start_s=seconds_from_duration(message.speech_start_offset),
        speech_end_s=seconds_from_duration(message.speech_end_offset),
        timings=timings_from_wire(message.timings),
        reason=_REASONS.get(message.reason, EndOfTurnReason.UNKNOWN),
        latency_s=seconds_from_duration(message.latency_duration),
        model=message.model,
    )
