"""Audio formats, packets and times."""

from __future__ import annotations

from google.protobuf.duration_pb2 import Duration

from voicemesh.common.v1 import audio_pb2
from voicemesh_client.audio import AudioEncoding, AudioFormat, OpusPacket

__all__ = (
    "duration_from_seconds",
    "encoding_from_wire",
    "format_from_wire",
    "format_to_wire",
    "packet_from_wire",
    "packet_to_wire",
    "seconds_from_duration",
)

_ENCODINGS = {
    AudioEncoding.UNSPECIFIED: audio_pb2.AUDIO_ENCODING_UNSPECIFIED,
    AudioEncoding.PCM_S16LE: audio_pb2.AUDIO_ENCODING_PCM_S16LE,
    AudioEncoding.PCM_F32LE: audio_pb2.AUDIO_ENCODING_PCM_F32LE,
    AudioEncoding.MULAW: audio_pb2.AUDIO_ENCODING_MULAW,
    AudioEncoding.ALAW: audio_pb2.AUDIO_ENCODING_ALAW,
    AudioEncoding.WAV: audio_pb2.AUDIO_ENCODING_WAV,
    AudioEncoding.OGG_OPUS: audio_pb2.AUDIO_ENCODING_OGG_OPUS,
    AudioEncoding.MP3: audio_pb2.AUDIO_ENCODING_MP3,
    AudioEncoding.FLAC: audio_pb2.AUDIO_ENCODING_FLAC,
    AudioEncoding.OPUS_PACKETS: audio_pb2.AUDIO_ENCODING_OPUS_PACKETS,
}
_ENCODINGS_FROM_WIRE: dict[int, AudioEncoding] = {
    wire: encoding for encoding, wire in _ENCODINGS.items()
}

_NANOS = 1_000_000_000


def duration_from_seconds(seconds: float) -> Duration:
    """A time in seconds as the contract has it, to the nanosecond."""
    # Not Duration(seconds=..., nanos=...): both parts must have the same sign.
    duration = Duration()
    duration.FromNanoseconds(round(seconds * _NANOS))
    return duration


def seconds_from_duration(duration: Duration) -> float:
    """A time of the contract in seconds; 0 if it is unset."""
    return duration.seconds + duration.nanos / _NANOS


def encoding_from_wire(encoding: int) -> AudioEncoding:
    """The encoding as the SDK names it; UNSPECIFIED if this client does not know it."""
    return _ENCODINGS_FROM_WIRE.get(encoding, AudioEncoding.UNSPECIFIED)


def format_to_wire(audio_format: AudioFormat) -> audio_pb2.AudioFormat:
    """The format as a message."""
    return audio_pb2.AudioFormat(
        encoding=_ENCODINGS[audio_format.encoding],
        sample_rate_hertz=audio_format.sample_rate_hertz,
        channel_count=audio_format.channel_count,
    )


def format_from_wire(message: audio_pb2.AudioFormat) -> AudioFormat:
    """The format of a message; a channel count of 0 means 1."""
    return AudioFormat(
        encoding=encoding_from_wire(message.encoding),
        sample_rate_hertz=message.sample_rate_hertz,
        channel_count=message.channel_count or 1,
    )


def packet_to_wire(packet: OpusPacket) -> audio_pb2.OpusPacket:
    """The packet as a message."""
    return audio_pb2.OpusPacket(
        data=packet.data, sequence=packet.sequence, rtp_timestamp=packet.rtp_timestamp
    )


def packet_from_wire(message: audio_pb2.OpusPacket) -> OpusPacket:
    """The packet of a message."""
    return OpusPacket(message.data, message.sequence, message.rtp_timestamp)
