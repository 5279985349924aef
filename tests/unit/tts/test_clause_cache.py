"""Clauses that have been spoken before."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from voicemesh_tts.clause_cache import ClauseCache, clause_key
from voicemesh_tts.domain import Span, SpokenWord, Utterance, WordTime
from voicemesh_tts.ports import Piece

pytestmark = pytest.mark.unit

PIECE = Piece(np.ones(1_000, np.float32), last=True)
HELLO = Utterance((SpokenWord("Hello,", Span(0, 6)), SpokenWord("you.", Span(7, 11))), "tone:a")


def key(name: str) -> bytes:
    return name.encode()


def test_what_sounds_alike_has_one_key_wherever_it_stands() -> None:
    elsewhere = replace(HELLO, words=tuple(replace(w, span=Span(9, 9)) for w in HELLO.words))

    assert clause_key(elsewhere) == clause_key(HELLO)


@pytest.mark.parametrize(
    "other",
    [
        replace(HELLO, voice="tone:b"),
        replace(HELLO, speaking_rate=1.1),
        replace(HELLO, language_code="de"),
        replace(HELLO, words=HELLO.words[:1]),
        replace(HELLO, words=(SpokenWord("Hello, you.", Span(0, 11)),)),
        replace(HELLO, words=(replace(HELLO.words[0], phonemes="h"), HELLO.words[1])),
        replace(HELLO, words=(SpokenWord("Hello,1:", Span(0, 6)), SpokenWord("you.", Span(7, 11)))),
    ],
)
def test_what_may_sound_otherwise_has_another_key(other: Utterance) -> None:
    assert clause_key(other) != clause_key(HELLO)


def test_a_key_holds_no_words_and_takes_any_characters() -> None:
    strange = replace(HELLO, words=(SpokenWord("\ud800\U0001f389", Span(0, 2)),))

    assert len(clause_key(strange)) == 32


def test_pieces_come_back_as_one_with_their_words() -> None:
    cache = ClauseCache(100_000)
    times = WordTime(0, 0.0, 0.1), WordTime(1, 0.1, 0.2)
    first = Piece(np.zeros(3, np.float32), last=False, words=times[:1])
    second = Piece(np.ones(2, np.float32), last=True, words=times[1:])
    cache.add(key("a"), "tone:a", [first, second])

    found = cache.find(key("a"))

    assert found is not None
    assert found.samples.tolist() == [0, 0, 0, 1, 1]
    assert found.last
    assert found.words == times
    with pytest.raises(ValueError, match="read-only"):
        found.samples[0] = 1


def test_the_least_recently_used_goes_first() -> None:
    cache = ClauseCache(4 * 5_000)
    for name in "abcd":
        cache.add(key(name), "tone:a", [PIECE])
    cache.find(key("a"))
    cache.add(key("e"), "tone:a", [PIECE])

    assert {name for name in "abcde" if cache.find(key(name))} == set("acde")
    assert 4 * 4_000 <= cache.size_bytes <= 20_000


def test_size_is_counted_down_to_nothing() -> None:
    cache = ClauseCache(100_000)
    cache.add(key("a"), "tone:a", [PIECE])
    cache.add(key("a"), "tone:a", [PIECE])
    cache.add(key("b"), "tone:b", [PIECE])
    assert len(cache) == 2

    cache.forget_voice("tone:a")
    cache.forget_voice("tone:b")

    assert (len(cache), cache.size_bytes) == (0, 0)


@pytest.mark.parametrize("most", [0, 4_000, 12_000])
def test_a_clause_that_would_fill_the_cache_is_not_kept(most: int) -> None:
    cache = ClauseCache(most)
    cache.add(key("a"), "tone:a", [PIECE])

    assert cache.find(key("a")) is None
    assert cache.size_bytes == 0
