"""What listeners hear of a voice that is made softer, by the real codec on recorded speech."""

from __future__ import annotations

import wave
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
import pytest
from discord import opus

from voicemesh_bot.discord_front.opus_codec import OpusCodec, load_libopus
from voicemesh_bot.voice.ducking import Ducker, DuckingOptions
from voicemesh_bot.voice.errors import CodecError
from voicemesh_bot.voice.frames import FRAME_SAMPLES, SILENCE, Entry, Frame

pytestmark = pytest.mark.unit

Sound = npt.NDArray[np.float64]

DUCKED = 10 ** (-12 / 20)
CODEC_NOISE_DB = -12.0
"""What one more pass of Opus adds at its loudest, below the speech around it. A stream that simply
goes on as another is off by as much as the speech itself."""


@pytest.fixture(scope="module", autouse=True)
def _libopus() -> None:
    assert load_libopus()


def at_48_khz(recording: Path) -> Sound:
    with wave.open(str(recording)) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), np.int16)
        frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate = file.getframerate()
    resampler = av.AudioResampler(format="flt", layout="mono", rate=48_000)
    parts = [*resampler.resample(frame), *resampler.resample(None)]
    return np.concatenate([part.to_ndarray()[0] for part in parts]).astype(np.float64)


def as_tts_encodes(sound: Sound) -> list[bytes]:
    codec = av.CodecContext.create("libopus", "w")
    codec.sample_rate, codec.layout, codec.format, codec.bit_rate = 48_000, "mono", "s16", 48_000
    codec.options = {"application": "audio", "compression_level": "5", "frame_duration": "20"}
    packets: list[bytes] = []
    whole = (sound * 32_767 * 0.8).astype(np.int16)
    for start in range(0, len(whole) - FRAME_SAMPLES + 1, FRAME_SAMPLES):
        samples = whole[start : start + FRAME_SAMPLES].reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="mono")
        frame.sample_rate, frame.pts = 48_000, start
        packets += [bytes(packet) for packet in codec.encode(frame)]
    return packets


def as_heard(packets: Sequence[bytes]) -> Sound:
    """What a listener's decoder makes of it."""
    decoder = opus.Decoder()  # type: ignore[no-untyped-call]
    heard = [np.frombuffer(decoder.decode(each, fec=False), np.int16)[::2] for each in packets]
    return np.concatenate(heard) / 32_768


@pytest.fixture(scope="module")
def packets(speech: Path) -> list[bytes]:
    return as_tts_encodes(at_48_khz(speech / "librivox-0870.wav"))[:320]


@pytest.fixture(scope="module")
def original(packets: list[bytes]) -> Sound:
    return as_heard(packets)


def frames_of(packets: Sequence[bytes], ducked: Collection[int] = ()) -> list[Frame]:
    return [
        Frame(
            packet,
            Entry.BEGINS if index == 0 else Entry.CONTINUES,
            packets[index + 1] if index + 1 < len(packets) else None,
            index in ducked,
        )
        for index, packet in enumerate(packets)
    ]


def sent(packets: Sequence[bytes], ducked: Collection[int]) -> list[bytes]:
    ducker = Ducker(OpusCodec)
    return [ducker.render(frame) for frame in frames_of(packets, ducked)]


def remade(packets: Sequence[bytes], rendered: Sequence[bytes]) -> range:
    """From the first packet that is not the original to behind the last."""
    changed = [i for i, pair in enumerate(zip(packets, rendered, strict=True)) if len({*pair}) > 1]
    assert changed == [*range(changed[0], changed[-1] + 1)]
    return range(changed[0], changed[-1] + 1)


def worst_db(original: Sound, heard: Sound, first: int, count: int) -> float:
    """The loudest 5 ms of the difference in some frames, against the loudest of the speech near."""
    start, end = first * FRAME_SAMPLES, (first + count) * FRAME_SAMPLES
    near = slice(max(0, start - 10 * FRAME_SAMPLES), end + 10 * FRAME_SAMPLES)
    window = np.ones(240)
    difference = np.convolve((original - heard)[start:end] ** 2, window, "valid")
    loudest = np.convolve(original[near] ** 2, window, "valid")
    return float(10 * np.log10(difference.max() / loudest.max()))


