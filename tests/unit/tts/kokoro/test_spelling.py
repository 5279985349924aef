"""From words to the symbols that the network reads."""

# ruff: noqa: RUF001 - signs of the International Phonetic Alphabet and marks of other scripts

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicemesh_tts.domain import Span, SpokenWord
from voicemesh_tts.engines.kokoro.japanese import Reader
from voicemesh_tts.engines.kokoro.languages import AMERICAN, JAPANESE, Language
from voicemesh_tts.engines.kokoro.respelling import Sounds
from voicemesh_tts.engines.kokoro.spelling import Speller, cut
from voicemesh_tts.engines.phonemiser import NO_WORD, Phonemiser, Sentence

pytestmark = pytest.mark.unit

SYMBOLS = frozenset(" ;:,.!?—…()“”ˈˌːʔabdefhijklmnoprstuvwzæçðŋɑɔɕəɛɜɡɪɨɯɴɲɹɾʃʊʌʥʨʲθβIAOWYTʤʧᵊ")
JA = Language("ja-JP", JAPANESE)


def words(text: str, **phonemes: str) -> list[SpokenWord]:
    return [
        SpokenWord(word, Span(0, 1), phonemes.get(word.strip('.,;:!?"'), ""))
        for word in text.split()
    ]


def text_of(sounds: Sounds) -> str:
    return "".join(symbol for symbol, _ in sounds)


class Letters:
    """Says words letter by letter, each one as it is written."""

    def sentences(self, voice: Path | str, words: Sequence[str]) -> list[Sentence]:
        signs = [(sign, at) for at, word in enumerate(words) for sign in [*word, " "]]
        owned = [(sign, NO_WORD if sign in " ." else at) for sign, at in signs]
        return [Sentence(tuple(s for s, _ in owned), tuple(at for _, at in owned))]


@pytest.fixture(scope="module")
def speller() -> Iterator[Speller]:
    """Spells with the real espeak-ng and the real dictionary."""
    phonemiser = Phonemiser()
    yield Speller(phonemiser, SYMBOLS, Reader())
    phonemiser.close()


def test_marks_stand_where_they_were_written(speller: Speller) -> None:
    text = 'Well… the "water" (cold) is here — really? Yes; it is!'

    assert text_of(speller.spell(words(text), AMERICAN)) == (
        "wˈɛl… ðə “wˈɔTəɹ” (kˈOld) ɪz hˈɪɹ— ɹˈiəli? jˈɛs; ɪT ˈɪz!"
    )


def test_every_word_has_its_symbols(speller: Speller) -> None:
    said = words("Out of the blue, twenty-three U.S. dollars fell.")

    sounds = speller.spell(said, AMERICAN)

    owners = [word for _, word in sounds if word != NO_WORD]
    assert owners == sorted(owners)
    assert set(owners) == set(range(len(said)))
    assert all(word == NO_WORD for symbol, word in sounds if symbol in " ,.")


def test_a_word_sounds_as_its_phonemes_say(speller: Speller) -> None:
    said = words("Say live, please.", live="laɪv")

    sounds = speller.spell(said, AMERICAN)

    assert [symbol for symbol, word in sounds if word == 1] == ["l", "I", "v"]
    assert text_of(sounds).startswith("sˈA lIv, plˈiz")


def test_phonemes_may_be_typed_and_have_blanks_and_ties(speller: Speller) -> None:
    said = words("x", x="  h'a:.t͡ʃi:  g\u200b ")

    sounds = speller.spell(said, AMERICAN)

    assert text_of(sounds) == "hˈaʧi ɡ"
    assert [word for symbol, word in sounds if symbol == " "] == [NO_WORD]


def test_the_dot_of_an_abbreviation_is_no_end(speller: Speller) -> None:
    assert "." not in text_of(speller.spell(words("The U.S. army"), AMERICAN))
    assert text_of(speller.spell(words("In the U.S."), AMERICAN)).endswith(".")


def test_japanese_is_read_with_its_marks_and_foreign_words(speller: Speller) -> None:
    sounds = speller.spell(words("こんにちは、「Discord」です。"), JA)

    assert text_of(sounds) == "koɲɲiʨiβa, “dˈɪskɔɹd” desɨ."
    assert {word for _, word in sounds} == {0, NO_WORD}


def test_a_japanese_voice_reads_english_as_english(speller: Speller) -> None:
    assert text_of(speller.spell(words("Good morning."), JA)) == text_of(
        speller.spell(words("Good morning."), AMERICAN)
    )


@pytest.mark.parametrize("text", ["", "— … !", "，。", "\u200b", "()"])
def test_what_has_no_words_has_no_symbols(speller: Speller, text: str) -> None:
    assert speller.spell(words(text), AMERICAN) == []


@given(st.text(st.sampled_from("ab .,—()…“\"'-ー本は\u0301"), max_size=40))
def test_whatever_is_written_the_symbols_are_tidy(text: str) -> None:
    said = words(text)

    sounds = Speller(Letters(), SYMBOLS).spell(said, AMERICAN)

    spelt = text_of(sounds)
    assert set(spelt) <= SYMBOLS
    assert "  " not in spelt
    assert spelt == spelt.strip()
    assert all(0 <= word < len(said) or word == NO_WORD for _, word in sounds)
    assert not sounds or any(word != NO_WORD for _, word in sounds)


@given(st.text(st.sampled_from("abc ,."), max_size=300), st.integers(8, 60))
def test_runs_are_short_and_lose_nothing_but_blanks(text: str, longest: int) -> None:
    sounds = [(sign, NO_WORD if sign in " ,." else 0) for sign in text]

    runs = list(cut(sounds, longest))

    assert all(0 < len(run) <= longest for run in runs)
    assert text_of([sound for run in runs for sound in run]).replace(" ", "") == text.replace(
        " ", ""
    )


def test_runs_end_with_sentences_or_else_at_commas_or_between_words() -> None:
    def ends(text: str) -> list[str]:
        sounds = [(sign, NO_WORD if sign in " ,." else 0) for sign in text]
        return [text_of(run) for run in cut(sounds, 20)]

    assert ends("aaaa, bbbb cccc. dddd eeee") == ["aaaa, bbbb cccc.", "dddd eeee"]
    assert ends("aaaa bbbb cccc, dddd eeee") == ["aaaa bbbb cccc,", "dddd eeee"]
    assert ends("aaaa bbbb cccc dddd eeee") == ["aaaa bbbb cccc dddd ", "eeee"]
    assert ends("a" * 30) == ["a" * 20, "a" * 10]
