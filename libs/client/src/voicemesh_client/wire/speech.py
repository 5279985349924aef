"""Texts to be spoken, and the speech that comes back."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, TypeAlias

from voicemesh.tts.v1 import text_to_speech_service_pb2 as pb
from voicemesh_client.speech import (
    Cancel,
    Cancelled,
    Flush,
    Flushed,
    Pronunciation,
    Speech,
    SpeechAudio,
    SpeechEvent,
    SynthesisFinished,
    SynthesisOptions,
    SynthesisStarted,
    SynthesisTimings,
    TextSpan,
    WordTiming,
)
from voicemesh_client.voices import Voice, VoiceGender
from voicemesh_client.wire.audio import (
    duration_from_seconds,
    format_from_wire,
    format_to_wire,
    packet_from_wire,
    seconds_from_duration,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from voicemesh.common.v1 import audio_pb2
    from voicemesh_client.audio import OpusPacket

__all__ = (
    "TextPiece",
    "event_from_wire",
    "options_to_wire",
    "piece_to_wire",
    "speech_from_wire",
    "voice_from_wire",
)

TextPiece: TypeAlias = str | Flush | Cancel
"""What may be sent on a synthesis stream after its config."""

_MOST_CHARACTERS = 5_000
"""Of text in one message, by the contract."""

_GENDERS: dict[int, VoiceGender] = {
    pb.VOICE_GENDER_FEMALE: VoiceGender.FEMALE,
    pb.VOICE_GENDER_MALE: VoiceGender.MALE,
    pb.VOICE_GENDER_NEUTRAL: VoiceGender.NEUTRAL,
}


def options_to_wire(options: SynthesisOptions) -> pb.SynthesisConfig:
    """How to speak, as a message."""
    silence_s = options.leading_silence_s
    return pb.SynthesisConfig(
        voice=options.voice,
        language_code=options.language_code,
        format=None if options.format is None else format_to_wire(options.format),
        speaking_rate=options.speaking_rate,
        pitch_semitones=options.pitch_semitones,
        volume_gain_db=options.volume_gain_db,
        tenant=options.tenant,
        word_timings=options.word_timings,
        leading_silence_duration=duration_from_seconds(silence_s) if silence_s else None,
        pronunciations=[_pronunciation_to_wire(each) for each in options.pronunciations],
    )


def _pronunciation_to_wire(pronunciation: Pronunciation) -> pb.Pronunciation:
    if pronunciation.phonemes:
        return pb.Pronunciation(written=pronunciation.written, phonemes=pronunciation.spoken)
    return pb.Pronunciation(written=pronunciation.written, respelling=pronunciation.spoken)


def piece_to_wire(piece: TextPiece) -> Iterator[pb.StreamSynthesizeRequest]:
    """Later messages of a synthesis stream; a long text is cut, an empty one left out."""
    match piece:
        case Flush():
            yield pb.StreamSynthesizeRequest(flush=pb.Flush(flush_id=piece.flush_id))
        case Cancel():
            yield pb.StreamSynthesizeRequest(cancel=pb.Cancel(cancel_id=piece.cancel_id))
        case _:
            for start in range(0, len(piece), _MOST_CHARACTERS):
                text = piece[start : start + _MOST_CHARACTERS]
                yield pb.StreamSynthesizeRequest(text=text)


def speech_from_wire(message: pb.SynthesizeResponse) -> Speech:
    """A spoken text."""
    return Speech(
        audio=message.audio,
        packets=_packets_from_wire(message.packets),
        format=format_from_wire(message.format),
        duration_s=seconds_from_duration(message.audio_duration),
        voice=message.voice,
        words=_words_from_wire(message.words),
        timings=_timings_from_wire(message.timings),
    )


def event_from_wire(message: pb.StreamSynthesizeResponse) -> SpeechEvent | None:
    """The event of a message; None if a newer server sends a kind this client does not know."""
    match message.WhichOneof("event"):
        case "started":
            started = message.started
            return SynthesisStarted(format_from_wire(started.format), started.voice)
        case "audio":
            return _audio_from_wire(message.audio)
        case "flushed":
            return Flushed(message.flushed.flush_id)
        case "cancelled":
            return Cancelled(message.cancelled.cancel_id)
        case "finished":
            finished = message.finished
            return SynthesisFinished(
                character_count=finished.character_count,
                duration_s=seconds_from_duration(finished.audio_duration),
                timings=_timings_from_wire(finished.timings),
            )
        case _:
            return None


def _audio_from_wire(message: pb.SynthesizedAudio) -> SpeechAudio:
    return SpeechAudio(
        audio=message.audio,
        packets=_packets_from_wire(message.packets),
        span=_span_from_wire(message.span),
        clause_index=message.clause_index,
        clause_end=message.clause_end,
        start_s=seconds_from_duration(message.start_offset),
        duration_s=seconds_from_duration(message.audio_duration),
        words=_words_from_wire(message.words),
    )


def _packets_from_wire(
    messages: Iterable[audio_pb2.OpusPacket],
) -> tuple[OpusPacket, ...]:
    return tuple(packet_from_wire(packet) for packet in messages)


def _words_from_wire(messages: Iterable[pb.WordTiming]) -> tuple[WordTiming, ...]:
    return tuple(
        WordTiming(
            word=message.word,
            start_s=seconds_from_duration(message.start_offset),
            end_s=seconds_from_duration(message.end_offset),
            span=_span_from_wire(message.span),
        )
        for message in messages
    )


def _span_from_wire(message: pb.TextSpan) -> TextSpan:
    return TextSpan(message.start, message.end)


def _timings_from_wire(message: pb.SynthesisTimings) -> SynthesisTimings:
    return SynthesisTimings(
        queue_s=seconds_from_duration(message.queue_duration),
        first_audio_s=seconds_from_duration(message.first_audio_duration),
        synthesis_s=seconds_from_duration(message.synthesis_duration),
    )


def voice_from_wire(message: pb.Voice) -> Voice:
    """Somebody who can speak."""
    cloned = message.HasField("create_time")
    return Voice(
        id=message.id,
        display_name=message.display_name,
        language_codes=tuple(message.language_codes),
        gender=_GENDERS.get(message.gender, VoiceGender.UNKNOWN),
        sample_rate_hertz=message.sample_rate_hertz,
        engine=message.engine,
        license=message.license,
        loaded=message.loaded,
        default=message.default_voice,
        tenant=message.tenant,
        create_time=message.create_time.ToDatetime(tzinfo=UTC) if cloned else None,
    )
