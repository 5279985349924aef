"""How Japanese is read: kanji to kana, and kana as they are pronounced.

The readings are SudachiPy's with the smallest of its dictionaries (both Apache-2.0). They tell how
a word is written in kana; the rules here make of that how it sounds: particles and long vowels.
"""

from __future__ import annotations

import importlib.util
import re
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ("Morpheme", "Reader", "can_read", "is_japanese")

_DICTIONARY = "small"
_MOST_CHARS = 10_000
"""Sudachi takes 49,149 bytes."""

_PARTICLE, _VERB, _GREETING = "助詞", "動詞", "感動詞"
_PARTICLES = {"は": "ワ", "へ": "エ", "を": "オ"}
_KANA = re.compile(r"[ぁ-ゖァ-ヺー]+")

_JAPANESE = re.compile("[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff々]")

_LONG = tuple(
    (re.compile(f"(?<=[{before}]){vowel}"), verbs)
    for before, vowel, verbs in (
        # Whether it holds in verbs too: their forms begin anywhere (思う, 招いて).
        ("アカガサザタダナハバパマヤラワャァ", "ア", False),
        ("イキギシジチヂニヒビピミリィ", "イ", False),
        ("ウクグスズツヅヌフブプムユルュゥ", "ウ", False),
        ("エケゲセゼテデネヘベペメレェ", "[エイ]", False),
        ("オコゴソゾトドノホボポモヨロョォ", "オ", True),
        ("オコゴソゾトドノホボポモヨロョォ", "ウ(?=.)", True),
        ("オコゴソゾトドノホボポモヨロョォ", "ウ", False),
    )
)


def can_read() -> bool:
    """Whether the packages are installed that read Japanese. Loads none of them."""
    return all(importlib.util.find_spec(name) for name in ("sudachipy", "sudachidict_small"))


def is_japanese(text: str) -> bool:
    """Whether there is a kana or a kanji in a text."""
    return _JAPANESE.search(text) is not None


@dataclass(frozen=True)
class Morpheme:
    """A word or a part of one."""

    text: str
    """As it is written."""

    kana: str
    """As it is pronounced, in katakana; empty for what is no Japanese, such as marks."""


class Reader:
    """Reads with one dictionary, which is loaded at first use. Threads may use it at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tokenizer: Any = None

    def read(self, text: str) -> Sequence[Morpheme]:
        """The morphemes of a text, in order, without blanks.

        Raises:
            ImportError, OSError: if the dictionary cannot be loaded.
        """
        text = text.encode(errors="replace").decode()
        # A tokenizer of Sudachi has one text at a time.
        with self._lock:
            if self._tokenizer is None:
                from sudachipy import Dictionary, SplitMode

                self._tokenizer = Dictionary(dict=_DICTIONARY).tokenizer(SplitMode.A)
            found = [
                (each.surface(), each.reading_form(), each.part_of_speech()[0])
                for start in range(0, len(text), _MOST_CHARS)
                for each in self._tokenizer.tokenize(text[start : start + _MOST_CHARS])
            ]
        return [
            Morpheme(surface, _pronounced(surface, reading, kind))
            for surface, reading, kind in found
            if surface.strip()
        ]


def _pronounced(surface: str, reading: str, kind: str) -> str:
    if kind == _PARTICLE and surface in _PARTICLES:
        return _PARTICLES[surface]
    if kind == _GREETING and surface.endswith("は"):
        # こんにちは ends in the particle.
        reading = f"{reading[:-1]}ワ"
    if not _KANA.fullmatch(reading):
        reading = surface if _KANA.fullmatch(surface) else ""
    if not is_japanese(surface):
        # Sudachi reads marks too ("キゴウ"), and Latin letters one by one.
        return ""
    for pattern, holds_in_verbs in _LONG:
        if holds_in_verbs or kind != _VERB:
            reading = pattern.sub("ー", reading)
    return reading
