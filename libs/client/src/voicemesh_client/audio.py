"""Audio as the services take and give it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = ("AudioEncoding", "AudioFormat", "OpusPacket")


class AudioEncoding(StrEnum):
    """How the bytes of audio are to be read."""

    UNSPECIFIED = "unspecified"
    """Sent: the container says it itself. Asked for: the server's documented default."""

    PCM_S16LE = "pcm_s16le"
    """Signed 16-bit little-endian samples, channels interleaved, no header."""

    PCM_F32LE = "pcm_f32le"
    """32-bit little-endian floats in [-1, 1], channels interleaved, no header."""

    MULAW = "mulaw"
    """ITU-T G.711 mu-law, one byte a sample, no header."""

    ALAW = "alaw"
    """ITU-T G.711 A-law, one byte a sample, no header."""

    WAV = "wav"
    """RIFF WAVE with its header."""

    OGG_OPUS = "ogg_opus"
    """Opus in an Ogg container."""

    MP3 = "mp3"
    """MPEG-1 or MPEG-2 layer 3."""

    FLAC = "flac"
    """Free Lossless Audio Codec with its header."""

    OPUS_PACKETS = "opus_packets"
    """Bare Opus packets as Discord sends and takes them, of 20 ms as a rule."""


@dataclass(frozen=True, slots=True)
class AudioFormat:
    """How audio is encoded, in either direction."""

    encoding: AudioEncoding
    """The encoding."""

    sample_rate_hertz: int = 0
    """Samples a second and channel, 8000 to 192000. Required for headerless audio that is sent;
    0 where a header says it, or where the voice's own rate is wanted."""

    channel_count: int = 1
    """Interleaved channels, 1 to 8."""


@dataclass(frozen=True, slots=True)
class OpusPacket:
    """One Opus packet as RTP carries it: 20 ms as a rule, 2.5 to 120 ms in all."""

    data: bytes
    """The packet as RFC 6716 defines it, at most 7,664 bytes."""

    sequence: int
    """RTP sequence number, 0 to 65535, wrapping."""

    rtp_timestamp: int
    """RTP timestamp in samples at 48 kHz, 0 to 4294967295, wrapping."""
