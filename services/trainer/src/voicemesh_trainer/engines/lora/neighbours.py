"""Words that the base model takes for near each other, for questions in other words.

The vectors that a language model reads words as lie near each other for words of like meaning and
for the forms of one word: in Gemma 3 270M, "ship" lies next to "boat", "vessel" and "sail", and
"healer" next to "healing" and "medics". So a thesaurus of every language that the model knows comes
with it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import torch

from voicemesh_trainer.engines.lora.paraphrases import SMALL_WORDS

if TYPE_CHECKING:
    import random
    from collections.abc import Iterable

__all__ = ("Neighbours",)

_WORD = re.compile(r"[^\W\d_]{3,}")
_MOST = 12
_LEAST_SIMILARITY = 0.42
_REPLACED_SHARE = 0.5
"""Of the words that have neighbours."""


class Neighbours:
    """Replaces words by their neighbours.

    Args:
        embeddings: of the base model, [vocabulary, width].
        tokenizer: of the base model.
        texts: whose words will be replaced.
    """

    def __init__(self, embeddings: torch.Tensor, tokenizer: Any, texts: Iterable[str]) -> None:
        words = sorted({word for text in texts for word in _WORD.findall(text)})
        tokens = {}
        for word in words:
            if word.lower() in SMALL_WORDS:
                continue
            # As it stands within a sentence, and as a name may be written.
            for form in (f" {word}", f" {word.lower()}"):
                pieces = tokenizer(form, add_special_tokens=False).input_ids
                if len(pieces) == 1:
                    tokens[word] = pieces[0]
                    break
        self._near: dict[str, list[str]] = {}
        if tokens:
            with torch.no_grad():
                self._find(embeddings, tokenizer, tokens)

    def _find(self, embeddings: torch.Tensor, tokenizer: Any, tokens: dict[str, int]) -> None:
        lengths = embeddings.norm(dim=1, dtype=torch.float32).clamp_min(1e-6)
        for word, token in tokens.items():
            likeness = (embeddings @ embeddings[token]).float() / lengths / lengths[token]
            values, places = likeness.topk(4 * _MOST)
            found: dict[str, None] = {}
            for value, place in zip(values.tolist(), places.tolist(), strict=True):
                near = tokenizer.decode([place])
                plain = near.strip()
                whole = near != plain and _WORD.fullmatch(plain) is not None
                alike = plain.casefold() == word.casefold()
                if value < _LEAST_SIMILARITY or not whole or alike:
                    continue
                # Words of another script would make no sense to who reads this language.
                if plain.isascii() == word.isascii() and plain.casefold() not in found:
                    found[plain.casefold()] = None
            if found:
                self._near[word] = list(found)[:_MOST]

    def of(self, word: str) -> list[str]:
        """The neighbours of a word, nearest first."""
        return self._near.get(word, [])

    def replaced(self, text: str, chance: random.Random) -> str:
        """The text with some of its words replaced."""

        def other(match: re.Match[str]) -> str:
            if match.start() and match.group()[0].isupper():
                return match.group()  # a name, which has no other words
            near = self._near.get(match.group())
            if near is None or chance.random() >= _REPLACED_SHARE:
                return match.group()
            # The nearest ones twice as often as the farthest.
            return near[min(chance.randrange(len(near)), chance.randrange(len(near)))]

        return _WORD.sub(other, text)
