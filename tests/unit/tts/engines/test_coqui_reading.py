"""Which word a symbol stands for, where words and symbols are not one to one."""

# ruff: noqa: RUF001 - the International Phonetic Alphabet looks like letters

from __future__ import annotations

from itertools import chain

import hypothesis.strategies as st
import pytest
from hypothesis import given

from voicemesh_tts.engines.coqui.reading import Part, aligned, runs, weight

pytestmark = pytest.mark.unit

LENGTHS = st.lists(st.integers(1, 20), min_size=1, max_size=25)


def lengths(text: str) -> list[int]:
    return [weight(word) for word in text.split()]


@pytest.mark.parametrize(
    ("words", "parts", "expected"),
    [
        ("one two", "wʌn tuː", [(0,), (1,)]),
        ("the name of the dog", "ðə neɪm ʌvðə dɑːɡ", [(0,), (1,), (2, 3), (4,)]),
        ("42 cats", "foːɹti tuː kæts", [(0,), (0,), (1,)]),
        ("a b c", "eɪbiːsiː", [(0, 1, 2)]),
        ("antidisestablishmentarianism", "ænti dɪs ɪstæb lɪʃmənt", [(0,), (0,), (0,), (0,)]),
    ],
)
def test_parts_are_given_to_the_words_that_are_as_long(
    words: str, parts: str, expected: list[tuple[int, ...]]
) -> None:
    assert aligned(lengths(words), lengths(parts)) == expected


@given(words=LENGTHS, parts=LENGTHS)
def test_every_word_and_every_part_is_used_in_order(words: list[int], parts: list[int]) -> None:
    groups = aligned(words, parts)

    assert len(groups) == len(parts)
    assert all(groups)
    flat = list(chain.from_iterable(groups))
    assert flat == sorted(flat)
    assert set(flat) == set(range(len(words)))


def test_nothing_is_aligned_with_nothing() -> None:
    assert aligned([], []) == []
    assert aligned([3], []) == []
    assert aligned([], [2, 2]) == [(), ()]


@given(sizes=st.lists(st.integers(1, 90), max_size=20), longest=st.integers(1, 40))
def test_runs_keep_all_symbols_and_are_not_too_long(sizes: list[int], longest: int) -> None:
    parts = [Part(chr(97 + place) * size, (place,)) for place, size in enumerate(sizes)]

    found = list(runs(parts, longest))

    assert all(0 < sum(len(part.symbols) for part in run) <= longest for run in found)
    assert "".join(part.symbols for run in found for part in run) == "".join(
        part.symbols for part in parts
    )
    assert all(len(part.words) == 1 for run in found for part in run)


def test_runs_are_cut_between_words_where_that_can_be() -> None:
    parts = [Part("abc", (0,)), Part("def", (1,)), Part("ghi", (2,))]

    assert [[part.symbols for part in run] for run in runs(parts, 7)] == [["abc", "def"], ["ghi"]]
