"""The dictionary: whole words and phrases, the longest first, whatever their case."""

# ruff: noqa: RUF001 - letters of other scripts
from __future__ import annotations

import pytest

from voicemesh_tts.domain import SpokenWord
from voicemesh_tts.text import Pronunciation, Pronunciations, words_of
from voicemesh_tts.text.pronunciations import MAX_PHONEMES, MAX_WRITTEN

pytestmark = pytest.mark.unit

DICTIONARY = Pronunciations(
    [
        Pronunciation("nginx", respelling="engine ex"),
        Pronunciation("New York", phonemes="njuː jɔːk"),
        Pronunciation("york", respelling="yorrick"),
        Pronunciation("SQL", phonemes="ˈɛs kjuː ˈɛl"),
        Pronunciation("v2", respelling="version two"),
        Pronunciation("café", respelling="caffay"),
        Pronunciation("東京", respelling="とうきょう"),
    ]
)


def said(written: str) -> str:
    return " ".join(word.text for word in words_of(written, 0, "en-US", DICTIONARY))


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("Use nginx, please.", "Use engine ex, please."),
        ("NGINX and Nginx's", "engine ex and engine ex's"),
        ("nginxes are unlike nginx2", "nginxes are unlike nginx two"),
        ("York in new  york", "yorrick in new york"),
        ("(nginx)", "(engine ex)"),
        ("**nginx** rules", "engine ex rules"),
        ("take v2 or v3", "take version two or v three"),
        ("cafe\u0301 42", "caffay forty-two"),
        ("東京都", "とうきょう都"),
    ],
)
def test_whole_words_are_respelled(written: str, spoken: str) -> None:
    assert said(written) == spoken


def test_phonemes_go_with_the_written_words_one_by_one() -> None:
    words = words_of("In New York, yes", 5, "en-US", DICTIONARY)

    assert [(word.text, word.phonemes) for word in words] == [
        ("In", ""),
        ("New", "njuː"),
        ("York,", "jɔːk"),
        ("yes", ""),
    ]
    assert [(word.span.start, word.span.end) for word in words[1:3]] == [(8, 11), (12, 17)]


def test_phonemes_of_another_number_of_words_become_one_word() -> None:
    (word,) = words_of("SQL!", 0, "en-US", DICTIONARY)

    assert word == SpokenWord("SQL!", word.span, "ˈɛskjuːˈɛl")
    assert (word.span.start, word.span.end) == (0, 4)


def test_a_respelling_in_several_words_stands_for_the_whole_word() -> None:
    words = words_of("an nginx", 0, "en-US", DICTIONARY)

    assert [(word.span.start, word.span.end) for word in words] == [(0, 2), (3, 8), (3, 8)]


def test_of_two_dictionaries_the_one_over_the_other_wins() -> None:
    own = Pronunciations([Pronunciation("NGINX", respelling="web server")])

    both = own.over(DICTIONARY)

    words = words_of("nginx in york", 0, "en-US", both)
    assert " ".join(word.text for word in words) == "web server in yorrick"
    assert len(both) == len(DICTIONARY)


@pytest.mark.parametrize(
    ("written", "respelling", "phonemes", "fault"),
    [
        ("", "x", "", "no letter"),
        ("...", "x", "", "no letter"),
        ("x", "", "", "either"),
        ("x", "y", "y", "either"),
        ("x", "?!", "", "no letter"),
        ("x" * (MAX_WRITTEN + 1), "y", "", str(MAX_WRITTEN)),
        ("x", "", "a" * (MAX_PHONEMES + 1), str(MAX_PHONEMES)),
        ("x", "", "[[h@l]]", "U+005B"),
        ("x", "", "a\0", "U+0000"),
        ("x", "", "a\nb", "U+000A"),
    ],
)
def test_an_entry_that_cannot_be_used_says_why(
    written: str, respelling: str, phonemes: str, fault: str
) -> None:
    with pytest.raises(ValueError, match=fault.replace("+", r"\+")):
        Pronunciation(written, respelling, phonemes)


@pytest.mark.parametrize("ipa", ["təˈmeɪtoʊ", "ŋ̊ɡ̥", "t͡ʃaˑ", "ma˥˩", "ʔaʰ", "ˈe.pa"])
def test_the_signs_of_the_ipa_are_taken(ipa: str) -> None:
    assert Pronunciation("x", phonemes=ipa).phonemes == ipa
