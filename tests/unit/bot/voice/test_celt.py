"""The shape of packets, by those of the real encoder whose sound leaves no doubt of it."""

from __future__ import annotations

import av
import numpy as np
import numpy.typing as npt
import pytest

from voicemesh_bot.voice.celt import FrameShape, frame_shape
from voicemesh_bot.voice.frames import FRAME_SAMPLES, SILENCE

pytestmark = pytest.mark.unit

Sound = npt.NDArray[np.float64]

TIME_S = np.arange(48_000) / 48_000


def packets(sound: Sound, *, application: str = "lowdelay", bit_rate: int = 48_000) -> list[bytes]:
    codec = av.CodecContext.create("libopus", "w")
    codec.sample_rate, codec.layout, codec.format, codec.bit_rate = 48_000, "mono", "s16", bit_rate
    codec.options = {"application": application, "frame_duration": "20"}
    made: list[bytes] = []
    for start in range(0, len(sound), FRAME_SAMPLES):
        samples = (sound[start : start + FRAME_SAMPLES] * 20_000).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate, frame.pts = 48_000, start
        made += [bytes(packet) for packet in codec.encode(frame)]
    return made


def vowel() -> Sound:
    """A steady voice: overtones of 200 Hz, each with a phase of its own so that it has no pulse."""
    overtones = (np.sin(2 * np.pi * 200 * k * TIME_S + k * k) / k for k in range(1, 20))
    return np.asarray(sum(overtones) / 4)


def hiss() -> Sound:
    return np.random.default_rng(1).normal(0, 0.1, len(TIME_S))


def clicks() -> Sound:
    """Quiet, and a burst in the middle of every second frame."""
    within = np.arange(len(TIME_S)) % (2 * FRAME_SAMPLES)
    return np.where((within > 1400) & (within < 1500), 0.9, 0.001) * hiss() * 10


def test_a_steady_voice_is_filtered_and_in_long_windows() -> None:
    shapes = [frame_shape(packet) for packet in packets(vowel())[5:]]
    assert set(shapes) == {FrameShape(silent=False, postfilter=True, transient=False)}


def test_a_hiss_is_neither_filtered_nor_cut() -> None:
    shapes = [frame_shape(packet) for packet in packets(hiss())[5:]]
    assert shapes.count(FrameShape(silent=False)) > 0.9 * len(shapes)


def test_a_burst_is_cut_into_short_windows() -> None:
    shapes = [frame_shape(packet) for packet in packets(clicks())[6:]]
    cut = [shape is not None and shape.transient for shape in shapes]
    assert cut.count(True) >= 0.4 * len(cut)


def test_nothing_at_all_is_silence() -> None:
    shapes = [frame_shape(packet) for packet in packets(np.zeros(48_000))[2:]]
    assert set(shapes) == {FrameShape(silent=True)}
    assert frame_shape(SILENCE) == FrameShape(silent=True)


def test_packets_of_other_kinds_have_no_shape() -> None:
    speech_coded = packets(vowel(), application="voip", bit_rate=12_000)
    assert {frame_shape(packet) for packet in speech_coded[5:]} == {None}
    two_frames = bytes([0xF9]) + bytes(40)
    assert [frame_shape(packet) for packet in (two_frames, b"", b"\xf8")] == [None] * 3


@pytest.mark.parametrize("length", range(2, 12))
def test_bytes_that_no_encoder_made_do_no_harm(length: int) -> None:
    random = np.random.default_rng(length)
    for _ in range(200):
        assert frame_shape(b"\xf8" + random.bytes(length)) is not None
