"""From phonemes of espeak-ng to Kokoro's symbols."""

# ruff: noqa: RUF001 - signs of the International Phonetic Alphabet

from __future__ import annotations

import unicodedata

import pytest

from voicemesh_tts.engines.kokoro.languages import AMERICAN, BRITISH, Language, languages_of, spoken
from voicemesh_tts.engines.kokoro.respelling import respelt

pytestmark = pytest.mark.unit

ITALIAN = Language("it-IT", "it")


@pytest.mark.parametrize(
    ("language", "phonemes", "symbols"),
    [
        (AMERICAN, "həlˈoʊ", "həlˈO"),
        (AMERICAN, "fˈaɪɚ", "fˈIəɹ"),
        (AMERICAN, "bˈɑːɾəl", "bˈɑTᵊl"),
        (AMERICAN, "mˈɛlədi", "mˈɛlədi"),
        (AMERICAN, "wˈɜːld", "wˈɜɹld"),
        (AMERICAN, "bˈɜːɹd", "bˈɜɹd"),
        (AMERICAN, "bˈʌʔn\u0329", "bˈʌtᵊn"),
        (AMERICAN, "dʒˈʌdʒ", "ʤˈʌʤ"),
        (AMERICAN, "kˈæts", "kˈæts"),
        (BRITISH, "ðˈeə", "ðˈɛː"),
        (BRITISH, "həlˈəʊ", "həlˈQ"),
        (BRITISH, "nˈiə", "nˈɪə"),
        (ITALIAN, "pˈitsːa", "pˈiʦːa"),
        (ITALIAN, "pˈasso", "pˈaSo"),
        (ITALIAN, "tʃˈao", "ʧˈao"),
        (Language("fr-FR", "fr"), "fʁɑ̃sˈɛ lə-", "fʁɑ̃sˈɛ lə"),
        (Language("de-DE", "de"), "ɪç", "ɪç"),
    ],
)
def test_sounds_become_the_symbols_that_kokoro_has_learnt(
    language: Language, phonemes: str, symbols: str
) -> None:
    sounds = [(sign, 0) for sign in unicodedata.normalize("NFD", phonemes)]

    found = "".join(symbol for symbol, _ in respelt(sounds, language))

    assert found == unicodedata.normalize("NFD", symbols).replace("c\u0327", "ç")


def test_what_is_rewritten_stays_with_its_word() -> None:
    sounds = [*((sign, 0) for sign in "aɪ"), (" ", -1), *((sign, 1) for sign in "tʃiː")]

    assert respelt(sounds, AMERICAN) == [("I", 0), (" ", -1), ("ʧ", 1), ("i", 1)]


def test_a_voice_speaks_its_own_language_first_and_then_those_of_the_others() -> None:
    codes = [language.code for language in languages_of(["jf_alpha"], japanese=True)]

    assert codes[0] == "ja-JP"
    assert {"en-US", "en-GB", "es-ES", "fr-FR", "hi-IN", "it-IT", "pt-BR"} < set(codes)


def test_nobody_speaks_japanese_where_it_cannot_be_read() -> None:
    codes = [language.code for language in languages_of(["jf_alpha"], japanese=False)]

    assert codes[0] == "en-US"
    assert "ja-JP" not in codes


def test_a_blend_has_the_languages_of_its_parts_first() -> None:
    languages = languages_of(["bm_george", "ff_siwis"], japanese=True, more=["de-DE"])

    assert [language.code for language in languages[:2]] == ["en-GB", "fr-FR"]
    assert languages[-1] == Language("de-DE", "de")


@pytest.mark.parametrize(
    ("code", "meant"),
    [
        ("", "ja-JP"),
        ("en-GB", "en-GB"),
        ("EN_gb", "en-GB"),
        ("en-AU", "en-US"),
        ("pt", "pt-BR"),
        ("xx", "ja-JP"),
    ],
)
def test_a_language_is_found_by_its_code(code: str, meant: str) -> None:
    languages = languages_of(["jf_alpha"], japanese=True)

    assert spoken(languages, code).code == meant
