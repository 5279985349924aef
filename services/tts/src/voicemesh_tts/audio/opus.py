"""Bare Opus packets, as Discord and RTP carry them (RFC 6716, RFC 7587)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import av
import numpy as np

from voicemesh_tts.audio.raw import to_int16
from voicemesh_tts.domain import EncodedAudio

if TYPE_CHECKING:
    from voicemesh_tts.ports import Samples

__all__ = (
    "FRAME_SAMPLES",
    "LOOKAHEAD_SAMPLES",
    "OPUS_OPTIONS",
    "OPUS_RATE",
    "OpusPacketEncoder",
)

OPUS_RATE = 48_000
"""The only rate, in samples a second."""

FRAME_SAMPLES = 960
"""Samples of a packet: 20 ms."""

LOOKAHEAD_SAMPLES = 312
"""Samples by which the sound is late in the packets (6.5 ms), as libopus says in its header.

A file tells its reader to skip them (RFC 7845, pre-skip); bare packets cannot, and RTP does not."""

OPUS_OPTIONS = {"application": "audio", "compression_level": "5", "frame_duration": "20"}
"""How libopus works. At 48 kbit/s of speech this keeps more of the sound than "voip" at its highest
level (24 instead of 14 dB of signal over error) for a third of the time (2.6 instead of 7.3 ms a
second of sound)."""


class OpusPacketEncoder:
    """One Opus stream, every packet 20 ms.

    The encoder's state and the filling of packets go on from sound to sound. At the end of each,
    silence fills the last packet, so that the whole clause is out before the next is known; this
    adds at most 26 ms to the pause that is there anyway.
    """

    def __init__(self, channel_count: int, bitrate: int) -> None:
        self._layout = "mono" if channel_count == 1 else "stereo"
        self._channels = channel_count
        self._bitrate = bitrate * channel_count
        self._held: Samples = np.zeros(0, np.float32)
        self._codec = self._open()
        self._position = 0

    @property
    def held_bytes(self) -> int:
        """0: nothing encoded is held back."""
        return 0

    def encode(self, samples: Samples) -> EncodedAudio:
        """The packets that are full now."""
        held = np.concatenate([self._held, samples])
        whole = len(held) - len(held) % FRAME_SAMPLES
        self._held = held[whole:]
        packets = [
            self._packet(held[start : start + FRAME_SAMPLES])
            for start in range(0, whole, FRAME_SAMPLES)
        ]
        return EncodedAudio(packets=tuple(packets), sample_count=whole)

    def end_sound(self) -> EncodedAudio:
        """The packets that hold the rest of the sound, filled with silence."""
        count = len(self._held) + LOOKAHEAD_SAMPLES
        padding = LOOKAHEAD_SAMPLES + -count % FRAME_SAMPLES
        return self.encode(np.zeros(padding, np.float32))

    def finish(self) -> EncodedAudio:
        """Nothing: packets have no trailer."""
        return EncodedAudio()

    def reset(self) -> None:
        """Forgets the sound that was going on, also what the encoder remembers of it."""
        self._held = np.zeros(0, np.float32)
        self._codec = self._open()

    def _open(self) -> av.AudioCodecContext:
        codec = av.CodecContext.create("libopus", "w")
        codec.sample_rate = OPUS_RATE
        codec.layout = self._layout
        codec.format = "s16"
        codec.bit_rate = self._bitrate
        codec.options = dict(OPUS_OPTIONS)
        codec.open()
        self._position = 0
        return codec

    def _packet(self, samples: Samples) -> bytes:
        wide = to_int16(np.repeat(samples, self._channels)).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(wide, format="s16", layout=self._layout)
        frame.sample_rate = OPUS_RATE
        frame.pts = self._position
        self._position += FRAME_SAMPLES
        (packet,) = self._codec.encode(frame)
        return bytes(packet)
