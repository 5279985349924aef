"""Domain values as proto messages; `parsing` goes the other way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from voicemesh.common.v1 import audio_pb2
from voicemesh.tts.v1 import text_to_speech_service_pb2 as pb
from voicemesh_tts.audio.opus import FRAME_SAMPLES
from voicemesh_tts.domain import (
    AudioFormat,
    CancelledSpeech,
    EncodedAudio,
    Encoding,
    FinishedSpeech,
    FlushedSpeech,
    Gender,
    Span,
    SpeechAudio,
    SpeechEvent,
    TimedWord,
    Timings,
    Voice,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

__all__ = (
    "duration",
    "event_to_pb",
    "format_to_pb",
    "packets",
    "timings",
    "voice_to_pb",
    "words",
)

_ENCODINGS = {
    Encoding.PCM_S16LE: audio_pb2.AUDIO_ENCODING_PCM_S16LE,
    Encoding.PCM_F32LE: audio_pb2.AUDIO_ENCODING_PCM_F32LE,
    Encoding.MULAW: audio_pb2.AUDIO_ENCODING_MULAW,
    Encoding.ALAW: audio_pb2.AUDIO_ENCODING_ALAW,
    Encoding.WAV: audio_pb2.AUDIO_ENCODING_WAV,
    Encoding.OGG_OPUS: audio_pb2.AUDIO_ENCODING_OGG_OPUS,
    Encoding.MP3: audio_pb2.AUDIO_ENCODING_MP3,
    Encoding.FLAC: audio_pb2.AUDIO_ENCODING_FLAC,
    Encoding.OPUS_PACKETS: audio_pb2.AUDIO_ENCODING_OPUS_PACKETS,
}
_GENDERS = {
    Gender.UNKNOWN: pb.VOICE_GENDER_UNSPECIFIED,
    Gender.FEMALE: pb.VOICE_GENDER_FEMALE,
    Gender.MALE: pb.VOICE_GENDER_MALE,
    Gender.NEUTRAL: pb.VOICE_GENDER_NEUTRAL,
}
_NANOS = 1_000_000_000


def format_to_pb(form: AudioFormat) -> audio_pb2.AudioFormat:
    """The format as it is told to the caller."""
    return audio_pb2.AudioFormat(
        encoding=_ENCODINGS[form.encoding],
        sample_rate_hertz=form.sample_rate_hertz,
        channel_count=form.channel_count,
    )


def duration(seconds: float) -> Duration:
    """Seconds as a proto duration."""
    message = Duration()
    message.FromNanoseconds(round(seconds * _NANOS))
    return message


def packets(audio: EncodedAudio, start_sample: int) -> list[audio_pb2.OpusPacket]:
    """Opus packets numbered by their place on the timeline, as RTP numbers them."""
    first = start_sample // FRAME_SAMPLES
    return [
        audio_pb2.OpusPacket(
            data=data,
            sequence=(first + number) & 0xFFFF,
            rtp_timestamp=((first + number) * FRAME_SAMPLES) & 0xFFFFFFFF,
        )
        for number, data in enumerate(audio.packets)
    ]


def timings(measured: Timings) -> pb.SynthesisTimings:
    """Where the time went."""
    return pb.SynthesisTimings(
        queue_duration=duration(measured.queue_s),
        first_audio_duration=duration(measured.first_audio_s),
        synthesis_duration=duration(measured.synthesis_s),
    )


def event_to_pb(event: SpeechEvent, form: AudioFormat) -> pb.StreamSynthesizeResponse:
    """An event of a text being spoken."""
    match event:
        case SpeechAudio():
            return pb.StreamSynthesizeResponse(audio=_audio(event, form.sample_rate_hertz))
        case FlushedSpeech(flush_id):
            return pb.StreamSynthesizeResponse(flushed=pb.Flushed(flush_id=flush_id))
        case CancelledSpeech(cancel_id):
            return pb.StreamSynthesizeResponse(cancelled=pb.Cancelled(cancel_id=cancel_id))
        case FinishedSpeech():
            return pb.StreamSynthesizeResponse(
                finished=pb.SynthesisFinished(
                    character_count=event.character_count,
                    audio_duration=duration(event.sample_count / form.sample_rate_hertz),
                    timings=timings(event.timings),
                )
            )


def _audio(event: SpeechAudio, rate: int) -> pb.SynthesizedAudio:
    return pb.SynthesizedAudio(
        audio=event.audio.data,
        packets=packets(event.audio, event.start_sample),
        span=_span(event.span),
        clause_index=event.clause_index,
        clause_end=event.clause_end,
        start_offset=duration(event.start_sample / rate),
        audio_duration=duration(event.audio.sample_count / rate),
        words=words(event.words),
    )


def words(timed: Sequence[TimedWord]) -> list[pb.WordTiming]:
    """When words are spoken."""
    return [
        pb.WordTiming(
            word=word.text,
            start_offset=duration(word.start_s),
            end_offset=duration(word.end_s),
            span=_span(word.span),
        )
        for word in timed
    ]


def _span(span: Span) -> pb.TextSpan:
    return pb.TextSpan(start=span.start, end=span.end)


def voice_to_pb(voice: Voice, *, loaded: bool, default: bool) -> pb.Voice:
    """A voice as it is listed."""
    return pb.Voice(
        id=voice.id,
        display_name=voice.display_name,
        language_codes=_strings(voice.language_codes),
        gender=_GENDERS[voice.gender],
        sample_rate_hertz=voice.sample_rate_hertz,
        engine=voice.engine,
        license=voice.license,
        loaded=loaded,
        default_voice=default,
        tenant=voice.tenant,
        create_time=_timestamp(voice.create_time),
    )


def _timestamp(moment: datetime | None) -> Timestamp | None:
    if moment is None:
        return None
    message = Timestamp()
    message.FromDatetime(moment)
    return message


def _strings(values: Sequence[str]) -> list[str]:
    return list(values)
