"""From clause to clause: length, loudness, joints, pitch, pauses and cancels."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from voicemesh_tts.audio.chain import AudioChain
from voicemesh_tts.audio.shaping import faded
from voicemesh_tts.domain import Encoding, Prosody
from voicemesh_tts.ports import Piece, Samples

pytestmark = pytest.mark.unit

Tone = Callable[..., Samples]
Chain = Callable[..., AudioChain]


def rms(samples: Any) -> float:
    return float(np.sqrt(np.mean(np.square(samples))))


def pitch_hertz(samples: Samples, rate: int) -> float:
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(spectrum.argmax() * rate / len(samples))


@pytest.mark.parametrize("wanted", [8_000, 11_025, 16_000, 22_050, 24_000, 44_100, 48_000])
def test_any_rate_keeps_length_and_loudness(
    chain: Chain, run: Any, tone: Tone, wanted: int
) -> None:
    made = run(chain(Encoding.PCM_S16LE, wanted), tone(1.0), tone(0.5))

    samples = np.frombuffer(made.data, "<i2") / 32767
    assert made.sample_count == len(samples) == pytest.approx(1.5 * wanted, abs=2)
    assert rms(samples) == pytest.approx(rms(np.concatenate([tone(1.0), tone(0.5)])), rel=0.02)


def test_a_joint_of_clauses_has_no_step(chain: Chain, run: Any, tone: Tone) -> None:
    made = run(chain(Encoding.PCM_F32LE, 48_000), *[tone(0.2) for _ in range(5)])

    # A sine of 440 Hz at 0.4 moves at most 0.023 a sample at 48 kHz.
    assert np.abs(np.diff(made.f32())).max() < 0.025


@pytest.mark.parametrize("semitones", [0.0, 4.0, -5.0])
@pytest.mark.parametrize("wanted", [8_000, 22_050, 24_000, 48_000])
def test_speech_cut_in_the_middle_of_sounds_joins_without_a_click(
    chain: Chain, run: Any, talk: Samples, rate: int, wanted: int, semitones: float
) -> None:
    loud = np.flatnonzero(np.abs(talk) > 0.3)
    cuts = [0, *loud[:: len(loud) // 6].tolist(), len(talk)]
    clauses = [
        np.concatenate(
            [piece.samples for piece in faded(iter([Piece(talk[start:end], last=True)]), rate)]
        )
        for start, end in pairwise(cuts)
        if end - start > rate // 10
    ]
    made = run(chain(Encoding.PCM_F32LE, wanted, pitch_semitones=semitones), *clauses)

    samples = made.f32()
    places = np.cumsum([round(len(clause) * wanted / rate) for clause in clauses])[:-1]
    near = wanted // 1_000
    steps = np.abs(np.diff(samples))
    at_joints = max(steps[place - near : place + near].max() for place in places)
    assert len(places) > 3
    assert at_joints < 0.2 * steps.max()
    assert max(abs(samples[place - 2 : place + 2]).max() for place in places) < 0.03


def test_leading_silence_comes_first_and_once(chain: Chain, run: Any, tone: Tone) -> None:
    made = run(chain(Encoding.PCM_S16LE, 16_000, leading_silence_s=0.25), tone(0.5), tone(0.5))

    assert made.sample_count == pytest.approx(1.25 * 16_000, abs=2)
    assert not any(made.data[: 2 * 3_900])


def test_nothing_pushed_is_nothing_made(chain: Chain, run: Any) -> None:
    made = run(chain(Encoding.WAV))

    assert (made.data, made.packets, made.sample_count) == (b"", [], 0)


@pytest.mark.parametrize(
    ("asked", "of_clause"), [(7.0, 0.0), (0.0, 7.0), (3.0, 4.0), (-7.0, 0.0), (19.0, 40.0)]
)
def test_pitch_of_request_and_clause_add_up_and_take_no_time(
    chain: Chain, run: Any, tone: Tone, rate: int, asked: float, of_clause: float
) -> None:
    audio = chain(Encoding.PCM_F32LE, pitch_semitones=asked)
    made = run(audio, tone(1.0), prosody=Prosody(pitch_semitones=of_clause))

    samples = made.f32()
    moved = min(asked + of_clause, 24.0)
    assert len(samples) == rate
    assert pitch_hertz(samples, rate) == pytest.approx(440 * 2 ** (moved / 12), rel=0.01)


def test_each_clause_has_its_own_pitch_and_volume(chain: Chain, tone: Tone, rate: int) -> None:
    audio = chain(Encoding.PCM_F32LE)
    higher = Prosody(pitch_semitones=12.0, gain_db=-6.0)
    parts = [
        np.frombuffer(audio.push(tone(0.5), end=True, prosody=each).data, "<f4")
        for each in (Prosody(), higher, Prosody())
    ]

    assert [round(pitch_hertz(part, rate) / 440, 1) for part in parts] == [1.0, 2.0, 1.0]
    assert rms(parts[1]) == pytest.approx(rms(parts[0]) / 2, rel=0.1)
    np.testing.assert_array_equal(parts[0], parts[2])


@pytest.mark.parametrize("semitones", [0.0, 5.0])
def test_pieces_sound_like_the_whole(chain: Chain, talk: Samples, semitones: float) -> None:
    def sound(size: int) -> Samples:
        audio = chain(Encoding.PCM_F32LE, 48_000, pitch_semitones=semitones)
        starts = range(0, len(talk), size)
        data = [audio.push(talk[at : at + size], end=at == starts[-1]).data for at in starts]
        return np.frombuffer(b"".join(data), "<f4")

    np.testing.assert_allclose(sound(700), sound(len(talk)), atol=1e-5)


@pytest.mark.parametrize("encoding", [Encoding.PCM_F32LE, Encoding.PCM_S16LE])
def test_however_loud_nothing_leaves_full_scale_or_turns_over(
    chain: Chain, run: Any, talk: Samples, encoding: Encoding
) -> None:
    made = run(chain(encoding, 16_000, gain_db=16.0), talk * 2)

    kind, full = ("<f4", 1.0) if encoding is Encoding.PCM_F32LE else ("<i2", 32767.0)
    samples = np.frombuffer(made.data, kind) / full
    assert 0.95 < np.abs(samples).max() <= 1.0
    # What is loud stays on its side of zero.
    quiet = np.frombuffer(run(chain(encoding, 16_000), talk).data, kind) / full
    loud = np.abs(quiet) > 0.1
    assert (np.sign(samples[loud]) == np.sign(quiet[loud])).all()


def test_numbers_that_run_away_do_not_spoil_what_comes_after(chain: Chain, tone: Tone) -> None:
    broken = tone(0.1)
    broken[100:200] = np.nan
    broken[200:210] = np.inf
    audio = chain(Encoding.PCM_F32LE, 48_000)
    first = np.frombuffer(audio.push(broken, end=True).data, "<f4")
    second = np.frombuffer(audio.push(tone(0.5), end=True).data, "<f4")

    assert np.isfinite(first).all()
    assert np.abs(first).max() <= 1.0
    assert rms(second) == pytest.approx(rms(tone(0.5)), rel=0.02)


@pytest.mark.parametrize("semitones", [0.0, 5.0])
def test_a_cancelled_clause_is_not_heard_in_the_next(
    chain: Chain, tone: Tone, semitones: float
) -> None:
    audio = chain(Encoding.PCM_F32LE, 48_000, pitch_semitones=semitones)
    audio.push(tone(1.0, level=0.9)[:11_025], end=False)
    audio.reset()

    quiet = np.frombuffer(audio.push(np.zeros(2_205, np.float32), end=True).data, "<f4")

    assert len(quiet) == pytest.approx(4_800, abs=2)
    assert np.abs(quiet).max() < 1e-6
