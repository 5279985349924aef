"""Texts that sound alike are alike, however they are written."""

from __future__ import annotations

import pytest

from voicemesh_launcher.demo.words import spoken_form, word_error_rate

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("Well, that depends!", "well that depends"),
        ("It's a well-known fact.", "it is a well known fact"),
        ("I can't; they won't.", "i can not they will not"),
        ("Mr. Smith\N{RIGHT SINGLE QUOTATION MARK}s dog", "mister smiths dog"),
        ("12 apples", "twelve apples"),
        ("1,500 people", "one thousand five hundred people"),
        ("in 1961", "in nineteen sixty one"),
        ("in 1900", "in nineteen hundred"),
        ("in 2024", "in twenty twenty four"),
        ("in 2005", "in two thousand five"),
        ("3.5 metres", "three point five metres"),
        ("the 21st time", "the twenty first time"),
        ("$20 & 50%", "twenty dollars and fifty percent"),
        ("  ", ""),
    ],
)
def test_a_text_is_written_as_it_is_said(written: str, spoken: str) -> None:
    assert spoken_form(written) == spoken


@pytest.mark.parametrize(
    ("reference", "hypothesis", "rate"),
    [
        ("There are 7 days.", "there are seven days", 0.0),
        ("a b c d", "a b x d", 0.25),
        ("a b", "a b c", 0.5),
        ("a b", "", 1.0),
        ("", "", 0.0),
        ("!", "a", 1.0),
    ],
)
def test_the_rate_counts_words_that_differ(reference: str, hypothesis: str, rate: float) -> None:
    assert word_error_rate(reference, hypothesis) == rate
