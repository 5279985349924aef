"""Makes what a job trains on from a dataset and the corrections of a tenant. Pure.

A negative example and a positive one to the same question (compared as memory does) make a pair.
So does a correction of which the wrong answer is known. Negative examples that find no positive
one are not trained on: memory tells the model to avoid them.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import astuple
from typing import TYPE_CHECKING, TypeAlias

from voicemesh_trainer.domain.training_data import PreferencePair, TrainingData, TrainingExample
from voicemesh_trainer.memory.questions import question_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from voicemesh_trainer.ports.jobs import CorrectedAnswer

__all__ = ("assembled",)

_Key: TypeAlias = tuple[str, str, str]


def assembled(
    examples: Sequence[TrainingExample], corrections: Sequence[CorrectedAnswer]
) -> TrainingData:
    """The data of a job; takes a second for 100,000 examples.

    What a correction calls wrong is not trained on as right, and of several corrections of a
    question the last one holds.

    Args:
        examples: of the dataset, in the order of import.
        corrections: oldest first.
    """
    taught = _taught(corrections)
    wrong = {(_key(each), each.completion) for each in taught if not each.positive}
    positives = _unique(
        each
        for each in (*examples, *taught)
        if each.positive and (_key(each), each.completion) not in wrong
    )
    by_question: dict[_Key, list[TrainingExample]] = {}
    for each in positives:
        if each.prompt.strip():
            by_question.setdefault(_key(each), []).append(each)
    pairs: dict[PreferencePair, None] = {}
    avoided = 0
    negatives = _unique(each for each in (*examples, *taught) if not each.positive)
    for index, bad in enumerate(negatives):
        good = [
            each for each in by_question.get(_key(bad), ()) if each.completion != bad.completion
        ]
        if good:
            # Each bad answer once, and the good ones in turn: no question outweighs the others.
            pairs[_pair(good[index % len(good)], bad)] = None
        else:
            avoided += 1
    return TrainingData(positives, tuple(pairs), avoided, _sha256(positives, tuple(pairs)))


def _taught(corrections: Sequence[CorrectedAnswer]) -> list[TrainingExample]:
    """Corrections as examples, without those that later ones replace."""
    last: dict[str, str] = {
        question_key(each.question): each.answer
        for each in corrections
        if each.question.strip() and each.answer.strip()
    }
    found: list[TrainingExample] = []
    for each in corrections:
        answer = last.get(question_key(each.question))
        if answer is None:
            continue
        if each.answer == answer:
            found.append(TrainingExample(each.question, answer))
        wrong = [each.rejected_answer, each.answer]
        found += [
            TrainingExample(each.question, text, positive=False)
            for text in wrong
            if text.strip() and text != answer
        ]
    return found


def _unique(examples: Iterable[TrainingExample]) -> tuple[TrainingExample, ...]:
    return tuple(dict.fromkeys(examples))


def _key(example: TrainingExample) -> _Key:
    return (example.system_prompt, example.context, question_key(example.prompt))


def _pair(good: TrainingExample, bad: TrainingExample) -> PreferencePair:
    return PreferencePair(
        prompt=good.prompt,
        chosen=good.completion,
        rejected=bad.completion,
        system_prompt=good.system_prompt,
        context=good.context,
    )


def _sha256(examples: tuple[TrainingExample, ...], pairs: tuple[PreferencePair, ...]) -> str:
    digest = hashlib.sha256()
    everything: tuple[TrainingExample | PreferencePair, ...] = (*examples, *pairs)
    for each in everything:
        digest.update(json.dumps([type(each).__name__, *astuple(each)]).encode())
        digest.update(b"\n")
    return digest.hexdigest()
