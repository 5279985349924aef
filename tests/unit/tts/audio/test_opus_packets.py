"""Bare Opus packets: 20 ms each, all of a clause in them, one stream from clause to clause."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import av
import numpy as np
import pytest
import soxr
from numpy.typing import NDArray

from voicemesh_tts.audio.chain import AudioChain
from voicemesh_tts.audio.opus import FRAME_SAMPLES, LOOKAHEAD_SAMPLES, OPUS_OPTIONS, OPUS_RATE
from voicemesh_tts.domain import Encoding
from voicemesh_tts.ports import Samples

pytestmark = pytest.mark.unit

Tone = Callable[..., Samples]
Chain = Callable[..., AudioChain]
Lateness = Callable[[NDArray[np.float32], NDArray[np.float32]], tuple[float, int]]


def heard(packets: Sequence[bytes], channels: int = 1) -> NDArray[np.float32]:
    """What ffmpeg's own decoder, which is not libopus, makes of packets: [samples, channels]."""
    decoder: Any = av.CodecContext.create("opus", "r")
    decoder.sample_rate = OPUS_RATE
    decoder.layout = "mono" if channels == 1 else "stereo"
    frames = [frame for packet in packets for frame in decoder.decode(av.Packet(packet))]
    frames += decoder.decode(None)
    rows = [frame.to_ndarray().T for frame in frames]
    return np.concatenate(rows).astype(np.float32)


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("seconds", [0.001, 0.01, 0.02, 0.5, 1.234])
def test_packets_are_20_ms_each_and_hold_the_whole_clause(
    chain: Chain, run: Any, tone: Tone, seconds: float, channels: int
) -> None:
    audio = chain(Encoding.OPUS_PACKETS, OPUS_RATE, channels=channels)
    made = run(audio, tone(seconds), tone(seconds))

    decoder: Any = av.CodecContext.create("libopus", "r")
    frames = [frame for packet in made.packets for frame in decoder.decode(av.Packet(packet))]
    assert [frame.samples for frame in frames] == [FRAME_SAMPLES] * len(made.packets)
    assert made.sample_count == FRAME_SAMPLES * len(made.packets)
    assert 2 * seconds <= made.sample_count / OPUS_RATE <= 2 * (seconds + 0.027)
    assert all(_frames_and_config(packet) == (1, 20.0) for packet in made.packets)
    assert all(bool(packet[0] & 4) is (channels == 2) for packet in made.packets)


def _frames_and_config(packet: bytes) -> tuple[int, float]:
    """Frames of a packet and the length of each in ms, by RFC 6716, section 3.1."""
    configuration, code = packet[0] >> 3, packet[0] & 3
    if configuration < 12:
        length_ms = (10.0, 20.0, 40.0, 60.0)[configuration % 4]
    elif configuration < 16:
        length_ms = (10.0, 20.0)[configuration % 2]
    else:
        length_ms = (2.5, 5.0, 10.0, 20.0)[configuration % 4]
    frames = {0: 1, 1: 2, 2: 2}.get(code) or packet[1] & 63
    return frames, length_ms


def test_packets_are_as_late_as_the_encoder_says_and_no_more(
    chain: Chain, run: Any, talk: Samples, lateness: Lateness, rate: int
) -> None:
    made = run(chain(Encoding.OPUS_PACKETS, OPUS_RATE), talk)
    original = soxr.resample(talk, rate, OPUS_RATE).astype(np.float32)

    alike, late = lateness(heard(made.packets)[:, 0], original)

    assert alike > 0.98
    assert abs(late - LOOKAHEAD_SAMPLES) <= 2


def test_the_delay_is_the_one_that_libopus_writes_into_files() -> None:
    codec: Any = av.CodecContext.create("libopus", "w")
    codec.sample_rate, codec.layout, codec.format = OPUS_RATE, "mono", "s16"
    codec.options = dict(OPUS_OPTIONS)
    codec.open()

    # RFC 7845, section 5.1: OpusHead has the samples to skip at bytes 10 and 11.
    assert codec.extradata[:8] == b"OpusHead"
    assert int.from_bytes(codec.extradata[10:12], "little") == LOOKAHEAD_SAMPLES


def test_the_end_of_a_clause_is_in_its_own_packets(chain: Chain, tone: Tone, rate: int) -> None:
    cut = tone(1.0)[: rate // 2]  # it ends where it is loudest
    audio = chain(Encoding.OPUS_PACKETS, OPUS_RATE)
    packets = audio.push(cut, end=True).packets

    sound = heard(packets)[:, 0]
    end = OPUS_RATE // 2 + LOOKAHEAD_SAMPLES
    assert len(sound) >= end
    assert np.abs(sound[end - 200 : end - 20]).max() > 0.25


def test_clauses_follow_each_other_without_a_click(chain: Chain, run: Any, tone: Tone) -> None:
    made = run(chain(Encoding.OPUS_PACKETS, OPUS_RATE), *[tone(0.25)] * 6)

    # A sine of 440 Hz at 0.4 moves at most 0.023 a sample at 48 kHz.
    assert np.abs(np.diff(heard(made.packets)[:, 0])).max() < 0.03


@pytest.mark.parametrize("seconds", [0.0, 0.1, 1.0])
def test_silence_before_the_first_sound(
    chain: Chain, run: Any, talk: Samples, lateness: Lateness, rate: int, seconds: float
) -> None:
    made = run(chain(Encoding.OPUS_PACKETS, OPUS_RATE, leading_silence_s=seconds), talk[:rate])
    original = soxr.resample(talk[:rate], rate, OPUS_RATE).astype(np.float32)

    _, late = lateness(heard(made.packets)[:, 0], original)

    assert abs(late - LOOKAHEAD_SAMPLES - round(seconds * OPUS_RATE)) <= 2


def test_a_cancelled_clause_is_not_heard_in_the_next_packets(chain: Chain, tone: Tone) -> None:
    audio = chain(Encoding.OPUS_PACKETS, OPUS_RATE)
    audio.push(tone(1.0, level=0.9)[:11_025], end=False)
    audio.reset()

    quiet = audio.push(np.zeros(2_205, np.float32), end=True)

    assert np.abs(heard(quiet.packets)).max() < 0.003


@pytest.mark.parametrize("size", [1, 100, 959, 960, 961, 4_800])
def test_a_clause_makes_the_same_packets_however_it_is_cut(
    chain: Chain, talk: Samples, lateness: Lateness, size: int
) -> None:
    sound = talk[: 6_000 if size == 1 else 40_000]
    whole = chain(Encoding.OPUS_PACKETS, OPUS_RATE).push(sound, end=True).packets
    audio = chain(Encoding.OPUS_PACKETS, OPUS_RATE)
    packets: list[bytes] = []
    for start in range(0, len(sound), size):
        packets += audio.push(sound[start : start + size], end=start + size >= len(sound)).packets

    assert len(packets) == len(whole)
    alike, late = lateness(heard(packets)[:, 0], heard(whole)[:, 0])
    assert (round(alike, 3), late) == (1.0, 0)
