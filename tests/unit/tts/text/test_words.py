"""The words of a clause and the characters they stand for."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voicemesh_tts.domain import Span
from voicemesh_tts.text import words_of

pytestmark = pytest.mark.unit


def places(written: str, language: str = "en-US") -> list[tuple[str, str]]:
    words = words_of(written, 0, language)
    return [(word.text, written[word.span.start : word.span.end]) for word in words]


def test_a_number_in_several_words_gives_each_the_whole_number() -> None:
    assert places("I have 142, you know") == [
        ("I", "I"),
        ("have", "have"),
        ("one", "142"),
        ("hundred", "142"),
        ("forty-two,", "142,"),
        ("you", "you"),
        ("know", "know"),
    ]


def test_a_measure_knows_its_number_from_its_unit() -> None:
    assert places("5 km") == [("five", "5"), ("kilometers", "km")]


def test_a_sum_is_one_because_its_words_change_places() -> None:
    assert places("$5 now") == [("five", "$5"), ("dollars", "$5"), ("now", "now")]


def test_markup_around_a_word_is_not_the_word_s() -> None:
    assert places("**Bold** <@12> [link](https://example.org/x)") == [
        ("Bold", "Bold"),
        ("link", "link"),
    ]


def test_marks_cling_to_the_word_before_them() -> None:
    assert [text for text, _ in places('"Yes" - he said ; "no"')] == [
        '"Yes"-',
        "he",
        "said;",
        '"no"',
    ]


def test_a_script_without_blanks_is_one_word() -> None:
    assert places("今日はいい天気ですね。", "ja-JP") == [
        ("今日はいい天気ですね。", "今日はいい天気ですね。")
    ]


def test_places_count_from_where_the_clause_begins() -> None:
    assert words_of("Hi 42", 100, "en")[1].span == Span(103, 105)


@pytest.mark.parametrize("written", ["", "  ", "...", "🎉🎉", "<@1>", "**", "\0\1", "\u202e"])
def test_what_cannot_be_said_has_no_words(written: str) -> None:
    assert words_of(written, 0, "en-US") == ()


PLAIN = st.text(st.sampled_from("abcXYZé\u0301漢あกش012 .,;!?"), max_size=60)
ANY = st.text(
    st.one_of(st.characters(), st.sampled_from("ab12 .,$€%:/-+#&@()[]<>`*_~|'\n🎉\u200d")),
    max_size=60,
)
LANGUAGES = st.sampled_from(["en-US", "de-DE", "fr-FR", "ru-RU", "zh-CN", "ar", "hi-IN", "ja", ""])


@settings(deadline=None)
@given(ANY, LANGUAGES)
def test_spans_are_in_order_and_inside_the_input(written: str, language: str) -> None:
    last = Span(7, 7)
    for word in words_of(written, 7, language):
        assert word.text == word.text.strip() != ""
        assert not any(map(str.isspace, word.text))
        assert last.start <= word.span.start < word.span.end <= 7 + len(written)
        assert last.end <= word.span.end
        last = word.span


@settings(deadline=None)
@given(PLAIN, LANGUAGES)
def test_every_letter_and_digit_of_plain_text_is_in_a_word(written: str, language: str) -> None:
    words = words_of(written, 0, language)
    covered = {place for word in words for place in range(word.span.start, word.span.end)}

    missing = [c for place, c in enumerate(written) if c.isalnum() and place not in covered]
    assert missing == []


@settings(deadline=None)
@given(st.text(st.sampled_from("0123456789 ,.-$%:/"), min_size=1, max_size=24))
def test_no_digit_is_left_where_the_language_has_words(written: str) -> None:
    assert not any(c.isdigit() for word in words_of(written, 0, "en-US") for c in word.text)
