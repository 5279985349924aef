"""From packets to frames."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from faster_whisper.audio import decode_audio

from voicemesh_models import ModelStore, load_catalogue
from voicemesh_models.silero import SileroModel
from voicemesh_stt.domain import AudioFormat, Encoding, Lost, Packet, Silence, TurnDetection
from voicemesh_stt.engines.opus import OpusLiveDecoder
from voicemesh_stt.engines.raw_audio import RawLiveDecoder
from voicemesh_stt.live.hearing import Frame, Hearing
from voicemesh_stt.live.turns import TurnMachine, TurnOpened
from voicemesh_stt.ports import FRAME_S, Samples

pytestmark = pytest.mark.unit


class Decoder:
    """Makes one frame of each packet, with the packet's number in it, and zeros of silence."""

    def decode(self, item: bytes | Packet | Lost | Silence) -> Samples:
        if isinstance(item, Packet):
            return np.full(512, item.sequence, dtype=np.float32)
        return np.zeros(0 if isinstance(item, bytes) else item.samples // 3, dtype=np.float32)

    def flush(self) -> Samples:
        return np.zeros(0, dtype=np.float32)


class Detector:
    """Says the number of the packet in place of a probability, and 7 of silence."""

    def __init__(self) -> None:
        self.frames = 0

    def probabilities(self, audio: Samples) -> list[float]:
        found = [float(p) or 7.0 for p in audio.reshape(-1, 512).max(axis=1)]
        self.frames += len(found)
        return found


def scripted(number: int, extra_samples: int = 0) -> Packet:
    return Packet(b"\x78packet", number, number * 960 + extra_samples)


def length(frames: list[Frame]) -> int:
    """Frames, those included that were not made."""
    return sum(1 + frame.skipped for frame in frames)


def test_packets_held_back_for_a_lost_one_are_heard_before_the_silence_after_them() -> None:
    hearing = Hearing(Decoder(), Detector())
    for number in (1, 3, 4):
        hearing.hear(scripted(number))

    frames = hearing.quiet(512 * 3 * 4)

    numbers = [frame.probability for frame in frames]
    assert list(dict.fromkeys(numbers)) == [3, 4, 0]


def test_where_there_is_no_sound_there_is_no_voice_whatever_the_detector_says() -> None:
    hearing = Hearing(Decoder(), Detector())
    hearing.hear(scripted(1))

    assert [frame.probability for frame in hearing.quiet(512 * 3 * 5)] == [0.0] * 5


@pytest.mark.parametrize("seconds", [1, 2, 11, 12, 30, 3_000, 40_000])
def test_a_silence_is_as_long_as_it_was_however_little_of_it_is_made(seconds: int) -> None:
    detector = Detector()
    hearing = Hearing(Decoder(), detector)
    hearing.hear(scripted(1))

    frames = hearing.hear(scripted(2, 48_000 * seconds))

    made_s = len(frames) * FRAME_S
    assert length(frames) - 1 == 16_000 * seconds // 512
    assert made_s < 11.2
    assert detector.frames * FRAME_S < 2.2
    assert frames[-1].probability > 0
    assert all(frame.probability == 0.0 for frame in frames[:-1])


def test_finishing_turns_and_waiting_by_the_clock_do_not_move_what_comes_later() -> None:
    hearing = Hearing(OpusLiveDecoder(), Detector())
    given = 0
    for number in range(200):
        given += length(hearing.hear(Packet(b"\xf8\xff\xfe", number, number * 48_000)))
        for _ in range(5):
            given += length(hearing.quiet(967))
        given += length(hearing.settle(ended=False))

    assert given * FRAME_S == pytest.approx(199 + 0.02 + 5 * 0.02, abs=0.04)


def test_finishing_turns_does_not_move_what_comes_later_on_a_stream_without_timestamps() -> None:
    hearing = Hearing(RawLiveDecoder(AudioFormat(Encoding.PCM_S16LE, 16_000)), Detector())
    given = 0
    for _ in range(100):
        given += length(hearing.hear(bytes(2 * 320)))  # 20 ms, and no whole number of frames
        given += length(hearing.settle(ended=False))
    given += length(hearing.settle(ended=True))

    assert given * FRAME_S == pytest.approx(2.0, abs=FRAME_S)


def test_no_turn_is_open_where_frames_are_skipped() -> None:
    patient = TurnDetection(
        complete_silence_s=10, unsure_silence_s=10, incomplete_silence_s=10, max_turn_s=120
    )
    machine = TurnMachine(patient)
    for _ in range(20):
        machine.frame(1.0)
    assert machine.is_open

    for frame in Hearing(Decoder(), Detector()).quiet(48_000 * 60):
        machine.frame(frame.probability)
        if frame.skipped:
            machine.skip(frame.skipped)

    assert machine.now == 20 + 60 * 16_000 // 512


@pytest.fixture(scope="module")
def voices(models_dir: Path) -> SileroModel:
    """The real detector."""
    store = ModelStore(models_dir, load_catalogue())
    return SileroModel(store.require("silero-vad") / "silero_vad_16k_op15.onnx")


@pytest.mark.parametrize("gap_s", [1, 30, 3_000])
@pytest.mark.parametrize("wrapping", [False, True])
def test_the_next_turn_is_at_its_time_after_a_gap(
    speech: Path,
    opus: Callable[..., list[bytes]],
    voices: SileroModel,
    gap_s: int,
    wrapping: bool,
) -> None:
    said = decode_audio(str(speech / "librivox-0930.wav"), sampling_rate=16_000)
    data = opus(said)
    stops = [b"\xf8\xff\xfe"] * 5
    first = 65_450 if wrapping else 0
    time_zero = (1 << 32) - 96_000 if wrapping else 0
    hearing, machine = Hearing(OpusLiveDecoder(), voices.detector()), TurnMachine(TurnDetection())
    opened: list[TurnOpened] = []

    def follow(frames: list[Frame]) -> None:
        for frame in frames:
            opened.extend(d for d in machine.frame(frame.probability) if isinstance(d, TurnOpened))
            if frame.skipped:
                machine.skip(frame.skipped)

    begun_s = time.process_time()
    sent = [*data, *stops]
    for part in range(3):
        begins = part * (len(sent) * 960 + gap_s * 48_000)
        for number, each in enumerate(sent):
            sequence = (first + part * len(sent) + number) % 65_536
            stamp = (time_zero + begins + number * 960) % (1 << 32)
            follow(hearing.hear(Packet(each, sequence, stamp)))

    period_s = len(sent) * 0.02 + gap_s
    starts = [turn.voice_frame * FRAME_S for turn in opened]
    assert len(starts) == 3
    assert starts[1] - starts[0] == pytest.approx(period_s, abs=0.07)
    assert starts[2] - starts[1] == pytest.approx(period_s, abs=0.07)
    assert time.process_time() - begun_s < 2.0
