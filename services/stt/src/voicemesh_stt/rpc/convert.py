"""From answers to messages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from google.protobuf.duration_pb2 import Duration

from voicemesh.stt.v1 import speech_to_text_service_pb2 as pb
from voicemesh_stt.events import (
    EndReason,
    Final,
    Partial,
    SoftFinal,
    SpeechStarted,
    TurnEvent,
    TurnResumed,
)

if TYPE_CHECKING:
    from voicemesh_stt.domain import Language, Segment, SpeechModel, Timings, Transcript, Word

__all__ = (
    "duration_message",
    "event_message",
    "language_message",
    "model_message",
    "segment_message",
    "timings_message",
    "transcript_message",
)

_REASONS = {
    EndReason.SILENCE: pb.END_OF_TURN_REASON_SILENCE,
    EndReason.FINISHED_BY_CALLER: pb.END_OF_TURN_REASON_FINISHED_BY_CALLER,
    EndReason.END_OF_STREAM: pb.END_OF_TURN_REASON_END_OF_STREAM,
    EndReason.MAX_DURATION: pb.END_OF_TURN_REASON_MAX_DURATION,
}


def transcript_message(transcript: Transcript) -> pb.TranscribeResponse:
    """The answer of Transcribe."""
    return pb.TranscribeResponse(
        text=transcript.text,
        segments=[segment_message(segment) for segment in transcript.segments],
        language=language_message(transcript.language),
        audio_duration=duration_message(transcript.audio_s),
        model=transcript.model,
        timings=timings_message(transcript.timings),
    )


def event_message(event: TurnEvent) -> pb.StreamTranscribeResponse:
    """One message of StreamTranscribe."""
    message = pb.StreamTranscribeResponse(turn_id=event.turn_id, revision=event.revision)
    match event:
        case SpeechStarted():
            message.speech_started.start_offset.CopyFrom(duration_message(event.start_s))
        case Partial():
            message.partial.stable_text = event.stable_text
            message.partial.unstable_text = event.unstable_text
            message.partial.stability = event.stability
        case SoftFinal():
            message.soft_final.text = event.text
            message.soft_final.speech_end_offset.CopyFrom(duration_message(event.speech_end_s))
            if event.end_of_turn_probability is not None:
                message.soft_final.end_of_turn_probability = event.end_of_turn_probability
        case TurnResumed():
            message.turn_resumed.resume_offset.CopyFrom(duration_message(event.resume_s))
        case Final():
            message.final.CopyFrom(_final(event))
    return message


def model_message(model: SpeechModel) -> pb.Model:
    """One model of ListModels."""
    return pb.Model(
        name=model.name,
        language_codes=model.language_codes,
        loaded=model.loaded,
        default_model=model.is_default,
        license=model.license,
        device=model.device,
    )


def _final(final: Final) -> pb.FinalTranscript:
    return pb.FinalTranscript(
        text=final.text,
        segments=[segment_message(segment) for segment in final.segments],
        confidence=final.confidence,
        language=language_message(final.language),
        speech_start_offset=duration_message(final.speech_start_s),
        speech_end_offset=duration_message(final.speech_end_s),
        timings=timings_message(final.timings),
        reason=_REASONS[final.reason],
        latency_duration=duration_message(final.latency_s),
        model=final.model,
    )


def segment_message(segment: Segment) -> pb.Segment:
    """A stretch of speech."""
    return pb.Segment(
        start_offset=duration_message(segment.start_s),
        end_offset=duration_message(segment.end_s),
        text=segment.text.strip(),
        words=[_word(word) for word in segment.words],
        confidence=segment.confidence,
        channel=segment.channel,
    )


def _word(word: Word) -> pb.Word:
    return pb.Word(
        text=word.text,
        start_offset=duration_message(word.start_s),
        end_offset=duration_message(word.end_s),
        confidence=word.confidence,
    )


def language_message(language: Language) -> pb.DetectedLanguage:
    """The language and how it was found."""
    return pb.DetectedLanguage(language_code=language.code, probability=language.probability)


def timings_message(timings: Timings) -> pb.Timings:
    """Where the time went."""
    return pb.Timings(
        queue_duration=duration_message(timings.queue_s),
        decode_duration=duration_message(timings.decode_s),
        inference_duration=duration_message(timings.inference_s),
    )


def duration_message(seconds: float) -> Duration:
    """Seconds, to the microsecond."""
    duration = Duration()
    duration.FromMicroseconds(round(seconds * 1e6))
    return duration
