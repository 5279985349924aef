"""Opus packets to 16 kHz mono by libopus, with what was lost made up for.

libopus decodes to 16 kHz itself: that is cheaper than 48 kHz and a resampler, and nothing is held
back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from voicemesh_stt.domain import Lost, Packet, Silence
from voicemesh_stt.engines.libopus import OpusError, load_libopus
from voicemesh_stt.errors import UnreadableAudioError
from voicemesh_stt.live.packets import is_silence, packet_samples
from voicemesh_stt.ports import SAMPLE_RATE_HERTZ

if TYPE_CHECKING:
    from voicemesh_stt.ports import Samples

__all__ = ("OpusLiveDecoder",)

_PER_SAMPLE = 48_000 // SAMPLE_RATE_HERTZ
_STEP = SAMPLE_RATE_HERTZ // 400
"""Samples of 2.5 ms, in whole numbers of which libopus conceals."""
_LONGEST_CONCEALED = SAMPLE_RATE_HERTZ // 10
"""What is made up for one loss, 100 ms; beyond that it is no longer what anybody said."""


class OpusLiveDecoder:
    """A `LiveDecoder` of packets in order; stereo is mixed by the codec itself."""

    def __init__(self) -> None:
        self._library = load_libopus()
        self._decoder = self._library.decoder(SAMPLE_RATE_HERTZ)
        self._concealed = 0  # samples made up since the last good packet
        self._silent = True  # whether what came before was silence, of which nothing goes on

    def decode(self, item: bytes | Packet | Lost | Silence) -> Samples:
        """The next samples, exactly as many as the item is long.

        A packet that cannot be decoded is concealed as a lost one is. It must not end a
        conversation: on Discord some come undecrypted while encryption keys change.
        """
        match item:
            case Packet():
                return self._packet(item)
            case Lost():
                return self._lost(item)
            case Silence():
                self._silent = True
                return _zeros(item.samples // _PER_SAMPLE)
            case _:
                msg = "audio: this stream's encoding takes Opus packets, not bytes"
                raise UnreadableAudioError(msg, field="audio")

    def flush(self) -> Samples:
        """Nothing: no sample is ever held back."""
        return _zeros(0)

    def _packet(self, packet: Packet) -> Samples:
        try:
            samples = self._decoder.decode_float(packet.data)
        except OpusError:
            return self._concealment(packet_samples(packet.data) // _PER_SAMPLE)
        self._concealed = 0
        self._silent = is_silence(packet.data)
        # What rings on from the packet before is cut, so that silence is silent at once.
        return _zeros(len(samples)) if self._silent else samples.clip(-1.0, 1.0)

    def _lost(self, lost: Lost) -> Samples:
        """What the next packet says of the one before it, and before that what can be guessed."""
        missing = lost.samples // _PER_SAMPLE
        following = lost.following.data
        if not self._library.has_copy(following):
            return self._concealment(missing)
        copied = min(missing, packet_samples(following) // _PER_SAMPLE)
        before = self._concealment(missing - copied)
        try:
            copy = self._decoder.decode_float(following, copied, fec=True)
        except OpusError:
            copy = self._concealment(copied)
        return np.concatenate((before, copy.clip(-1.0, 1.0)))

    def _concealment(self, samples: int) -> Samples:
        """What may have been said, as long as that can be guessed; silence after it."""
        left = 0 if self._silent else _LONGEST_CONCEALED - self._concealed
        guessed = max(0, min(samples, left)) // _STEP * _STEP
        self._concealed += guessed
        if guessed == 0:
            return _zeros(samples)
        made = self._decoder.decode_float(None, guessed).clip(-1.0, 1.0)
        return np.concatenate((made, _zeros(samples - guessed)))


def _zeros(samples: int) -> Samples:
    return np.zeros(samples, dtype=np.float32)