@pytest.mark.parametrize("start", range(30, 240, 15))
def test_ducking_falls_without_a_jump_to_a_quarter_and_comes_back(
    packets: list[bytes], original: Sound, start: int
) -> None:
    rendered = sent(packets, range(start, start + 20))
    changed = remade(packets, rendered)
    # A frame or two may pass until both streams agree on the shape of a packet.
    assert start <= changed.start <= start + 4
    assert start + 20 < changed.stop <= start + 32
    down, up = changed.start, start + 20
    volume = np.full(len(original), 1.0)
    frames = np.arange(len(original)) / FRAME_SAMPLES
    soft = (frames >= down) & (frames < up + 4)
    volume[soft] = np.interp(
        frames[soft],
        [down, down + 2, up, up + 1, up + 2, up + 3],
        [1, DUCKED, DUCKED, DUCKED + 0.25, DUCKED + 0.5, 1],
    )
    heard = as_heard(rendered)
    assert worst_db(original * volume, heard, down - 1, 6) < CODEC_NOISE_DB
    assert worst_db(original * volume, heard, up - 1, 6) < CODEC_NOISE_DB
    assert worst_db(original, heard, changed.stop, 6) < CODEC_NOISE_DB
    middle = slice((down + 3) * FRAME_SAMPLES, (up - 1) * FRAME_SAMPLES)
    level = np.std(heard[middle]) / np.std(original[middle])
    assert level == pytest.approx(DUCKED, rel=0.05)


def test_a_stream_that_goes_on_as_another_would_jump(packets: list[bytes], original: Sound) -> None:
    """What the rules of ducking are for: the same without them fails the test above."""
    codec = OpusCodec()
    others = [codec.encode(codec.decode(packet)) for packet in packets]
    jumps = [
        worst_db(original, as_heard([*packets[:start], *others[start:]]), start, 4)
        for start in range(30, 240, 15)
    ]
    assert max(jumps) > CODEC_NOISE_DB + 6


@pytest.mark.parametrize("start", range(32, 240, 23))
def test_after_silence_within_a_stream_its_sound_comes_back_at_its_level(
    packets: list[bytes], original: Sound, start: int
) -> None:
    ducker = Ducker(OpusCodec)
    rendered = [ducker.render(frame) for frame in frames_of(packets)[:start]]
    rendered += [ducker.render(Frame(SILENCE)) for _ in range(10)]
    first = Frame(packets[start], Entry.REJOINS, packets[start + 1])
    rendered += [ducker.render(each) for each in (first, *frames_of(packets)[start + 1 :])]
    assert rendered[start : start + 10] == [SILENCE] * 10
    heard = as_heard(rendered)
    heard = np.concatenate([heard[: start * FRAME_SAMPLES], heard[(start + 10) * FRAME_SAMPLES :]])
    assert worst_db(original, heard, start + 1, 15) < CODEC_NOISE_DB
    assert rendered[-20:] == packets[-20:]
    plainly = as_heard([*packets[:start], *[SILENCE] * 10, *packets[start:]])
    plainly = plainly[(start + 10) * FRAME_SAMPLES :][: 3 * FRAME_SAMPLES]
    there = slice(start * FRAME_SAMPLES, (start + 3) * FRAME_SAMPLES)
    mine = heard[there]
    assert np.std(mine - original[there]) <= np.std(plainly - original[there]) + 0.01


def test_what_begins_while_somebody_speaks_is_soft_from_its_first_frame(
    packets: list[bytes], original: Sound
) -> None:
    stream = packets[:60]
    heard = as_heard(sent(stream, range(60)))
    level = np.std(heard[FRAME_SAMPLES:]) / np.std(original[FRAME_SAMPLES : len(heard)])
    assert level == pytest.approx(DUCKED, rel=0.05)


