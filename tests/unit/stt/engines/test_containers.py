"""Recordings of every shape: what is right in them is kept, what is not costs little."""

from __future__ import annotations

import io
import resource
import struct
import sys
import threading
import time
import warnings
import zlib
from typing import Any

import av
import numpy as np
import numpy.typing as npt
import pytest

from voicemesh_stt.domain import AudioFormat, Encoding
from voicemesh_stt.engines.containers import BoundedRecordingDecoder
from voicemesh_stt.engines.raw_audio import RawLiveDecoder, raw_blocks
from voicemesh_stt.errors import AudioTooLongError, UnreadableAudioError

pytestmark = pytest.mark.unit

CONTAINER = AudioFormat(Encoding.CONTAINER)
CHANNELS = 8


def wav(
    data: bytes, *, rate: int = 16_000, channels: int = 1, bits: int = 16, tag: int = 1
) -> bytes:
    frame = channels * bits // 8
    fmt = struct.pack("<HHIIHH", tag, channels, rate, rate * frame % 2**32, frame % 2**16, bits)
    body = b"WAVEfmt " + struct.pack("<I", 16) + fmt + b"data" + struct.pack("<I", len(data)) + data
    return b"RIFF" + struct.pack("<I", len(body)) + body


def one_packet(count: int, rate: int) -> bytes:
    """Matroska with so many samples in a single packet."""
    file = io.BytesIO()
    with av.open(file, "w", format="matroska") as output:
        stream: Any = output.add_stream("pcm_s16le", rate=rate)
        stream.layout = "mono"
        packet = av.Packet(bytes(2 * count))
        packet.stream, packet.pts, packet.dts = stream, 0, 0
        output.mux(packet)
    return file.getvalue()


def decoded(
    audio: bytes, audio_format: AudioFormat = CONTAINER, *, max_audio_s: float = 60.0
) -> npt.NDArray[np.float32]:
    """The channels of a recording."""
    decoder = BoundedRecordingDecoder(max_audio_s)
    return np.stack(decoder.decode(audio, audio_format, separate=True, stop=threading.Event()))


def tones(rate: int) -> npt.NDArray[np.float32]:
    """A second of another tone on each channel, 300 Hz apart, as [samples, channels]."""
    place = np.arange(rate)[:, np.newaxis] / rate
    return (0.5 * np.sin(2 * np.pi * pitches() * place)).astype(np.float32)


def pitches() -> npt.NDArray[np.int64]:
    return 300 * np.arange(1, CHANNELS + 1)


def heard(planes: npt.NDArray[np.float32]) -> npt.NDArray[np.int64]:
    """The strongest pitch of each channel, to 20 Hz."""
    middle = planes[:, 4_000:4_800]
    found: npt.NDArray[np.int64] = np.abs(np.fft.rfft(middle * np.hanning(800))).argmax(axis=1) * 20
    return found


def in_planes(samples: npt.NDArray[np.float32], rate: int) -> bytes:
    """Eight channels in WavPack, whose decoder leaves each in a plane of its own."""
    file = io.BytesIO()
    with av.open(file, "w", format="matroska") as output:
        stream: Any = output.add_stream("wavpack", rate=rate)
        stream.layout, stream.format = "7.1", "fltp"
        frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="flt", layout="7.1")
        frame.sample_rate = rate
        resampler = av.AudioResampler(stream.format, "7.1", rate, 1_024)
        for part in [*resampler.resample(frame), *resampler.resample(None)]:
            output.mux(stream.encode(part))
        output.mux(stream.encode(None))
    return file.getvalue()


@pytest.mark.parametrize("rate", [8_000, 16_000, 44_100, 48_000, 96_000, 192_000])
def test_each_of_eight_channels_keeps_its_sound_at_any_rate(rate: int) -> None:
    samples = (tones(rate) * 32_767).astype("<i2").tobytes()

    container = decoded(wav(samples, rate=rate, channels=CHANNELS))
    headerless = decoded(samples, AudioFormat(Encoding.PCM_S16LE, rate, CHANNELS))

    for planes in (container, headerless):
        assert planes.shape == (CHANNELS, pytest.approx(16_000, abs=40))
        assert heard(planes).tolist() == pitches().tolist()
        assert np.abs(planes[:, 4_000:12_000]).max(axis=1) == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize("rate", [16_000, 48_000])
def test_eight_channels_in_planes_do_not_end_the_process(rate: int) -> None:
    planes = decoded(in_planes(tones(rate), rate))

    assert planes.shape == (CHANNELS, pytest.approx(16_000, abs=40))
    assert heard(planes).tolist() == pitches().tolist()


@pytest.mark.parametrize("rate", [8_000, 48_000, 192_000])
def test_eight_channels_are_heard_live_as_their_mix(rate: int) -> None:
    samples = tones(rate)
    decoder = RawLiveDecoder(AudioFormat(Encoding.PCM_F32LE, rate, CHANNELS))
    data = samples.astype("<f4").tobytes()

    parts = [decoder.decode(data[start : start + 9_999]) for start in range(0, len(data), 9_999)]
    mix = np.concatenate([*parts, decoder.flush()])

    expected = tones(16_000).mean(axis=1)
    assert len(mix) == pytest.approx(16_000, abs=40)
    assert mix[4_000:12_000] == pytest.approx(expected[4_000:12_000], abs=0.02)


