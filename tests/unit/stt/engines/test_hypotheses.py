"""What is believed and kept of what Whisper writes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from voicemesh_stt.domain import Segment, Word
from voicemesh_stt.engines.hypotheses import Attempt, Span, best, segments, spans

pytestmark = pytest.mark.unit

FIRST_TIME = 1000
GOOD = Attempt(tokens=(1, 2), text="hello there", log_probability=-0.3, no_speech=0.1)
LOOP = replace(GOOD, text="and then " * 30)
DOUBTED = replace(GOOD, log_probability=-1.2)
SILENT = replace(GOOD, log_probability=-1.2, no_speech=0.7)


def at(second: float) -> int:
    """The token of a time."""
    return FIRST_TIME + round(second / 0.02)


@pytest.mark.parametrize(
    ("attempt", "believed"),
    [
        (GOOD, True),
        (LOOP, False),
        (DOUBTED, False),
        (replace(GOOD, no_speech=0.9), True),  # likely words outweigh it, as in the reference
    ],
)
def test_loops_and_unlikely_words_are_not_believed(attempt: Attempt, believed: bool) -> None:
    assert attempt.is_believed is believed


@pytest.mark.parametrize(
    ("attempt", "believed"),
    [
        (GOOD, True),
        (replace(GOOD, text="we went home we went home"), False),
        (replace(GOOD, text="no no no"), True),
        (replace(GOOD, was_cut=True), False),
        (DOUBTED, False),
    ],
)
def test_a_short_context_is_believed_less(attempt: Attempt, believed: bool) -> None:
    assert attempt.is_believed_of_short_context is believed


@pytest.mark.parametrize(
    ("attempt", "said"),
    [
        (LOOP, True),
        (replace(LOOP, was_cut=True), False),
        (replace(LOOP, log_probability=-0.7), False),
        (GOOD, False),
    ],
)
def test_what_repeats_itself_without_doubt_and_ends_was_said_again(
    attempt: Attempt, said: bool
) -> None:
    assert attempt.is_said_again is said


def test_unlikely_words_where_nobody_speaks_are_silence() -> None:
    assert SILENT.is_silence
    assert not DOUBTED.is_silence
    assert not GOOD.is_silence


@pytest.mark.parametrize(
    ("attempts", "chosen"),
    [
        ((GOOD,), 0),
        ((DOUBTED, GOOD), 1),
        ((DOUBTED, SILENT), 1),
        ((DOUBTED, replace(DOUBTED, log_probability=-1.5)), 0),
        ((LOOP, replace(DOUBTED, log_probability=-1.5)), 1),
        ((LOOP, replace(LOOP, log_probability=-0.1)), 1),
    ],
)
def test_the_best_attempt_is_chosen_as_in_the_reference(
    attempts: tuple[Attempt, ...], chosen: int
) -> None:
    assert best(attempts) is attempts[chosen]


@pytest.mark.parametrize(
    ("tokens", "expected"),
    [
        ((), []),
        ((at(0), at(1)), []),
        ((1, 2), [(0.0, 9.0, [1, 2])]),
        ((at(0), 1, 2, at(1.5)), [(0.0, 1.5, [1, 2])]),
        ((at(0.5), 1, at(1), at(2), 2, at(3)), [(0.5, 1.0, [1]), (2.0, 3.0, [2])]),
        ((at(0), 1, at(1), at(1), 2), [(0.0, 1.0, [1]), (1.0, 9.0, [2])]),
        ((at(0), 1, at(1), 2), [(0.0, 1.0, [1]), (1.0, 9.0, [2])]),
        ((at(0), 1, at(29)), [(0.0, 9.0, [1])]),
    ],
    ids=[
        "nothing",
        "no words",
        "no times",
        "one segment",
        "two segments",
        "unfinished",
        "a single time",
        "beyond the audio",
    ],
)
def test_tokens_are_divided_at_their_times_and_none_is_lost(
    tokens: tuple[int, ...], expected: list[tuple[float, float, list[int]]]
) -> None:
    found = spans(tokens, FIRST_TIME, audio_s=9.0)

    assert [span.tokens for span in found] == [words for _, _, words in expected]
    times = [(span.start_s, span.end_s) for span in found]
    assert times == [pytest.approx((start_s, end_s)) for start_s, end_s, _ in expected]


def test_times_count_from_the_audio_and_not_from_the_silence_before_it() -> None:
    tokens = (at(0), 1, at(1.5), 2, at(2))

    found = spans(tokens, FIRST_TIME, audio_s=1.2, lead_s=0.5)

    times = [(span.start_s, span.end_s) for span in found]
    assert times == [pytest.approx((0.0, 1.0)), pytest.approx((1.0, 1.2))]


def kept(attempt: Attempt, *parts: tuple[Span, str]) -> tuple[Segment, ...]:
    return segments(attempt, parts, audio_s=2.0)


def test_times_beyond_the_audio_are_brought_back_to_its_end() -> None:
    word = Word("hello", 2.5, 2.9, 0.9)

    (segment,) = kept(GOOD, (Span(1.5, 3.0, [1], (word,)), " hello"))

    assert (segment.start_s, segment.end_s) == (1.5, 2.0)
    assert (segment.words[0].start_s, segment.words[0].end_s) == (2.0, 2.0)


def test_segments_without_words_or_length_are_left_out() -> None:
    found = kept(
        GOOD,
        (Span(0.0, 1.0, [1]), " "),
        (Span(1.0, 1.0, [2]), " ghost"),
        (Span(1.0, 2.0, [3]), " word"),
    )

    assert [segment.text for segment in found] == [" word"]


def test_silence_has_no_segments_and_repetition_is_marked() -> None:
    part = (Span(0.0, 1.0, [1]), " words")

    assert kept(SILENT, part) == ()
    assert kept(replace(LOOP, log_probability=-1.2), part) == ()
    assert kept(LOOP, part)[0].repetitive
    assert not kept(GOOD, part)[0].repetitive
    assert kept(GOOD, part)[0].confidence == pytest.approx(0.7408, abs=1e-3)
