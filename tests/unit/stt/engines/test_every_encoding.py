"""Real speech in every encoding that is promised: what is decoded is what was said."""

from __future__ import annotations

import io
import itertools
import threading
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt
import pytest
from faster_whisper.audio import decode_audio

from voicemesh_stt.domain import AudioFormat, Encoding
from voicemesh_stt.engines.containers import BoundedRecordingDecoder
from voicemesh_stt.engines.raw_audio import RawLiveDecoder

pytestmark = pytest.mark.unit

Audio = npt.NDArray[np.float32]
RATES_HERTZ = (8_000, 16_000, 22_050, 44_100, 48_000)
CODECS = {
    Encoding.PCM_S16LE: ("pcm_s16le", "<i2"),
    Encoding.PCM_F32LE: ("pcm_f32le", "<f4"),
    Encoding.MULAW: ("pcm_mulaw", "u1"),
    Encoding.ALAW: ("pcm_alaw", "u1"),
}
LEAST_LIKENESS = 0.97
"""Correlation with what was said; other speech has less than 0.2."""


@pytest.fixture(scope="module")
def said(speech: Path) -> Audio:
    """A sentence of two seconds, with nothing above 3.6 kHz, so that 8 kHz can hold it."""
    audio: Audio = decode_audio(str(speech / "librivox-0930.wav"), sampling_rate=16_000)
    spectrum = np.fft.rfft(audio)
    spectrum[int(len(spectrum) * 3_600 / 8_000) :] = 0
    return np.fft.irfft(spectrum, len(audio)).astype(np.float32)


def frames(said: Audio, codec: Any, rate: int) -> list[Any]:
    """The speech as frames that a codec takes, and the end."""
    frame = av.AudioFrame.from_ndarray(said[np.newaxis], format="fltp", layout="mono")
    frame.sample_rate = 16_000
    resampler = av.AudioResampler(codec.format, codec.layout, rate, codec.frame_size or 1_024)
    return [*resampler.resample(frame), *resampler.resample(None), None]


def headerless(said: Audio, encoding: Encoding, rate: int, channels: int) -> bytes:
    """The speech on every channel, in samples that FFmpeg made."""
    name, dtype = CODECS[encoding]
    codec: Any = av.AudioCodecContext.create(name, "w")
    codec.sample_rate, codec.layout = rate, "mono"
    codec.format = "flt" if encoding is Encoding.PCM_F32LE else "s16"
    data = b"".join(bytes(p) for part in frames(said, codec, rate) for p in codec.encode(part))
    return np.repeat(np.frombuffer(data, dtype=dtype), channels).tobytes()


def contained(said: Audio, container: str, codec: str, rate: int, layout: str) -> bytes:
    """The speech in a file."""
    file = io.BytesIO()
    with av.open(file, "w", format=container) as output:
        stream: Any = output.add_stream(codec, rate=rate)
        stream.layout = layout
        stream.codec_context.open()
        for part in frames(said, stream.codec_context, rate):
            output.mux(stream.encode(part))
    return file.getvalue()


def likeness(heard: Audio, said: Audio) -> float:
    """The best correlation of the two, one moved against the other by up to 0.15 s."""
    size = 1 << 17
    length = min(len(heard), len(said))
    one, two = heard[:length], said[:length]
    both = np.fft.irfft(np.fft.rfft(one, size) * np.conj(np.fft.rfft(two, size)), size)
    near = np.concatenate((both[:2_400], both[-2_400:]))
    return float(near.max() / (np.linalg.norm(one) * np.linalg.norm(two)))


def whole(data: bytes, audio_format: AudioFormat) -> list[Audio]:
    decoder = BoundedRecordingDecoder(60.0)
    return decoder.decode(data, audio_format, separate=True, stop=threading.Event())


@pytest.mark.parametrize("channels", range(1, 9))
@pytest.mark.parametrize("encoding", CODECS, ids=str)
def test_headerless_speech_is_heard_at_every_rate_on_every_channel(
    said: Audio, encoding: Encoding, channels: int
) -> None:
    for rate in RATES_HERTZ:
        data = headerless(said, encoding, rate, channels)
        audio_format = AudioFormat(encoding, rate, channels)
        live = RawLiveDecoder(audio_format)
        pieces = [data[start : start + 12_347] for start in range(0, len(data), 12_347)]

        apart = whole(data, audio_format)
        mix = np.concatenate([*(live.decode(piece) for piece in pieces), live.flush()])

        assert len(apart) == channels
        for heard in (*apart, mix):
            assert len(heard) == pytest.approx(len(said), abs=200)
            assert likeness(heard, said) > LEAST_LIKENESS
            assert np.linalg.norm(heard) == pytest.approx(np.linalg.norm(said), rel=0.1)


FILES = [
    (Encoding.WAV, "wav", "pcm_s16le", (8_000, 22_050, 44_100)),
    (Encoding.WAV, "wav", "pcm_f32le", (16_000, 48_000)),
    (Encoding.WAV, "wav", "pcm_u8", (16_000,)),
    (Encoding.WAV, "wav", "pcm_s24le", (44_100,)),
    (Encoding.WAV, "wav", "pcm_mulaw", (8_000,)),
    (Encoding.WAV, "wav", "pcm_alaw", (8_000,)),
    (Encoding.FLAC, "flac", "flac", (16_000, 44_100)),
    (Encoding.MP3, "mp3", "libmp3lame", (16_000, 44_100)),
    (Encoding.OGG_OPUS, "ogg", "libopus", (16_000, 48_000)),
    (Encoding.CONTAINER, "webm", "libopus", (48_000,)),
    (Encoding.CONTAINER, "ipod", "aac", (16_000, 44_100)),  # m4a
    (Encoding.CONTAINER, "mp4", "aac", (48_000,)),
    (Encoding.CONTAINER, "adts", "aac", (44_100,)),
    (Encoding.CONTAINER, "matroska", "pcm_s16le", (48_000,)),
]
TABLE = [
    pytest.param(
        encoding, container, codec, rate, layout, id=f"{container}-{codec}-{rate}-{layout}"
    )
    for (encoding, container, codec, rates), layout in itertools.product(FILES, ("mono", "stereo"))
    for rate in rates
]


@pytest.mark.parametrize(("encoding", "container", "codec", "rate", "layout"), TABLE)
def test_speech_in_a_file_is_heard(
    said: Audio, encoding: Encoding, container: str, codec: str, rate: int, layout: str
) -> None:
    data = contained(said, container, codec, rate, layout)
    # Whoever does not say what it is gets the same.
    for given in {encoding, Encoding.CONTAINER}:
        channels = whole(data, AudioFormat(given))

        assert len(channels) == (2 if layout == "stereo" else 1)
        for heard in channels:
            assert len(heard) == pytest.approx(len(said), abs=0.15 * 16_000)
            assert likeness(heard, said) > LEAST_LIKENESS
