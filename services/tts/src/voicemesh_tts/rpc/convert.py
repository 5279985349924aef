"""Between proto messages and domain values, in both directions.

Everything a request may hold is either converted or refused with the field's name.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from google.protobuf.duration_pb2 import Duration

from voicemesh.common.v1 import audio_pb2
from voicemesh.tts.v1 import text_to_speech_service_pb2 as pb
from voicemesh_chassis.errors import InvalidArgumentError, UnimplementedError
from voicemesh_tts.audio.opus import FRAME_SAMPLES, OPUS_RATE
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
    SpeechRequest,
    Timings,
    Voice,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from voicemesh_tts.voices import Voices

__all__ = (
    "duration",
    "event_to_pb",
    "format_to_pb",
    "packets",
    "request",
    "timings",
    "voice_to_pb",
)

_ENCODINGS = {
    audio_pb2.AUDIO_ENCODING_PCM_S16LE: Encoding.PCM_S16LE,
    audio_pb2.AUDIO_ENCODING_PCM_F32LE: Encoding.PCM_F32LE,
    audio_pb2.AUDIO_ENCODING_MULAW: Encoding.MULAW,
    audio_pb2.AUDIO_ENCODING_ALAW: Encoding.ALAW,
    audio_pb2.AUDIO_ENCODING_WAV: Encoding.WAV,
    audio_pb2.AUDIO_ENCODING_OGG_OPUS: Encoding.OGG_OPUS,
    audio_pb2.AUDIO_ENCODING_MP3: Encoding.MP3,
    audio_pb2.AUDIO_ENCODING_FLAC: Encoding.FLAC,
    audio_pb2.AUDIO_ENCODING_OPUS_PACKETS: Encoding.OPUS_PACKETS,
}
_ENCODINGS_TO_PB = {encoding: number for number, encoding in _ENCODINGS.items()}
_GENDERS = {
    Gender.UNKNOWN: pb.VOICE_GENDER_UNSPECIFIED,
    Gender.FEMALE: pb.VOICE_GENDER_FEMALE,
    Gender.MALE: pb.VOICE_GENDER_MALE,
    Gender.NEUTRAL: pb.VOICE_GENDER_NEUTRAL,
}
_OPUS = frozenset({Encoding.OGG_OPUS, Encoding.OPUS_PACKETS})
_MP3_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)
_RATES = (8_000, 48_000)
_MOST_CHANNELS = 2
_LONGEST_SILENCE_S = 2.0
_NANOS = 1_000_000_000


def request(config: pb.SynthesisConfig, voices: Voices, default: Encoding) -> SpeechRequest:
    """How to speak, with every default filled in.

    Args:
        config: from the caller.
        voices: who can speak.
        default: the encoding if none is named.

    Raises:
        ServiceError: naming the field that cannot be used.
    """
    voice = voices.choose(config.voice, config.language_code)
    if config.pronunciations:
        msg = "pronunciations are not served yet; leave config.pronunciations empty"
        raise UnimplementedError(msg, metadata={"field": "config.pronunciations"})
    if config.HasField("pitch_semitones") and config.pitch_semitones != 0:
        msg = f"voice {voice.id!r} cannot change its pitch; leave it unset or 0"
        raise InvalidArgumentError(msg, field="config.pitch_semitones")
    silence_s = _seconds(config.leading_silence_duration, "config.leading_silence_duration")
    return SpeechRequest(
        voice=voice,
        format=_format(config.format, voice, default),
        speaking_rate=_bounded(
            config.speaking_rate if config.HasField("speaking_rate") else 1.0,
            (0.25, 4.0),
            "config.speaking_rate",
        ),
        gain_db=_bounded(config.volume_gain_db, (-96.0, 16.0), "config.volume_gain_db"),
        leading_silence_s=_bounded(
            silence_s, (0.0, _LONGEST_SILENCE_S), "config.leading_silence_duration"
        ),
    )


def _seconds(value: Duration, field: str) -> float:
    # A duration has less than a second of nanos, of the same sign; `FromNanoseconds` keeps to that.
    if abs(value.nanos) >= _NANOS or value.seconds * value.nanos < 0:
        msg = f"{field} is {value.seconds} s and {value.nanos} ns, which is no valid duration"
        raise InvalidArgumentError(msg, field=field)
    return value.seconds + value.nanos / _NANOS


def _bounded(value: float, bounds: tuple[float, float], field: str) -> float:
    if math.isnan(value) or not bounds[0] <= value <= bounds[1]:
        msg = f"{field} is {value:g}; it must be from {bounds[0]:g} to {bounds[1]:g}"
        raise InvalidArgumentError(msg, field=field)
    return value


def _format(wanted: audio_pb2.AudioFormat, voice: Voice, default: Encoding) -> AudioFormat:
    encoding = default
    if wanted.encoding != audio_pb2.AUDIO_ENCODING_UNSPECIFIED:
        if wanted.encoding not in _ENCODINGS:
            msg = f"config.format.encoding {wanted.encoding} is not an encoding of this server"
            raise InvalidArgumentError(msg, field="config.format.encoding")
        encoding = _ENCODINGS[wanted.encoding]
    channels = wanted.channel_count or 1
    if not 1 <= channels <= _MOST_CHANNELS:
        msg = f"config.format.channel_count is {channels}; speech has 1 channel, or 2 alike"
        raise InvalidArgumentError(msg, field="config.format.channel_count")
    return AudioFormat(encoding, _rate(wanted.sample_rate_hertz, encoding, voice), channels)


def _rate(wanted: int, encoding: Encoding, voice: Voice) -> int:
    field = "config.format.sample_rate_hertz"
    if encoding in _OPUS:
        if wanted not in (0, OPUS_RATE):
            msg = f"{field} is {wanted}; Opus is always {OPUS_RATE}, so leave it 0"
            raise InvalidArgumentError(msg, field=field)
        return OPUS_RATE
    if wanted == 0:
        own = voice.sample_rate_hertz
        return OPUS_RATE if encoding is Encoding.MP3 and own not in _MP3_RATES else own
    rate = int(_bounded(wanted, _RATES, field))
    if encoding is Encoding.MP3 and rate not in _MP3_RATES:
        msg = f"{field} is {rate}; MP3 takes only {', '.join(map(str, _MP3_RATES))}"
        raise InvalidArgumentError(msg, field=field)
    return rate


def format_to_pb(form: AudioFormat) -> audio_pb2.AudioFormat:
    """The format as it is told to the caller."""
    return audio_pb2.AudioFormat(
        encoding=_ENCODINGS_TO_PB[form.encoding],
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
    )


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
    )


def _strings(values: Sequence[str]) -> list[str]:
    return list(values)
