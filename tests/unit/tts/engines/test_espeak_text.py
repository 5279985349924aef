"""What espeak-ng is given: whole words, none of them too long."""

from __future__ import annotations

import random
import unicodedata

import pytest

from voicemesh_tts.engines.espeak_text import espeak_texts, espeak_words

pytestmark = pytest.mark.unit

LONGEST_GERMAN = "Rindfleischetikettierungsüberwachungsaufgabenübertragungsgesetz"


@pytest.mark.parametrize(
    "text",
    [
        "Well, that depends on the U.S.A., e.g. on Dr. J. R. R. Tolkien's 3.14 in. of x-rays.",
        f"Das {LONGEST_GERMAN} gilt.",
        "今日はいい天気ですね。散歩に行きましょう。",
        "สวัสดีครับ ผมชื่อสมชาย",
        "1, 2, 3, 4, 5, 6, 7, 8, 9, 10",
    ],
)
def test_what_people_write_stays_as_it_is(text: str) -> None:
    assert espeak_texts(text) == [text]


@pytest.mark.parametrize("text", ["U.S.A." * 41, "a. b. c. d. " * 9, ".a .b" * 50, "é." * 125])
def test_a_long_run_of_initials_loses_its_dots(text: str) -> None:
    (said,) = espeak_texts(text)

    assert said.count(".") <= 2
    assert [c for c in said if c.isalpha()] == [c for c in text if c.isalpha()]


def test_a_long_word_is_cut_behind_a_mark_or_else_between_letters() -> None:
    marked, plain = espeak_texts("path/to/the/file/" * 5), espeak_texts("a" * 100)

    assert marked == [
        "path/to/the/file/path/to/the/file/path/to/the/file/path/to/the/ file/path/to/the/file/"
    ]
    assert plain == ["a" * 64 + " " + "a" * 36]


def test_no_letter_is_torn_from_its_accents() -> None:
    (said,) = espeak_texts("e\u0301\u0327" * 40)

    assert not any(unicodedata.combining(word[0]) for word in said.split())


def test_controls_and_phonemes_are_not_passed_on() -> None:
    assert espeak_texts("a\0b\x1b \ud800[[h@l]]") == ["a b [h@l]]"]
    assert espeak_texts(" \n\0") == []


@pytest.mark.parametrize("seed", range(20))
def test_nothing_is_too_long_whatever_it_is_made_of(seed: int) -> None:
    rng = random.Random(seed)
    alphabet = [*"aZ.'-[]19 /", "\u0301", "中", "ก", "🙂", "\U000e0062", "\u200d", "א", "\ue000"]
    text = "".join(rng.choices(alphabet, [rng.random() ** 3 for _ in alphabet], k=2_000))

    parts = espeak_texts(text)

    assert all(len(part.encode()) <= 400 for part in parts)
    words = [word for part in parts for word in part.split()]
    assert all(len(word) <= 64 and len(word.encode()) <= 120 for word in words)


def test_words_keep_their_numbers_through_every_rule() -> None:
    (part,) = espeak_words(["one\n1", "", "[[two]]", "three\0", "a" * 100, "end"])

    assert part == [
        *[("one", 0), ("1", 0), ("[two]]", 2), ("three", 3)],
        *[("a" * 64, 4), ("a" * 36, 4), ("end", 5)],
    ]


def test_a_long_text_in_words_is_cut_between_them() -> None:
    parts = espeak_words(["word"] * 200)

    assert [index for part in parts for _, index in part] == list(range(200))
    assert all(len(" ".join(piece for piece, _ in part)) <= 400 for part in parts)
    assert len(parts) == 3


def test_initials_that_are_words_lose_their_dots_too() -> None:
    (part,) = espeak_words(["U.", "S.", "A."] * 5)

    assert part[1:4] == [("S", 1), ("A", 2), ("U", 3)]
    assert [index for _, index in part] == list(range(15))
