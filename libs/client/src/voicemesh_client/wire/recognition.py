"""Recordings and what was said in them."""

from __future__ import annotations

from voicemesh.stt.v1 import speech_to_text_service_pb2 as pb
from voicemesh_client.transcripts import (
    DetectedLanguage,
    RecognitionTimings,
    Segment,
    SpeechModel,
    Transcript,
    TranscriptionOptions,
    TranscriptionTask,
    Word,
)
from voicemesh_client.wire.audio import seconds_from_duration

__all__ = (
    "language_from_wire",
    "model_from_wire",
    "options_to_wire",
    "segment_from_wire",
    "timings_from_wire",
    "transcript_from_wire",
)

_TASKS = {
    TranscriptionTask.TRANSCRIBE: pb.TRANSCRIPTION_TASK_TRANSCRIBE,
    TranscriptionTask.TRANSLATE: pb.TRANSCRIPTION_TASK_TRANSLATE,
}


def options_to_wire(options: TranscriptionOptions) -> pb.TranscriptionConfig:
    """How to recognise, as a message."""
    return pb.TranscriptionConfig(
        model=options.model,
        language_code=options.language_code,
        task=_TASKS[options.task],
        initial_prompt=options.initial_prompt,
        hotwords=options.hotwords,
        word_timestamps=options.word_timestamps,
        separate_channels=options.separate_channels,
        beam_size=options.beam_size,
    )


def transcript_from_wire(message: pb.TranscribeResponse) -> Transcript:
    """What was said in a recording."""
    return Transcript(
        text=message.text,
        segments=tuple(segment_from_wire(segment) for segment in message.segments),
        language=language_from_wire(message.language),
        audio_s=seconds_from_duration(message.audio_duration),
        model=message.model,
        timings=timings_from_wire(message.timings),
    )


def segment_from_wire(message: pb.Segment) -> Segment:
    """A stretch of speech."""
    return Segment(
        text=message.text,
        start_s=seconds_from_duration(message.start_offset),
        end_s=seconds_from_duration(message.end_offset),
        confidence=message.confidence,
        words=tuple(_word_from_wire(word) for word in message.words),
        channel=message.channel,
    )


def _word_from_wire(message: pb.Word) -> Word:
    return Word(
        text=message.text,
        start_s=seconds_from_duration(message.start_offset),
        end_s=seconds_from_duration(message.end_offset),
        confidence=message.confidence,
    )


def language_from_wire(message: pb.DetectedLanguage) -> DetectedLanguage:
    """The language of speech; an unset one has an empty code."""
    return DetectedLanguage(code=message.language_code, probability=message.probability)


def timings_from_wire(message: pb.Timings) -> RecognitionTimings:
    """Where the server's time went; unset times are 0."""
    return RecognitionTimings(
        queue_s=seconds_from_duration(message.queue_duration),
        decode_s=seconds_from_duration(message.decode_duration),
        inference_s=seconds_from_duration(message.inference_duration),
    )


def model_from_wire(message: pb.Model) -> SpeechModel:
    """A recognition model."""
    return SpeechModel(
        name=message.name,
        language_codes=tuple(message.language_codes),
        loaded=message.loaded,
        default=message.default_model,
        license=message.license,
        device=message.device,
    )
