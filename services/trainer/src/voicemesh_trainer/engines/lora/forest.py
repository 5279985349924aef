"""Packs the sequences of a step so that what they have in common is computed once. Pure.

Prompts begin alike: the words above the conversation alone are some hundred tokens. A hidden state
depends on the tokens before it and nothing else, so sequences that begin alike share those states.
They are merged into a trie, which the model reads as one row without padding: every token stands at
its depth and sees its ancestors. The gradients are those of the sequences one by one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ("Forest", "Sequence_", "batches_of_nodes")


@dataclass(frozen=True)
class Sequence_:  # noqa: N801 - `Sequence` is taken
    """What is learnt from one example: the tokens of its prompt, and those that shall follow."""

    prompt: tuple[int, ...]
    """Not empty."""
    completion: tuple[int, ...]
    """Not empty."""
    weight: float = 1.0
    """How much its loss counts."""

    def __len__(self) -> int:
        return len(self.prompt) + len(self.completion)


@dataclass
class Forest:
    """Sequences, merged where they begin alike."""

    tokens: list[int] = field(default_factory=list)
    """Of each node; a parent stands before its children."""
    parents: list[int] = field(default_factory=list)
    """Node before each node; -1 for a first one."""
    depths: list[int] = field(default_factory=list)
    """Position of each node in its sequence, from 0."""
    sources: list[int] = field(default_factory=list)
    """Node whose state predicts a target, for the completions of all sequences in a row."""
    targets: list[int] = field(default_factory=list)
    """Token to be predicted there."""
    owners: list[int] = field(default_factory=list)
    """Number of the sequence that the target is of."""
    _children: dict[tuple[int, int], int] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, sequences: Iterable[Sequence_]) -> Forest:
        """Merges sequences."""
        forest = cls()
        for number, sequence in enumerate(sequences):
            forest._add(number, sequence)
        return forest

    def __len__(self) -> int:
        """Nodes: tokens that the model computes."""
        return len(self.tokens)

    def _add(self, number: int, sequence: Sequence_) -> None:
        node = -1
        for token in sequence.prompt:
            node = self._child(node, token)
        for place, token in enumerate(sequence.completion):
            self.sources.append(node)
            self.targets.append(token)
            self.owners.append(number)
            # The last token is predicted, but predicts nothing.
            if place < len(sequence.completion) - 1:
                node = self._child(node, token)

    def _child(self, parent: int, token: int) -> int:
        known = self._children.get((parent, token))
        if known is not None:
            return known
        node = len(self.tokens)
        self.tokens.append(token)
        self.parents.append(parent)
        self.depths.append(self.depths[parent] + 1 if parent >= 0 else 0)
        self._children[parent, token] = node
        return node


def batches_of_nodes(sequences: Sequence[Sequence_], most: int) -> list[list[int]]:
    """Splits a step into parts that fit the memory, each of at most so many tokens if it can.

    Args:
        sequences: of one step.
        most: tokens of a part, counted as merged; one longer sequence is a part of its own.

    Returns:
        Numbers of the sequences of each part, in order.
    """
    parts: list[list[int]] = []
    forest = Forest()
    for number, sequence in enumerate(sequences):
        before = len(forest)
        forest._add(number, sequence)
        if parts and (len(forest) <= most or before == 0):
            parts[-1].append(number)
        else:
            parts.append([number])
            forest = Forest.of([sequence])
    return parts
