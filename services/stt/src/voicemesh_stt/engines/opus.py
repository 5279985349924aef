"""Opus packets to 16 kHz mono by libopus, as PyAV carries it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import av
import av.error
import numpy as np

from voicemesh_stt.domain import Packet, Silence
from voicemesh_stt.engines.resampling import Planes, Resampler, mixed
from voicemesh_stt.errors import UnreadableAudioError
from voicemesh_stt.packets import PACKET_SAMPLES

if TYPE_CHECKING:
    from voicemesh_stt.ports import Samples

__all__ = ("OpusLiveDecoder",)

_RATE_HERTZ = 48_000


class OpusLiveDecoder:
    """A `LiveDecoder` of packets in order; stereo is mixed by the codec itself."""

    def __init__(self) -> None:
        self._codec = av.AudioCodecContext.create("libopus", "r")
        self._codec.sample_rate = _RATE_HERTZ
        self._codec.layout = "mono"
        self._codec.open()
        self._resampler = Resampler(_RATE_HERTZ, 1)

    def decode(self, item: bytes | Packet | Silence) -> Samples:
        """The next samples; silence for a packet that cannot be decoded.

        One damaged packet must not end a conversation: on Discord some come undecrypted while
        encryption keys change.
        """
        if isinstance(item, bytes):
            msg = "audio: this stream's encoding takes Opus packets, not bytes"
            raise UnreadableAudioError(msg, field="audio")
        return mixed(self._resampler.push(self._planes(item)))

    def flush(self) -> Samples:
        """The last samples."""
        return mixed(self._resampler.flush())

    def _planes(self, item: Packet | Silence) -> Planes:
        if isinstance(item, Silence):
            return np.zeros((1, item.samples), dtype=np.float32)
        try:
            frames = self._codec.decode(av.Packet(item.data))
        except av.error.InvalidDataError:
            return np.zeros((1, PACKET_SAMPLES), dtype=np.float32)
        parts = [frame.to_ndarray().astype(np.float32) / 32768 for frame in frames]
        if not parts:
            return np.zeros((1, 0), dtype=np.float32)
        return np.concatenate(parts, axis=1)
