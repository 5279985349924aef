"""Gain, fades, resampling and encoding, from clause to clause."""

from __future__ import annotations

import io
from collections.abc import Iterator

import av
import numpy as np
import pytest

from voicemesh_tts.audio.chain import AudioChain
from voicemesh_tts.audio.shaping import amplified, faded
from voicemesh_tts.domain import AudioFormat, EncodedAudio, Encoding, SpeechRequest, Voice
from voicemesh_tts.ports import Piece, Samples

pytestmark = pytest.mark.unit

RATE = 22_050
VOICE = Voice("tone:a", "A", ("en",), RATE)


def tone(seconds: float, level: float = 0.4) -> Samples:
    count = round(seconds * RATE)
    sound = level * np.sin(np.arange(count) * (2 * np.pi * 440 / RATE))
    shaped: Samples = (sound * np.hanning(count)).astype(np.float32)
    return shaped


def chain(encoding: Encoding, rate: int, *, whole: bool = True, **changes: float) -> AudioChain:
    channels = int(changes.pop("channels", 1))
    request = SpeechRequest(VOICE, AudioFormat(encoding, rate, channels), **changes)
    return AudioChain(request, opus_bitrate=48_000, whole=whole)


def run(audio: AudioChain, *clauses: Samples) -> tuple[bytes, list[bytes], int]:
    parts: list[EncodedAudio] = []
    for clause in clauses:
        middle = len(clause) // 3
        parts.append(audio.push(clause[:middle], end=False))
        parts.append(audio.push(clause[middle:], end=True))
    parts.append(audio.finish())
    data = b"".join(part.data for part in parts)
    packets = [packet for part in parts for packet in part.packets]
    return data, packets, sum(part.sample_count for part in parts)


@pytest.mark.parametrize("rate", [8_000, 11_025, 16_000, 22_050, 24_000, 44_100, 48_000])
def test_any_rate_keeps_length_and_loudness(rate: int) -> None:
    data, _, count = run(chain(Encoding.PCM_S16LE, rate), tone(1.0), tone(0.5))

    samples = np.frombuffer(data, "<i2") / 32767
    assert count == len(samples) == pytest.approx(1.5 * rate, abs=2)
    assert np.sqrt(np.mean(samples**2)) == pytest.approx(
        np.sqrt(np.mean(np.concatenate([tone(1.0), tone(0.5)]) ** 2)), rel=0.02
    )


def test_a_joint_of_clauses_has_no_step() -> None:
    data, _, _ = run(chain(Encoding.PCM_F32LE, 48_000), *[tone(0.2) for _ in range(5)])

    samples = np.frombuffer(data, "<f4")
    # A sine of 440 Hz at 0.4 moves at most 0.023 a sample at 48 kHz.
    assert np.abs(np.diff(samples)).max() < 0.025


@pytest.mark.parametrize("seconds", [0.01, 0.02, 0.5, 1.234])
def test_opus_packets_are_20_ms_each_and_hold_the_whole_clause(seconds: float) -> None:
    _, packets, count = run(chain(Encoding.OPUS_PACKETS, 48_000), tone(seconds), tone(seconds))

    decoder = av.CodecContext.create("libopus", "r")
    frames = [frame for packet in packets for frame in decoder.decode(av.Packet(packet))]
    assert [frame.samples for frame in frames] == [960] * len(packets)
    assert count == 960 * len(packets)
    assert 2 * seconds <= count / 48_000 <= 2 * (seconds + 0.027)


def test_a_cancelled_clause_is_not_heard_in_the_next_packets() -> None:
    audio = chain(Encoding.OPUS_PACKETS, 48_000)
    audio.push(tone(1.0, level=0.9)[: RATE // 2], end=False)
    audio.reset()

    quiet = audio.push(np.zeros(RATE // 10, np.float32), end=True)

    decoder = av.CodecContext.create("libopus", "r")
    heard = [f.to_ndarray() for p in quiet.packets for f in decoder.decode(av.Packet(p))]
    assert np.abs(np.concatenate(heard, axis=1)).max() < 100  # of 32767


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize("encoding", [Encoding.WAV, Encoding.OGG_OPUS, Encoding.MP3, Encoding.FLAC])
def test_files_hold_everything_whole_or_growing(encoding: Encoding, whole: bool) -> None:
    rate = 48_000 if encoding is Encoding.OGG_OPUS else RATE
    audio = chain(encoding, rate, whole=whole, channels=2)
    data, _, count = run(audio, tone(1.0), tone(0.7))

    with av.open(io.BytesIO(data), "r") as file:
        stream = file.streams.audio[0]
        decoded = sum([frame.samples for frame in file.decode(stream)])
        assert (stream.rate, stream.channels) == (rate, 2)
    assert count / rate == pytest.approx(1.7, abs=0.001)
    assert decoded / rate == pytest.approx(1.7, abs=0.1)  # MP3 has whole frames only


def test_a_growing_file_comes_while_it_is_made() -> None:
    audio = chain(Encoding.OGG_OPUS, 48_000, whole=False)

    assert len(audio.push(tone(1.0), end=True).data) > 1_000


@pytest.mark.parametrize(("encoding", "size"), [(Encoding.MULAW, 1), (Encoding.PCM_F32LE, 4)])
def test_raw_encodings_have_their_size(encoding: Encoding, size: int) -> None:
    data, _, count = run(chain(encoding, 8_000, channels=2), tone(1.0))

    assert len(data) == count * size * 2


def test_leading_silence_comes_first_and_once() -> None:
    audio = chain(Encoding.PCM_S16LE, 16_000, leading_silence_s=0.25)
    data, _, count = run(audio, tone(0.5), tone(0.5))

    assert count == pytest.approx(1.25 * 16_000, abs=2)
    assert not any(data[: 2 * 3_900])


def test_nothing_pushed_is_nothing_made() -> None:
    assert run(chain(Encoding.WAV, RATE)) == (b"", [], 0)


@pytest.mark.parametrize("gain_db", [-96.0, -6.0, 0.0])
def test_volume_down_is_exact(gain_db: float) -> None:
    np.testing.assert_allclose(
        amplified(tone(0.1), gain_db), tone(0.1) * 10 ** (gain_db / 20), rtol=1e-5, atol=1e-9
    )


def test_volume_up_never_leaves_full_scale() -> None:
    loud = amplified(tone(0.1, level=0.9), 16.0)

    assert 0.95 < np.abs(loud).max() <= 1.0


@pytest.mark.parametrize("lengths", [[1000], [400, 600], [3, 3, 3], [0, 500, 0], [1]])
def test_faded_sound_begins_and_ends_at_zero_and_keeps_its_length(lengths: list[int]) -> None:
    def pieces() -> Iterator[Piece]:
        for number, length in enumerate(lengths, start=1):
            yield Piece(np.ones(length, np.float32), last=number == len(lengths))

    made = list(faded(pieces(), RATE))

    sound = np.concatenate([piece.samples for piece in made])
    assert len(sound) == sum(lengths)
    assert sound[0] == sound[-1] == 0
    assert [piece.last for piece in made] == [False] * (len(made) - 1) + [True]
    if sum(lengths) > 500:
        assert np.abs(np.diff(sound)).max() < 0.02
