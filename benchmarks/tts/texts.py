"""What is spoken: sentences that vary, and texts of so many words that nobody has asked for before.

tts keeps the sound of clauses that it has spoken, so what measures its engine must not repeat
itself; `Writer` puts sentences together that are always new.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

__all__ = ("Writer", "at_once", "sentences", "written")

_HERE = Path(__file__).parent
_FILES = (_HERE.parent / "stt" / "sentences.txt", _HERE / "sentences.txt")

_ADJECTIVES = (
    "old young tired quiet clever friendly careful busy cheerful patient famous lonely brave "
    "gentle honest hungry lucky nervous polite proud"
)
_PEOPLE = (
    "farmer doctor teacher baker sailor painter gardener driver neighbour soldier waiter writer "
    "singer lawyer nurse tailor pilot miner postman shepherd"
)
_VERBS = (
    "sold carried found painted cleaned counted packed watched moved gathered repaired borrowed "
    "ordered washed admired"
)
_THINGS = (
    "apples baskets lanterns bottles letters carpets bicycles ladders blankets candles kettles "
    "mirrors umbrellas tickets pictures stones ropes barrels chairs flowers"
)
_JOINTS = "and while because but so although before until"
_TAILS = (
    "",
    "today",
    "every morning",
    "in the garden",
    "before the long winter",
    "on the way back home",
)


class Writer:
    """Writes texts of any number of words, plain and without commas, never the same one twice."""

    def __init__(self, seed: int) -> None:
        self._random = np.random.default_rng(seed)

    def sentence(self, words: int) -> str:
        """One sentence of so many words, at least 5."""
        parts = [self._statement()]
        left = words - 5
        while left >= 6:
            parts += [self._one(_JOINTS), self._statement()]
            left -= 6
        parts += [_TAILS[left]] if left else []
        text = " ".join(parts)
        return f"{text[0].upper()}{text[1:]}."

    def paragraph(self, words: int, each: int = 15) -> str:
        """Sentences of `each` words, so many words in all; a multiple of it."""
        return " ".join(self.sentence(each) for _ in range(words // each))

    def _statement(self) -> str:
        chosen = map(self._one, (_ADJECTIVES, _PEOPLE, _VERBS, _THINGS))
        return " ".join(("the", *chosen))

    def _one(self, words: str) -> str:
        choice = words.split()
        return choice[int(self._random.integers(len(choice)))]


def sentences() -> list[str]:
    """200 sentences: questions, numbers, names, quotations, long ones and short ones."""
    return [line for file in _FILES for line in file.read_text(encoding="utf-8").splitlines()]


async def at_once(text: str) -> AsyncGenerator[str, None]:
    """A text that is finished."""
    yield text


async def written(text: str, words_per_s: float) -> AsyncGenerator[str, None]:
    """A text that somebody writes word by word; the first word is there at once."""
    words = text.split(" ")
    for number, word in enumerate(words):
        if number:
            await asyncio.sleep(1 / words_per_s)
        yield word if number == len(words) - 1 else word + " "
