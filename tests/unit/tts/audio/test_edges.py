"""No needless silence around a clause, none taken from within, and words where they are heard."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pytest

from voicemesh_tts.audio.edges import edged, longest_tail_s
from voicemesh_tts.domain import Span, SpokenWord, Utterance, WordTime
from voicemesh_tts.ports import Piece, Samples

pytestmark = pytest.mark.unit


def saying(text: str) -> Utterance:
    words = tuple(SpokenWord(word, Span(0, 1)) for word in text.split())
    return Utterance(words, "tone:a")


def silence(seconds: float, rate: int) -> Samples:
    return np.full(round(seconds * rate), 0.0005, np.float32)


def loud(seconds: float, rate: int) -> Samples:
    return np.full(round(seconds * rate), 0.5, np.float32)


def cut(sound: Samples, count: int, words: Sequence[WordTime] = ()) -> Iterator[Piece]:
    """The sound in equal parts; the words come with the first."""
    parts = np.array_split(sound, count)
    for number, part in enumerate(parts, start=1):
        yield Piece(part, number == count, tuple(words) if number == 1 else ())


def together(pieces: Sequence[Piece]) -> Samples:
    return np.concatenate([piece.samples for piece in pieces])


@pytest.mark.parametrize(
    ("text", "expected_s"),
    [
        ("It may rain.", 0.4),
        ("Really?!", 0.4),
        ('He said "no."', 0.4),
        ("明日は雨です。", 0.4),
        ("क्या बारिश होगी।", 0.4),
        ("It may rain,", 0.2),
        ("First:", 0.2),
        ("and then (later)", 0.2),
        ("what the weather", 0.05),
        ("it is 42", 0.05),
        ("", 0.05),
    ],
)
def test_the_mark_at_the_end_says_how_long_a_pause_may_be(text: str, expected_s: float) -> None:
    assert longest_tail_s(saying(text)) == expected_s


@pytest.mark.parametrize("count", [1, 2, 7, 40])
@pytest.mark.parametrize(("text", "tail_s"), [("Yes.", 0.4), ("Yes,", 0.2), ("yes", 0.05)])
def test_silence_around_a_clause_is_cut_to_its_measure(
    rate: int, count: int, text: str, tail_s: float
) -> None:
    sound = np.concatenate([silence(0.3, rate), loud(0.5, rate), silence(1.0, rate)])
    made = list(edged(cut(sound, count), saying(text), rate))

    assert len(together(made)) / rate == pytest.approx(0.03 + 0.5 + tail_s, abs=0.001)
    heard = np.flatnonzero(np.abs(together(made)) > 0.1)
    assert heard[0] / rate == pytest.approx(0.03, abs=0.002)
    assert [piece.last for piece in made] == [False] * (len(made) - 1) + [True]


@pytest.mark.parametrize("count", [1, 3, 40])
def test_less_silence_than_that_stays_as_it_is(rate: int, count: int) -> None:
    sound = np.concatenate([silence(0.01, rate), loud(0.5, rate), silence(0.1, rate)])
    made = together(list(edged(cut(sound, count), saying("Yes."), rate)))

    assert len(made) == len(sound)
    middle = slice(rate // 50, rate // 2)
    np.testing.assert_array_equal(made[middle], sound[middle])


@pytest.mark.parametrize("count", [1, 5, 30])
def test_a_pause_within_a_clause_is_kept(rate: int, count: int) -> None:
    parts = [loud(0.2, rate), silence(2.0, rate), loud(0.2, rate)]
    made = together(list(edged(cut(np.concatenate(parts), count), saying("well yes"), rate)))

    assert len(made) == sum(map(len, parts))


def test_sound_is_not_held_back_with_the_silence(rate: int) -> None:
    pieces = [
        Piece(silence(0.2, rate), last=False),
        Piece(loud(0.2, rate), last=False),
        Piece(silence(0.2, rate), last=False),
    ]
    given = []

    def engine() -> Iterator[Piece]:
        for piece in pieces:
            given.append(piece)
            yield piece

    first = next(edged(engine(), saying("Yes."), rate))

    assert len(given) == 2
    assert len(first.samples) / rate == pytest.approx(0.03 + 0.2, abs=0.005)


@pytest.mark.parametrize("count", [1, 4, 20])
def test_words_are_where_they_are_heard(rate: int, count: int) -> None:
    sound = np.concatenate([silence(0.5, rate), loud(1.0, rate)])
    words = [WordTime(0, 0.0, 0.9), WordTime(1, 0.9, 1.5)]
    made = list(edged(cut(sound, count, words), saying("one two."), rate))

    timed = [word for piece in made for word in piece.words]
    assert [word.index for word in timed] == [0, 1]
    np.testing.assert_allclose(
        [(word.start_s, word.end_s) for word in timed], [(0.0, 0.43), (0.43, 1.03)], atol=0.001
    )


@pytest.mark.parametrize("gain_db", [-30.0, 0.0, 30.0])
def test_what_is_silence_depends_on_how_loud_the_voice_is_made(rate: int, gain_db: float) -> None:
    scale = np.float32(10 ** (-gain_db / 20))
    sound = np.concatenate([silence(0.3, rate), loud(0.5, rate)]) * scale
    made = together(list(edged(cut(sound, 4), saying("Yes."), rate, gain_db=gain_db)))

    assert len(made) / rate == pytest.approx(0.53, abs=0.001)
    assert np.abs(made).max() == pytest.approx(0.5, rel=0.01)


@pytest.mark.parametrize("count", [1, 5])
def test_a_clause_of_nothing_but_silence_keeps_its_length(rate: int, count: int) -> None:
    made = list(edged(cut(silence(1.0, rate), count), saying("hm"), rate))

    assert len(together(made)) == rate
    assert made[-1].last


def test_an_empty_last_piece_is_the_end_all_the_same(rate: int) -> None:
    pieces = [Piece(loud(0.1, rate), last=False), Piece(loud(0.0, rate), last=True)]
    made = list(edged(iter(pieces), saying("Yes."), rate))

    assert made[-1].last
    assert together(made)[-1] == 0


@pytest.mark.parametrize("pieces", [[], [Piece(np.zeros(0, np.float32), last=True)]])
def test_no_sound_is_no_sound(rate: int, pieces: list[Piece]) -> None:
    assert sum(len(piece.samples) for piece in edged(iter(pieces), saying("x"), rate)) == 0


def test_no_word_ends_after_the_sound(rate: int) -> None:
    sound = np.concatenate([loud(0.5, rate), silence(1.0, rate)])
    words = [WordTime(0, 0.0, 0.5), WordTime(1, 0.5, 1.4)]
    made = list(edged(cut(sound, 1, words), saying("one two"), rate))

    assert [word.index for word in made[-1].words] == [0, 1]
    assert made[-1].words[-1].end_s == pytest.approx(len(together(made)) / rate)
