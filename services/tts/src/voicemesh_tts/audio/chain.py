"""The way of a call's sound from the engine to the caller: pitch, resampling, gain, encoding."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np

from voicemesh_tts.audio.containers import ContainerEncoder
from voicemesh_tts.audio.opus import OpusPacketEncoder
from voicemesh_tts.audio.pitch import PitchShifter
from voicemesh_tts.audio.raw import RawEncoder
from voicemesh_tts.audio.resampling import Resampler
from voicemesh_tts.audio.shaping import amplified
from voicemesh_tts.domain import EncodedAudio, Encoding, Prosody, SpeechRequest

if TYPE_CHECKING:
    from voicemesh_tts.ports import Samples

__all__ = ("AudioChain",)

_PLAIN = Prosody()
_FARTHEST_SEMITONES = 24.0
"""What a request and its text ask for together is bounded by this."""

_RAW = frozenset({Encoding.PCM_S16LE, Encoding.PCM_F32LE, Encoding.MULAW, Encoding.ALAW})


class _Encoder(Protocol):
    @property
    def held_bytes(self) -> int: ...

    def encode(self, samples: Samples) -> EncodedAudio: ...

    def end_sound(self) -> EncodedAudio: ...

    def finish(self) -> EncodedAudio: ...

    def reset(self) -> None: ...


class AudioChain:
    """The state of one call's audio; not to be used from two threads at once.

    Args:
        request: voice, pitch, gain, leading silence and format.
        opus_bitrate: bits a second of Opus, for one channel.
        whole: whether the audio is wanted at the end only; containers then come from `finish`.
    """

    def __init__(self, request: SpeechRequest, *, opus_bitrate: int, whole: bool) -> None:
        self._request = request
        self._opus_bitrate = opus_bitrate
        self._whole = whole
        form = request.format
        self._pitch: PitchShifter | None = None  # of the clause that is going on
        self._resampler = Resampler(request.voice.sample_rate_hertz, form.sample_rate_hertz)
        self._encoder: _Encoder | None = None
        self._given_bytes = 0

    def push(self, samples: Samples, *, end: bool, prosody: Prosody = _PLAIN) -> EncodedAudio:
        """The next samples of a clause, and what is encoded now.

        Args:
            samples: at the voice's rate.
            end: whether the clause ends with them; all of it is then out, except what a codec of
                a container holds back.
            prosody: of the clause; its pitch and gain are made here, its rate is the engine's.
        """
        resampled = self._resampler.push(self._pitched(samples, end=end, prosody=prosody))
        if end:
            resampled = np.concatenate([resampled, self._resampler.finish()])
        # Last of all, because resampling may overshoot what has been limited before.
        sound = amplified(resampled, self._request.gain_db + prosody.gain_db)
        first = self._encoder is None
        encoder = self._encoder = self._encoder or self._open()
        if first:
            sound = np.concatenate([self._silence(), sound])
        encoded = encoder.encode(sound)
        if end:
            encoded = _joined(encoded, encoder.end_sound())
        self._given_bytes += len(encoded.data) + sum(map(len, encoded.packets))
        return encoded

    def finish(self) -> EncodedAudio:
        """The rest of the audio; nothing if there was no sound."""
        return self._encoder.finish() if self._encoder else EncodedAudio()

    @property
    def size_bytes(self) -> int:
        """Size of all audio so far, also of what a whole file holds."""
        return self._given_bytes + (self._encoder.held_bytes if self._encoder else 0)

    def reset(self) -> None:
        """Forgets a clause in the middle, for a cancel. A file goes on with what it has."""
        self._pitch = None
        self._resampler.reset()
        if self._encoder:
            self._encoder.reset()

    def _pitched(self, samples: Samples, *, end: bool, prosody: Prosody) -> Samples:
        if self._pitch is None:
            semitones = self._request.pitch_semitones + prosody.pitch_semitones
            self._pitch = PitchShifter(
                self._request.voice.sample_rate_hertz,
                max(-_FARTHEST_SEMITONES, min(_FARTHEST_SEMITONES, semitones)),
            )
        # An engine whose numbers run away must not damage the rest of the audio.
        moved = self._pitch.push(np.nan_to_num(samples, posinf=1.0, neginf=-1.0))
        if end:
            moved = np.concatenate([moved, self._pitch.finish()])
            self._pitch = None
        return moved

    def _silence(self) -> Samples:
        form = self._request.format
        count = round(self._request.leading_silence_s * form.sample_rate_hertz)
        return np.zeros(count, np.float32)

    def _open(self) -> _Encoder:
        form = self._request.format
        if form.encoding in _RAW:
            return RawEncoder(form.encoding, form.sample_rate_hertz, form.channel_count)
        if form.encoding is Encoding.OPUS_PACKETS:
            return OpusPacketEncoder(form.channel_count, self._opus_bitrate)
        return ContainerEncoder(
            form.encoding,
            form.sample_rate_hertz,
            form.channel_count,
            bitrate=self._opus_bitrate,
            whole=self._whole,
        )


def _joined(first: EncodedAudio, second: EncodedAudio) -> EncodedAudio:
    return EncodedAudio(
        first.data + second.data,
        first.packets + second.packets,
        first.sample_count + second.sample_count,
    )
