"""From words to numbers: sentences, given sounds, long runs, and whose each number is."""

# ruff: noqa: RUF001 - signs of the International Phonetic Alphabet
from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from voicemesh_tts.domain import Span, SpokenWord
from voicemesh_tts.engines.phonemiser import NO_WORD, Sentence
from voicemesh_tts.engines.piper.spelling import Run, Speller

pytestmark = pytest.mark.unit

SIGNS = ["_", "^", "$", " ", ".", ",", "?", "a", "b", "c", "d", "ə", "ˈ", "ː", "ɡ"]
NUMBERS = {sign: [at] for at, sign in enumerate(SIGNS)}
CONFIG = Path("voice.onnx.json")


class Letters:
    """Every letter is its sound; a full stop ends a sentence."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []

    def sentences(self, voice: Path | str, words: Sequence[str]) -> list[Sentence]:
        self.asked.append(list(words))
        found: list[list[tuple[str, int]]] = [[]]
        for index, word in enumerate(words):
            found[-1] += [(" ", NO_WORD)] if found[-1] else []
            found[-1] += [(sign, index if sign.isalpha() else NO_WORD) for sign in word]
            if word.endswith("."):
                found.append([])
        return [Sentence(*map(tuple, zip(*each, strict=True))) for each in found if each]


def word(text: str, phonemes: str = "") -> SpokenWord:
    return SpokenWord(text, Span(0, 0), phonemes)


def spelt(*words: SpokenWord, longest: int = 100, takes_phonemes: bool = True) -> list[Run]:
    speller = Speller(Letters(), CONFIG, NUMBERS, takes_phonemes=takes_phonemes)
    return list(speller.runs(words, longest))


def read(run: Run) -> str:
    """The phonemes of a run, which has a pad behind each and behind the start."""
    signs = "".join(SIGNS[number] for number in run.ids)
    assert signs.startswith("^_")
    assert signs.endswith("_$")
    assert set(signs[1:-1:2]) == {"_"}
    return signs[2:-1:2]


def owners(run: Run) -> dict[int, str]:
    found: dict[int, str] = {}
    for number, owner in zip(run.ids, run.words, strict=True):
        sign = SIGNS[number]
        if owner != NO_WORD and sign != "_":
            found[owner] = found.get(owner, "") + sign
    return found


def test_every_sentence_is_a_run_and_words_keep_their_numbers() -> None:
    first, second = spelt(word("ab"), word("cd."), word("a,"), word("b"))

    assert (read(first), read(second)) == ("ab cd.", "a, b")
    assert owners(first) == {0: "ab", 1: "cd"}
    assert owners(second) == {2: "a", 3: "b"}


def test_a_given_sound_takes_the_place_of_the_word_within_its_sentence() -> None:
    (run,) = spelt(word("ab"), word("xx,", "ˈdə"), word("cd"))

    assert read(run) == "ab ˈdə, cd"
    assert owners(run) == {0: "ab", 1: "ˈdə", 2: "cd"}


def test_a_given_sound_at_an_end_ends_the_sentence() -> None:
    runs = spelt(word("ab."), word("x", "a"), word("x?", "b"), word("c"))

    assert [read(run) for run in runs] == ["ab.", "a b?", "c"]


def test_signs_are_read_as_people_type_them() -> None:
    (run,) = spelt(word("x", "'ga: b"))

    assert read(run) == "ˈɡaː b"


@pytest.mark.parametrize("phonemes", ["^$_", "...", "xyz", " ", "123"])
def test_a_sound_that_the_voice_does_not_have_leaves_the_word_as_it_is_written(
    phonemes: str,
) -> None:
    (run,) = spelt(word("ab", phonemes))

    assert read(run) == "ab"


def test_a_voice_of_letters_reads_letters() -> None:
    (run,) = spelt(word("ab", "cd"), takes_phonemes=False)

    assert read(run) == "ab"


def test_what_is_not_known_is_left_out_and_nothing_is_no_run() -> None:
    assert [read(run) for run in spelt(word("axyb"))] == ["ab"]
    assert spelt(word("xyz")) == []
    assert spelt() == []


def test_a_long_sentence_is_cut_between_words() -> None:
    runs = spelt(*[word("abcd")] * 5, longest=12)

    assert [read(run) for run in runs] == ["abcd abcd ", "abcd abcd ", "abcd"]
    assert [list(owners(run)) for run in runs] == [[0, 1], [2, 3], [4]]


def test_a_long_word_is_cut_where_it_must_be() -> None:
    runs = spelt(word("ab" * 20), longest=16)

    assert [len(read(run)) for run in runs] == [16, 16, 8]
    assert all(list(owners(run)) == [0] for run in runs)