@pytest.mark.parametrize("rate", [1, 100, 7_999, 192_001])
def test_a_rate_that_no_recorder_has_is_refused_before_a_sample_is_made_of_it(rate: int) -> None:
    with pytest.raises(UnreadableAudioError, match="rate must be from 8000 to 192000") as caught:
        decoded(one_packet(8_000, rate), max_audio_s=1e9)

    assert caught.value.field == "audio"


class Countdown(threading.Event):
    """Is set once it has been asked so many times."""

    def __init__(self, asked: int) -> None:
        super().__init__()
        self.left = asked

    def is_set(self) -> bool:
        self.left -= 1
        return self.left < 0


def test_one_endless_packet_is_pushed_in_pieces_that_can_be_stopped() -> None:
    decoder = BoundedRecordingDecoder(1e9)

    found = decoder.decode(
        one_packet(1_000_000, 8_000), CONTAINER, separate=False, stop=Countdown(3)
    )

    assert len(found[0]) == pytest.approx(3 * 65_536, abs=64)


def test_the_limit_ends_an_endless_packet_in_its_first_pieces() -> None:
    with pytest.raises(AudioTooLongError):
        decoded(one_packet(1_000_000, 8_000), max_audio_s=1.0)


@pytest.mark.parametrize("rate", [8_000, 16_000, 192_000])
def test_no_block_of_headerless_samples_is_larger_than_the_bound(rate: int) -> None:
    blocks = raw_blocks(bytes(1_000_000), AudioFormat(Encoding.MULAW, rate), threading.Event())

    assert max(block.shape[1] for block in blocks) <= 65_536 + 64


def test_a_frame_that_claims_to_be_endless_is_not_decoded() -> None:
    with pytest.raises(UnreadableAudioError):
        decoded(one_packet((1 << 21) + 1, 16_000), max_audio_s=1e9)


def with_picture(side: int) -> bytes:
    """A second of silence in QuickTime beside a black picture, 8 bytes a pixel before packing."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        checksum = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", checksum)

    header = struct.pack(">IIBBBBB", side, side, 16, 6, 0, 0, 0)
    packer = zlib.compressobj(1)
    rows = b"".join(packer.compress(bytes(1 + 8 * side)) for _ in range(side)) + packer.flush()
    picture = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows)
    file = io.BytesIO()
    with av.open(file, "w", format="mov") as output:
        video: Any = output.add_stream("png", rate=1)
        video.width, video.height, video.pix_fmt = 64, 64, "rgba64be"
        audio: Any = output.add_stream("pcm_s16le", rate=16_000)
        audio.layout = "mono"
        output.start_encoding()
        for stream, data in ((video, picture + chunk(b"IEND", b"")), (audio, bytes(32_000))):
            packet = av.Packet(data)
            packet.stream, packet.pts, packet.dts = stream, 0, 0
            output.mux(packet)
    return file.getvalue()


def most_memory_bytes() -> int:
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


@pytest.mark.parametrize("side", [64, 6_000])
def test_a_picture_beside_the_sound_is_not_unpacked(side: int) -> None:
    audio = with_picture(side)
    before_bytes = most_memory_bytes()

    planes = decoded(audio)

    assert planes.shape == (1, 16_000)
    assert most_memory_bytes() - before_bytes < 100_000_000


@pytest.mark.parametrize(
    "audio",
    [wav(bytes(32_000), bits=0), wav(bytes(32_000), bits=65_528), wav(bytes(32_000), tag=0xFFFE)],
    ids=["0 bits", "65528 bits", "extensible without more"],
)
def test_samples_without_a_decoder_are_bad_audio(audio: bytes) -> None:
    with pytest.raises(UnreadableAudioError) as caught:
        decoded(audio)

    assert caught.value.field == "audio"


@pytest.mark.parametrize(
    ("value", "expected"),
    [(np.nan, 0.0), (np.inf, 1.0), (-np.inf, -1.0), (1e38, 1.0), (-1e300, -1.0), (0.25, 0.25)],
)
@pytest.mark.parametrize("bits", [32, 64])
def test_floats_in_a_container_are_within_one(value: float, expected: float, bits: int) -> None:
    with np.errstate(over="ignore"):
        data = np.full(16_000, value).astype(f"<f{bits // 8}").tobytes()

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        planes = decoded(wav(data, bits=bits, tag=3))

    assert planes == pytest.approx(np.full((1, 16_000), expected))


def test_millions_of_empty_chunks_are_not_all_read() -> None:
    audio = b"RIFF\xff\xff\xff\xffWAVE" + b"junk\0\0\0\0" * 3_500_000
    begun_s = time.process_time()

    with pytest.raises(UnreadableAudioError, match="more than 1000 chunks"):
        decoded(audio)

    assert time.process_time() - begun_s < 0.5
