"""Every encoding at every rate, as ffmpeg decodes it: all of the sound, at the right moment."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import av
import numpy as np
import pytest
import soxr
from numpy.typing import NDArray

from voicemesh_tts.audio.chain import AudioChain
from voicemesh_tts.domain import Encoding
from voicemesh_tts.ports import Samples

pytestmark = pytest.mark.unit

Chain = Callable[..., AudioChain]
Lateness = Callable[[NDArray[np.float32], NDArray[np.float32]], tuple[float, int]]
Floats = NDArray[np.float32]

RATES = (8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000)
ODD_RATES = (8_001, 37_123)
FILES = {Encoding.WAV: "wav", Encoding.FLAC: "flac", Encoding.MP3: "mp3", Encoding.OGG_OPUS: "ogg"}
# How like the original speech must be after decoding, 1 being the same.
LIKENESS = {
    Encoding.PCM_F32LE: 0.99999,
    Encoding.PCM_S16LE: 0.99999,
    Encoding.WAV: 0.99999,
    Encoding.FLAC: 0.99999,
    Encoding.MULAW: 0.998,
    Encoding.ALAW: 0.998,
    Encoding.MP3: 0.97,
    Encoding.OGG_OPUS: 0.98,
}
EVERY = [
    *((encoding, rate) for encoding in LIKENESS for rate in RATES),
    *((encoding, rate) for encoding in LIKENESS for rate in ODD_RATES),
]
ALL = [
    (encoding, rate)
    for encoding, rate in EVERY
    if not (encoding is Encoding.OGG_OPUS and rate != 48_000)
    and not (encoding is Encoding.MP3 and rate in ODD_RATES)
]
MP3_DELAY = 1_105
"""Samples by which an MP3 file without a table of contents is late: LAME's and the decoder's."""


def decoded(data: bytes, encoding: Encoding, rate: int, channels: int) -> Floats:
    """The sound, float32 [samples, channels]."""
    if encoding in FILES:
        with av.open(io.BytesIO(data), "r", format=FILES[encoding]) as file:
            stream = file.streams.audio[0]
            assert (stream.rate, stream.channels) == (rate, channels)
            return frames_to_samples(list(file.decode(stream)), channels)
    if encoding is Encoding.PCM_F32LE:
        return np.frombuffer(data, "<f4").reshape(-1, channels)
    if encoding is Encoding.PCM_S16LE:
        return (np.frombuffer(data, "<i2") / 32767).astype(np.float32).reshape(-1, channels)
    codec: Any = av.CodecContext.create(f"pcm_{encoding.value}", "r")
    codec.sample_rate, codec.layout = rate, "mono" if channels == 1 else "stereo"
    return frames_to_samples(codec.decode(av.Packet(data)), channels)


def frames_to_samples(frames: list[Any], channels: int) -> Floats:
    rows = []
    for frame in frames:
        given = frame.to_ndarray()
        if not frame.format.is_planar:
            given = given.reshape(-1, channels).T
        scale = 32768.0 if given.dtype == np.int16 else 2.0**31 if given.dtype == np.int32 else 1.0
        rows.append(given.T / scale)
    return np.concatenate(rows).astype(np.float32)


@pytest.fixture(scope="module")
def short(talk: Samples, rate: int) -> Samples:
    """A second and a half of speech that begins and ends at zero."""
    ramp = np.minimum(1.0, np.arange(1.5 * rate) / 500).astype(np.float32)
    faded: Samples = talk[: len(ramp)] * ramp * ramp[::-1]
    return faded


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize(("encoding", "wanted"), ALL)
def test_what_is_decoded_is_what_was_spoken(
    chain: Chain,
    run: Any,
    short: Samples,
    lateness: Lateness,
    rate: int,
    encoding: Encoding,
    wanted: int,
    channels: int,
) -> None:
    made = run(chain(encoding, wanted, channels=channels), short)
    heard = decoded(made.data, encoding, wanted, channels)
    original = soxr.resample(short, rate, wanted).astype(np.float32)

    alike, late = lateness(heard[:, 0], original)
    assert alike >= LIKENESS[encoding]
    assert abs(late) <= 1
    assert made.sample_count == pytest.approx(len(original), abs=1)
    # MP3 comes in whole frames, of which the last may be longer than the sound.
    assert len(heard) == pytest.approx(
        made.sample_count, abs=0 if encoding is not Encoding.MP3 else 2_400
    )
    assert len(heard) >= made.sample_count
    if channels == 2:
        np.testing.assert_allclose(heard[:, 0], heard[:, 1], atol=0.02)


@pytest.mark.parametrize("encoding", FILES)
def test_a_file_that_grows_holds_the_same(
    chain: Chain, run: Any, short: Samples, lateness: Lateness, rate: int, encoding: Encoding
) -> None:
    wanted = 48_000 if encoding is Encoding.OGG_OPUS else rate
    made = run(chain(encoding, wanted, whole=False), short, short)
    heard = decoded(made.data, encoding, wanted, 1)
    original = soxr.resample(np.concatenate([short, short]), rate, wanted).astype(np.float32)

    alike, late = lateness(heard[:, 0], original)
    assert alike >= LIKENESS[encoding]
    assert abs(late - (MP3_DELAY if encoding is Encoding.MP3 else 0)) <= 2
    assert made.sample_count == pytest.approx(len(original), abs=2)
    assert len(heard) >= made.sample_count


@pytest.mark.parametrize("encoding", [Encoding.WAV, Encoding.OGG_OPUS, Encoding.MP3, Encoding.FLAC])
def test_every_part_of_a_growing_file_comes_soon(
    chain: Chain, short: Samples, rate: int, encoding: Encoding
) -> None:
    wanted = 48_000 if encoding is Encoding.OGG_OPUS else rate
    audio = chain(encoding, wanted, whole=False)
    sizes = [len(audio.push(short, end=True).data) for _ in range(3)]

    assert min(sizes) > 1_000


@pytest.mark.parametrize("seconds", [0.0, 0.02, 0.25, 2.0])
@pytest.mark.parametrize(("encoding", "wanted"), [(each, 48_000) for each in LIKENESS])
def test_silence_before_the_first_sound_is_as_long_as_was_asked_for(
    chain: Chain,
    run: Any,
    short: Samples,
    lateness: Lateness,
    rate: int,
    encoding: Encoding,
    wanted: int,
    seconds: float,
) -> None:
    made = run(chain(encoding, wanted, leading_silence_s=seconds), short)
    heard = decoded(made.data, encoding, wanted, 1)
    original = soxr.resample(short, rate, wanted).astype(np.float32)

    _, late = lateness(heard[:, 0], original)
    assert abs(late - seconds * wanted) <= 1
    before = heard[: max(0, round(seconds * wanted) - 1_500), 0]
    assert not len(before) or np.abs(before).max() < 0.002
    assert made.sample_count == pytest.approx(len(original) + seconds * wanted, abs=1)


@pytest.mark.parametrize(("encoding", "size"), [(Encoding.MULAW, 1), (Encoding.PCM_F32LE, 4)])
def test_raw_encodings_have_their_size(
    chain: Chain, run: Any, short: Samples, encoding: Encoding, size: int
) -> None:
    made = run(chain(encoding, 8_000, channels=2), short)

    assert len(made.data) == made.sample_count * size * 2
