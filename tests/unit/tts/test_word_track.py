"""Times of the engine's words as times of the words that were written."""

from __future__ import annotations

import pytest

from voicemesh_tts.domain import Clause, Span, SpokenWord, TimedWord, WordTime
from voicemesh_tts.timeline import WordTrack, moved

pytestmark = pytest.mark.unit

TEXT = "Only 42, please."
CLAUSE = Clause(TEXT, Span(100, 100 + len(TEXT)))
WORDS = (
    SpokenWord("Only", Span(100, 104)),
    SpokenWord("forty", Span(105, 108)),
    SpokenWord("two,", Span(105, 108)),
    SpokenWord("please.", Span(109, 116)),
)
TIMES = [WordTime(index, index * 0.5, index * 0.5 + 0.4) for index in range(4)]


def test_a_number_that_is_read_as_two_words_is_one() -> None:
    timed = WordTrack(CLAUSE, WORDS, None).timed(TIMES, 1.0)

    assert timed == [
        TimedWord("Only", Span(100, 104), 1.0, 1.4),
        TimedWord("42,", Span(105, 108), 1.5, 2.4),
        TimedWord("please.", Span(109, 116), 2.5, 2.9),
    ]


def test_it_is_told_when_its_last_part_is_over_though_they_come_in_pieces() -> None:
    track = WordTrack(CLAUSE, WORDS, None)

    assert [word.text for word in track.timed(TIMES[:2], 0.0)] == ["Only"]
    assert track.timed([], 0.0) == []
    (number,) = track.timed(TIMES[2:3], 0.0)

    assert (number.text, number.start_s, number.end_s) == ("42,", 0.5, 1.4)


def test_words_that_an_engine_leaves_out_hold_nothing_up() -> None:
    track = WordTrack(CLAUSE, WORDS, None)

    timed = track.timed([TIMES[1], TIMES[3], WordTime(9, 0, 1), WordTime(-1, 0, 1)], 0.0)

    assert [(word.text, word.end_s) for word in timed] == [("42,", 0.9), ("please.", 1.9)]


def test_a_documents_words_are_read_from_the_document() -> None:
    document = "<speak>Hello <sub alias='world'>W</sub></speak>"
    place = document.index("W<")
    words = (SpokenWord("Hello", Span(7, 12)), SpokenWord("world", Span(place, place + 1)))
    clause = Clause("Hello world", Span(7, place + 1), words)

    timed = WordTrack(clause, words, document).timed(TIMES[:2], 0.0)

    assert [word.text for word in timed] == ["Hello", "W"]


def test_a_word_moves_with_its_clause() -> None:
    assert moved(TimedWord("a", Span(0, 1), 0.25, 0.5), 2.0) == TimedWord(
        "a", Span(0, 1), 2.25, 2.5
    )


def test_a_word_with_its_mark_behind_its_element_is_one_and_has_no_markup() -> None:
    document = "<speak><say-as interpret-as='telephone'>55-1</say-as>. Go\n</speak>"
    begin, end, go = document.index("55-1"), document.index(". Go") + 1, document.index("Go")
    spans = (Span(begin, begin + 4), Span(begin, end), Span(go, go + 3))
    words = tuple(
        SpokenWord(text, span) for text, span in zip(("a", "b.", "Go"), spans, strict=True)
    )
    clause = Clause("a b. Go", Span(begin, go + 3), words)

    timed = WordTrack(clause, words, document).timed(TIMES[:3], 0.0)

    assert [(word.text, word.start_s, word.end_s) for word in timed] == [
        ("55-1.", 0.0, 0.9),
        ("Go", 1.0, 1.4),
    ]
    assert timed[0].span == spans[1]


def test_what_looks_like_markup_in_plain_text_is_as_it_was_written() -> None:
    text = "a<b>c\n"
    clause, words = Clause(text, Span(0, len(text))), (SpokenWord("abc", Span(0, len(text))),)

    (word,) = WordTrack(clause, words, text).timed(TIMES[:1], 0.0)

    assert word.text == "a<b>c"