def test_packets_pass_untouched_while_nothing_is_ducked(packets: list[bytes]) -> None:
    assert sent(packets, ()) == packets


def test_silence_ends_the_work_and_is_not_touched(packets: list[bytes]) -> None:
    ducker = Ducker(OpusCodec)
    for frame in frames_of(packets[:20], range(10, 20)):
        ducker.render(frame)
    assert ducker.counts.frames > 0
    made = ducker.counts.frames
    assert ducker.render(Frame(SILENCE)) == SILENCE
    assert [ducker.render(frame) for frame in frames_of(packets[:20])] == packets[:20]
    assert ducker.counts.frames == made


@pytest.mark.parametrize("gain_db", [-60.0, -6.0])
def test_how_soft_is_an_option(packets: list[bytes], original: Sound, gain_db: float) -> None:
    ducker = Ducker(OpusCodec, DuckingOptions(gain_db))
    heard = as_heard([ducker.render(frame) for frame in frames_of(packets[:80], range(20, 80))])
    loudness = np.std(heard[30 * FRAME_SAMPLES :]) / np.std(
        original[30 * FRAME_SAMPLES : len(heard)]
    )
    assert loudness == pytest.approx(10 ** (gain_db / 20), rel=0.3)


def test_a_packet_that_opus_refuses_costs_the_softness_of_its_passage_only(
    packets: list[bytes],
) -> None:
    bad = [*packets[:12], b"\xff\xff", *packets[13:30]]
    ducker = Ducker(OpusCodec)
    rendered = [ducker.render(frame) for frame in frames_of(bad, range(5, 30))]
    assert ducker.counts.failures == 1
    assert rendered[12:] == bad[12:]
    again = [ducker.render(frame) for frame in frames_of(packets[:20], range(20))]
    assert not {*again} & {*packets[:20]}


def test_without_a_library_everything_passes_as_it_is(packets: list[bytes]) -> None:
    ducker = Ducker(None)
    frames = frames_of(packets[:20], range(20))
    assert [ducker.render(frame) for frame in frames] == packets[:20]


def test_the_delay_of_the_encoder_is_the_one_that_is_stated(original: Sound) -> None:
    codec = OpusCodec()
    samples = (original[: 60 * FRAME_SAMPLES] * 32_767).astype(np.int16)
    cut = [samples[i : i + FRAME_SAMPLES] for i in range(0, len(samples), FRAME_SAMPLES)]
    heard = as_heard([codec.encode(each.tobytes()) for each in cut])
    delays = range(400)
    alike = [float(heard[delay:] @ original[: len(heard) - delay]) for delay in delays]
    assert int(np.argmax(alike)) == codec.delay_samples


def packet_of(frame_duration: str) -> bytes:
    codec = av.CodecContext.create("libopus", "w")
    codec.sample_rate, codec.layout, codec.format = 48_000, "mono", "s16"
    codec.options = {"frame_duration": frame_duration}
    codec.open()
    samples = np.zeros((1, codec.frame_size), np.int16)
    frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="mono")
    frame.sample_rate = 48_000
    (packet,) = codec.encode(frame)
    return bytes(packet)


@pytest.mark.parametrize(
    ("packet", "why"),
    [
        (lambda: packet_of("40"), "1920 samples, not 960"),
        (lambda: packet_of("10"), "480 samples, not 960"),
        (lambda: b"\xff\xff", "could not be decoded"),
        (lambda: b"", "could not be decoded"),
    ],
)
def test_a_packet_that_is_not_20_ms_is_refused(packet: Callable[[], bytes], why: str) -> None:
    with pytest.raises(CodecError, match=why):
        OpusCodec().decode(packet())


@pytest.mark.parametrize("gain_db", [-60.1, 0.1])
def test_a_volume_out_of_bounds_is_refused(gain_db: float) -> None:
    with pytest.raises(ValueError, match="gain_db"):
        DuckingOptions(gain_db)
