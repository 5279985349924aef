"""Edges, gain and the soft limit."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest

from voicemesh_tts.audio.shaping import amplified, faded
from voicemesh_tts.domain import WordTime
from voicemesh_tts.ports import Piece, Samples

pytestmark = pytest.mark.unit

Tone = Callable[..., Samples]


def pieces(*lengths: int) -> Iterator[Piece]:
    for number, length in enumerate(lengths, start=1):
        words = (WordTime(number, 0.0, 1.0),)
        yield Piece(np.ones(length, np.float32), last=number == len(lengths), words=words)


@pytest.mark.parametrize("gain_db", [-96.0, -6.0, 0.0])
def test_volume_down_is_exact(tone: Tone, gain_db: float) -> None:
    np.testing.assert_allclose(
        amplified(tone(0.1), gain_db), tone(0.1) * 10 ** (gain_db / 20), rtol=1e-5, atol=1e-9
    )


def test_volume_up_never_leaves_full_scale(tone: Tone) -> None:
    loud = amplified(tone(0.1, level=0.9), 16.0)

    assert 0.95 < np.abs(loud).max() <= 1.0


def test_the_limit_bends_without_a_corner_and_keeps_the_order() -> None:
    rising = np.linspace(0.0, 3.0, 3_001, dtype=np.float32)
    bent = amplified(rising, 0.0)

    np.testing.assert_array_equal(bent[:800], rising[:800])
    slopes = np.diff(bent) / 0.001
    assert (slopes >= 0).all()
    assert np.abs(np.diff(slopes)).max() < 0.02  # a corner would be a jump of the slope
    np.testing.assert_allclose(amplified(-rising, 0.0), -bent)


@pytest.mark.parametrize("lengths", [[1000], [400, 600], [3, 3, 3], [0, 500, 0], [1]])
def test_faded_sound_begins_and_ends_at_zero_and_keeps_its_length(
    lengths: list[int], rate: int
) -> None:
    made = list(faded(pieces(*lengths), rate))

    sound = np.concatenate([piece.samples for piece in made])
    assert len(sound) == sum(lengths)
    assert sound[0] == sound[-1] == 0
    assert [piece.last for piece in made] == [False] * (len(made) - 1) + [True]
    if sum(lengths) > 500:
        assert np.abs(np.diff(sound)).max() < 0.02


def test_words_go_with_the_piece_that_they_came_with(rate: int) -> None:
    made = list(faded(pieces(400, 400, 400), rate))

    assert [[word.index for word in piece.words] for piece in made] == [[1], [2], [3]]


def test_an_engine_that_forgets_to_say_the_end_is_faded_all_the_same(rate: int) -> None:
    made = list(faded(iter([Piece(np.ones(1_000, np.float32), last=False)]), rate))

    assert made[-1].last
    assert made[-1].samples[-1] == 0
    assert sum(len(piece.samples) for piece in made) == 1_000


def test_the_gain_of_the_voice_is_for_all_that_it_says(rate: int) -> None:
    made = np.concatenate([p.samples for p in faded(pieces(500, 500), rate, gain_db=-6.0)])

    assert made[500] == pytest.approx(0.501, abs=0.001)
