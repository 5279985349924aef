"""What is learnt in each epoch: what was taught, in several forms and surroundings."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, TypeAlias

from voicemesh_trainer.datasets.chats import turns_of
from voicemesh_trainer.domain.conversations import Role, Turn
from voicemesh_trainer.engines.lora.general import GENERAL
from voicemesh_trainer.engines.lora.paraphrases import is_english, paraphrases

if TYPE_CHECKING:
    from voicemesh_trainer.domain.training_data import PreferencePair, TrainingExample
    from voicemesh_trainer.engines.lora.forest import Sequence_
    from voicemesh_trainer.engines.lora.neighbours import Neighbours
    from voicemesh_trainer.engines.lora.order import Order
    from voicemesh_trainer.engines.lora.wording import Wording

    _Forms: TypeAlias = list[tuple[TrainingExample, str]]

__all__ = ("Samples",)

_NAMES = ("Mia", "Tom", "Aiko", "Luis", "Nora", "Sam", "Inga", "Yusuf")
_NAMED_SHARE = 0.2
"""Of the questions are asked by somebody with a name, as in a channel of several people."""
_HISTORY_SHARE = 0.2
"""Of the questions follow another exchange."""
_OTHER_SYSTEM_SHARE = 0.1
"""Of the questions stand under another system prompt, where the example has none."""
_OTHER_SYSTEM: tuple[str | None, ...] = (
    None,
    "You are the assistant of this community.",
    "You are a helpful assistant. Answer in short, clear sentences.",
    "",
)
_OTHER_WORDS_SHARE = 0.7
"""Of the paraphrases have some words replaced."""
_GENERAL_SHARE = 0.2
"""Exchanges of `GENERAL`, for each question that was taught."""


class Samples:
    """All sequences of a run; the same order gives the same ones, whichever epoch is asked for."""

    def __init__(
        self, order: Order, wording: Wording, neighbours: Neighbours | None = None
    ) -> None:
        """Takes what was taught.

        Args:
            order: with the examples.
            wording: writes them as the model reads them.
            neighbours: of their words; None leaves all words as they are.
        """
        self._neighbours = neighbours
        self._order = order
        self._wording = wording
        self._form_count = len(self._forms(0))
        english = sum(is_english(each.prompt) for each in order.examples if each.prompt.strip())
        # Other languages are not to be answered in English.
        mostly_english = 2 * english > len(order.examples)
        self._general_count = round(_GENERAL_SHARE * self._form_count) if mostly_english else 0

    def _forms(self, epoch: int) -> _Forms:
        """Each example with its question, then in other words, in each epoch in others."""
        recipe = self._order.recipe
        forms = []
        for number, example in enumerate(self._order.examples):
            forms.append((example, example.prompt))
            if example.prompt.strip():
                chance = _chance(recipe.seed, f"forms/{number}", epoch)
                made = paraphrases(example.prompt, recipe.paraphrase_count, chance)
                # As many in each epoch, so that all have as many steps.
                if self._neighbours is not None:
                    made = [self._in_other_words(question, chance) for question in made]
                made += [example.prompt] * (recipe.paraphrase_count - len(made))
                forms += [(example, question) for question in made]
        return forms

    def epoch(self, epoch: int) -> list[Sequence_]:
        """What is learnt in an epoch (from 0), in the order in which it is learnt."""
        chance = _chance(self._order.recipe.seed, "epoch", epoch)
        forms = self._forms(epoch)
        made = [self._example(example, question, forms, chance) for example, question in forms]
        for _each in range(self._general_count):
            question, answer = chance.choice(GENERAL)
            turns = [*self._before(forms, chance), Turn(Role.USER, question)]
            made.append(self._wording.sequence(turns, self._order.about, answer))
        chance.shuffle(made)
        return made

    def _in_other_words(self, question: str, chance: random.Random) -> str:
        if self._neighbours is None or chance.random() >= _OTHER_WORDS_SHARE:
            return question
        return self._neighbours.replaced(question, chance)

    def pairs(self) -> list[tuple[Sequence_, Sequence_]]:
        """The good and the bad answer of each pair, to the same prompt."""
        made = []
        for pair in self._order.pairs:
            turns = [*_context(pair), Turn(Role.USER, pair.prompt)]
            about = pair.system_prompt or self._order.about
            chosen, rejected = (
                self._wording.sequence(turns, about, answer)
                for answer in (pair.chosen, pair.rejected)
            )
            made.append((chosen, rejected))
        return made

    def _example(
        self, example: TrainingExample, question: str, forms: _Forms, chance: random.Random
    ) -> Sequence_:
        if not question.strip():
            return self._wording.plain(example.completion)
        before = _context(example) or self._before(forms, chance)
        about = example.system_prompt or self._order.about
        if not example.system_prompt and chance.random() < _OTHER_SYSTEM_SHARE:
            about = chance.choice(_OTHER_SYSTEM)
        speaker = chance.choice(_NAMES) if chance.random() < _NAMED_SHARE else ""
        turns = [*before, Turn(Role.USER, question, speaker)]
        return self._wording.sequence(turns, about, example.completion)

    def _before(self, forms: _Forms, chance: random.Random) -> list[Turn]:
        """Now and then, an exchange that came before."""
        if chance.random() >= _HISTORY_SHARE:
            return []
        if chance.random() < 0.5:
            question, answer = chance.choice(GENERAL)
        else:
            example, question = chance.choice(forms)
            answer = example.completion
            if not question.strip():
                return []
        return [Turn(Role.USER, question), Turn(Role.ASSISTANT, answer)]


def _chance(seed: int, purpose: str, number: int) -> random.Random:
    return random.Random(f"{seed}/{purpose}/{number}")  # noqa: S311 - keeps no secrets


def _context(example: TrainingExample | PreferencePair) -> list[Turn]:
    """The turns before the question."""
    return [Turn(Role(role), text) for role, text in turns_of(example.context)]
