"""From kana, as they are pronounced, to the symbols that Kokoro was trained on.

The sounds are those of misaki 0.7 (github.com/hexgrad/misaki), which are a broad transcription of
standard Japanese without accents: vowels between consonants are not devoiced, "ん" sounds as what
follows wants it, and "っ" is a stop of the glottis.
"""

# ruff: noqa: RUF001 - signs of the International Phonetic Alphabet and marks of other scripts

from __future__ import annotations

__all__ = ("symbols_of_kana",)

_ROWS = {
    "アイウエオ": ("", "", "", "", ""),
    "カキクケコ": ("k", "kʲ", "k", "k", "k"),
    "ガギグゲゴ": ("ɡ", "ɡʲ", "ɡ", "ɡ", "ɡ"),
    "サシスセソ": ("s", "ɕ", "s", "s", "s"),
    "ザジズゼゾ": ("ʣ", "ʥ", "z", "ʣ", "ʣ"),
    "タチツテト": ("t", "ʨ", "ʦ", "t", "t"),
    "ダヂヅデド": ("d", "ʥ", "z", "d", "d"),
    "ナニヌネノ": ("n", "ɲ", "n", "n", "n"),
    "ハヒフヘホ": ("h", "ç", "ɸ", "h", "h"),
    "バビブベボ": ("b", "bʲ", "b", "b", "b"),
    "パピプペポ": ("p", "pʲ", "p", "p", "p"),
    "マミムメモ": ("m", "mʲ", "m", "m", "m"),
    "ラリルレロ": ("ɾ", "ɾʲ", "ɾ", "ɾ", "ɾ"),
    "ヷヸヴヹヺ": ("v", "vʲ", "v", "v", "v"),
}
_VOWELS = ("a", "i", "ɯ", "e", "o")
_HISSED = "スズツヅ"
"""Their vowel is further forward."""

_MORAS: dict[str, tuple[str, str]] = {
    kana: (consonant, "ɨ" if kana in _HISSED else vowel)
    for row, consonants in _ROWS.items()
    for kana, consonant, vowel in zip(row, consonants, _VOWELS, strict=True)
} | {
    "ヤ": ("j", "a"),
    "ユ": ("j", "ɯ"),
    "ヨ": ("j", "o"),
    "ワ": ("β", "a"),
    "ヰ": ("", "i"),
    "ヱ": ("", "e"),
    "ヲ": ("", "o"),
    "ヵ": ("k", "a"),
    "ヶ": ("k", "e"),
}
_SMALL = dict(zip("ァィゥェォャュョヮ", "aiɯeoaɨoa", strict=True))
_GLIDES = "ャュョ"
_ROUNDED = {"ウ": "β", "ク": "kᵝ", "グ": "ɡᵝ", "イ": "j"}
"""What ウ, ク, グ and イ are before a small vowel."""

_PALATAL = frozenset("ʲɕʥʨɲç")
_NASALS = (("mpb", "m"), ("kɡ", "ŋ"), ("ɲʨʥ", "ɲ"), ("ntdɾz", "n"))


def symbols_of_kana(kana: str) -> str:
    """The symbols of a word; what is no kana says nothing.

    Args:
        kana: katakana or hiragana, with "ー" where a vowel is long.
    """
    kana = "".join(chr(ord(c) + 96) if "ぁ" <= c <= "ゖ" else c for c in kana)
    symbols = ""
    # From the end, because "ン" depends on what comes after it.
    place = len(kana)
    while place:
        place -= 1
        sign = kana[place]
        if sign in _SMALL and place and kana[place - 1] in _MORAS:
            place -= 1
            symbols = _contracted(kana[place], sign) + symbols
        elif sign in _SMALL:
            symbols = _SMALL[sign] + symbols
        elif sign in _MORAS:
            symbols = "".join(_MORAS[sign]) + symbols
        elif sign == "ン":
            symbols = _nasal(symbols) + symbols
        elif sign == "ー":
            symbols = "ː" + symbols
        elif sign == "ッ" and symbols:
            symbols = "ʔ" + symbols
    return symbols


def _contracted(kana: str, small: str) -> str:
    """A kana and a small one behind it, which are one sound: "シャ"."""
    consonant = _ROUNDED.get(kana, _MORAS[kana][0])
    if small in _GLIDES or small == "ィ":
        is_bare = kana in _ROUNDED or consonant[-1:] in _PALATAL
        consonant += "" if is_bare else "ʲ"
    return consonant + _SMALL[small]


def _nasal(following: str) -> str:
    for sounds, nasal in _NASALS:
        if following[:1] and following[0] in sounds:
            return nasal
    return "ɴ"
