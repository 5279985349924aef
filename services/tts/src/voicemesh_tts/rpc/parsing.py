"""Requests as domain values: everything they may hold is taken over, or refused by its field."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from voicemesh.common.v1 import audio_pb2
from voicemesh_chassis.errors import InvalidArgumentError
from voicemesh_tts.audio.opus import OPUS_RATE
from voicemesh_tts.cloning.workshop import CloneWish
from voicemesh_tts.domain import AudioFormat, Encoding, SpeechRequest, Voice
from voicemesh_tts.errors import ConsentMissingError
from voicemesh_tts.tenants import check_tenant
from voicemesh_tts.text.pronunciations import Pronunciation
from voicemesh_tts.voices.cast import check_language

if TYPE_CHECKING:
    from google.protobuf.duration_pb2 import Duration

    from voicemesh.tts.v1 import text_to_speech_service_pb2 as pb

__all__ = ("clone_wish", "pronunciations", "required_tenant", "speech_request")

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
_OPUS = frozenset({Encoding.OGG_OPUS, Encoding.OPUS_PACKETS})
_MP3_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)
_RATES = (8_000, 48_000)
_MOST_CHANNELS = 2
_LONGEST_SILENCE_S = 2.0
_NANOS = 1_000_000_000
_MOST_PRONUNCIATIONS = 1_000
_LONGEST_NAME = 64


def speech_request(config: pb.SynthesisConfig, voice: Voice, default: Encoding) -> SpeechRequest:
    """How to speak, with every default filled in.

    Args:
        config: from the caller.
        voice: who is to speak.
        default: the encoding if none is named.

    Raises:
        ServiceError: naming the field that cannot be used.
    """
    silence_s = _seconds(config.leading_silence_duration, "config.leading_silence_duration")
    return SpeechRequest(
        voice=voice,
        format=_format(config.format, voice, default),
        speaking_rate=_bounded(
            config.speaking_rate if config.HasField("speaking_rate") else 1.0,
            (0.25, 4.0),
            "config.speaking_rate",
        ),
        pitch_semitones=_bounded(config.pitch_semitones, (-20.0, 20.0), "config.pitch_semitones"),
        gain_db=_bounded(config.volume_gain_db, (-96.0, 16.0), "config.volume_gain_db"),
        leading_silence_s=_bounded(
            silence_s, (0.0, _LONGEST_SILENCE_S), "config.leading_silence_duration"
        ),
        language_code=config.language_code,
        word_timings=config.word_timings,
    )


def pronunciations(config: pb.SynthesisConfig) -> list[Pronunciation]:
    """The request's own pronunciations.

    Raises:
        InvalidArgumentError: naming the first one that cannot be used.
    """
    field = "config.pronunciations"
    if len(config.pronunciations) > _MOST_PRONUNCIATIONS:
        msg = f"{field} has {len(config.pronunciations)} entries; {_MOST_PRONUNCIATIONS} are taken"
        raise InvalidArgumentError(msg, field=field)
    found: list[Pronunciation] = []
    for number, entry in enumerate(config.pronunciations):
        try:
            found.append(
                Pronunciation(entry.written, respelling=entry.respelling, phonemes=entry.phonemes)
            )
        except ValueError as error:
            msg = f"{field}[{number}]: {error}"
            raise InvalidArgumentError(msg, field=f"{field}[{number}]") from error
    return found


def required_tenant(tenant: str) -> str:
    """The tenant of a request that must have one.

    Raises:
        InvalidArgumentError: if it has none, or one that cannot be.
    """
    if not tenant:
        msg = "tenant is missing: name whose voice it is"
        raise InvalidArgumentError(msg, field="tenant")
    return check_tenant(tenant, "tenant")


def clone_wish(request: pb.CreateVoiceRequest) -> CloneWish:
    """The voice that is to be made of a recording.

    Raises:
        InvalidArgumentError: naming the field that cannot be used.
    """
    tenant = required_tenant(request.tenant)
    name = request.display_name.strip()
    if not 1 <= len(name) <= _LONGEST_NAME or not name.isprintable():
        msg = f"display_name must have 1 to {_LONGEST_NAME} characters that can be printed"
        raise InvalidArgumentError(msg, field="display_name")
    check_language(request.language_code, "language_code")
    if not request.speaker_consents:
        msg = "speaker_consents must be true: only voices of people who agreed to it are cloned"
        raise ConsentMissingError(msg, field="speaker_consents")
    if not request.reference_audio:
        msg = "reference_audio is empty; send 6 to 30 s of one person speaking"
        raise InvalidArgumentError(msg, field="reference_audio")
    return CloneWish(tenant, name, request.language_code, request.reference_audio)


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
