# ruff: noqa: RUF001 - signs of the International Phonetic Alphabet
"""Which word a sound is of, where espeak-ng joins words, splits them or reads them otherwise."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicemesh_tts.engines.phoneme_words import NO_WORD, word_of_each

pytestmark = pytest.mark.unit


def shares(text: str, alone: list[str]) -> list[str]:
    """The phonemes of each word."""
    owners = word_of_each(text, alone)
    return [
        "".join(sound for sound, owner in zip(text, owners, strict=True) if owner == word)
        for word in range(len(alone))
    ]


@pytest.mark.parametrize(
    ("text", "alone", "expected"),
    [
        ("həlˈoʊ, wˈɜːld.", ["həlˈoʊ, ", "wˈɜːld."], ["həlˈoʊ", "wˈɜːld"]),
        ("ɔnðə wˈʌn hˈænd", ["ˈɔn", "ðə", "wˌʌn", "hˈænd"], ["ɔn", "ðə", "wˈʌn", "hˈænd"]),
        ("ðɪs fɚɹə mˈæn", ["ðˈɪs", "fɔːɹ", "ˈeɪ", "mˈæn"], ["ðɪs", "fɚɹ", "ə", "mˈæn"]),
        (
            "ʌvðə fˈɔːɹɾi tˈuː pˈiːpəl",
            ["ʌv", "ðə", "fˈɔːɹɾi tˈuː", "pˈiːpəl"],
            ["ʌv", "ðə", "fˈɔːɹɾitˈuː", "pˈiːpəl"],
        ),
        ("fˌɔːɹɛɡzˈæmpəl ðə kˈæt", ["ˌiːdʒˈiː.", "ðə", "kˈæt"], ["fˌɔːɹɛɡzˈæmpəl", "ðə", "kˈæt"]),
        ("hiː sˈɛd; ænd", ["hiː", "sˈɛd", "", "ænd"], ["hiː", "sˈɛd", "", "ænd"]),
        ("nˈaɪntiːnhˈʌndɹɪd nˈaɪn", ["nˈaɪntiːn hˈʌndɹɪd nˈaɪn"], ["nˈaɪntiːnhˈʌndɹɪdnˈaɪn"]),
    ],
)
def test_words_keep_their_sounds(text: str, alone: list[str], expected: list[str]) -> None:
    assert shares(text, alone) == expected


def test_blanks_and_marks_are_of_no_word() -> None:
    assert word_of_each("a, b. ", ["a,", "b."]) == [0, NO_WORD, NO_WORD, 1, NO_WORD, NO_WORD]
    assert word_of_each("", []) == []
    assert word_of_each("", ["x"]) == []


sounds = st.text("abə ˈː.", max_size=12)


@given(sounds, st.lists(sounds, min_size=1, max_size=8))
def test_every_sound_is_of_a_word_and_words_never_go_back(text: str, alone: list[str]) -> None:
    owners = word_of_each(text, alone)

    assert len(owners) == len(text)
    assert all(
        (owner == NO_WORD) == (sound in " .") for sound, owner in zip(text, owners, strict=True)
    )
    found = [owner for owner in owners if owner != NO_WORD]
    assert found == sorted(found)
    assert all(0 <= owner < len(alone) for owner in found)
