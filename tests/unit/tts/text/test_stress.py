"""Signs of stress, put where voices have learnt them."""

# ruff: noqa: RUF001 - signs of the International Phonetic Alphabet
from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicemesh_tts.domain import Span
from voicemesh_tts.text.pronunciations import Pronunciation
from voicemesh_tts.text.stress import stress_before_vowels
from voicemesh_tts.text.traced import Traced

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("written", "learnt"),
    [
        ("təˈmeɪtoʊ", "təmˈeɪtoʊ"),
        ("ˈstɹɛŋθən", "stɹˈɛŋθən"),
        ("ˌmæsəˈtʃuːsɪts", "mˌæsətʃˈuːsɪts"),
        ("'kjuː", "kj'uː"),
        ("ˈstrɑː.sə fɛɐ̯ˈʃteːən", "strˈɑː.sə fɛɐ̯ʃtˈeːən"),
        ("hə\u02c8lo\u0303", "həl\u02c8o\u0303"),
    ],
)
def test_stress_goes_before_the_vowel_of_its_syllable(written: str, learnt: str) -> None:
    assert stress_before_vowels(written) == learnt


@pytest.mark.parametrize("written", ["stɹˈɛŋθən", "ˈæpəl", "ˈkr̩k", "ˈs ə", "pˈ.a", "ʔaʰ", ""])
def test_stress_without_a_vowel_to_go_to_stays(written: str) -> None:
    assert stress_before_vowels(written) == written


@given(st.text("ˈˌ' .-stɹjaəɛː\u0303", max_size=20))
def test_nothing_is_moved_twice_or_lost(written: str) -> None:
    once = stress_before_vowels(written)

    assert stress_before_vowels(once) == once
    assert sorted(once) == sorted(written)


def test_the_words_of_a_pronunciation_have_it_there() -> None:
    (word,) = Pronunciation("tomato", phonemes="təˈmeɪtoʊ").words(Traced.of("tomato"))

    assert (word.phonemes, word.span) == ("təmˈeɪtoʊ", Span(0, 6))
