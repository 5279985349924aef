"""Merged sequences come out as they do one by one."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from voicemesh_trainer.engines.lora.forest import Forest, Sequence_, batches_of_nodes
from voicemesh_trainer.engines.lora.model import Adapted, load

pytestmark = pytest.mark.unit

SEQUENCES = [
    Sequence_((1, 70, 71, 72), (80, 81)),
    Sequence_((1, 70, 71, 73, 74), (82, 83, 84)),
    Sequence_((1, 70, 71, 72), (80, 85)),
    Sequence_((5,), (6,)),
]


@pytest.fixture(scope="module")
def adapted(llama: Path) -> Adapted:
    made = load(llama, rank=4, seed=3, device="cpu")
    made.network.float()
    chance = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for _name, weight in made.weights():  # so that B, too, does something
            weight.copy_(0.1 * torch.randn(weight.shape, generator=chance))
    return made


def plain(adapted: Adapted, sequence: Sequence_) -> torch.Tensor:
    tokens = torch.tensor([[*sequence.prompt, *sequence.completion]])
    likely = adapted.network(input_ids=tokens).logits[0].log_softmax(-1)
    wanted = torch.tensor(sequence.completion)
    return likely[len(sequence.prompt) - 1 : -1].gather(1, wanted[:, None])[:, 0]


def gradients(adapted: Adapted, loss: torch.Tensor) -> list[torch.Tensor]:
    return list(torch.autograd.grad(loss, [weight for _, weight in adapted.weights()]))


def test_merged_sequences_are_as_likely_as_one_by_one_and_have_the_same_gradients(
    adapted: Adapted,
) -> None:
    together, forest = adapted.log_probabilities(SEQUENCES)
    alone = torch.cat([plain(adapted, each) for each in SEQUENCES])
    torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-4)
    assert forest.owners == [0, 0, 1, 1, 1, 2, 2, 3]
    pairs = zip(gradients(adapted, together.sum()), gradients(adapted, alone.sum()), strict=True)
    for ours, theirs in pairs:
        torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-4)


def test_a_window_hides_what_is_far(adapted: Adapted) -> None:
    forest = Forest.of(SEQUENCES[:2])
    adapted.config.sliding_window = 2
    adapted.config.layer_types = ["sliding_attention", "full_attention"]
    try:
        masks = adapted._masks(forest)
    finally:
        adapted.config.sliding_window = None
        del adapted.config.layer_types
    last = forest.sources[-1]
    seen = [forest.depths[node] for node in masks["full_attention"][0, 0, last].nonzero()[:, 0]]
    near = [forest.depths[node] for node in masks["sliding_attention"][0, 0, last].nonzero()[:, 0]]
    assert seen == [0, 1, 2, 3, 4, 5, 6]
    assert near == [5, 6]


def test_what_sequences_have_in_common_is_computed_once() -> None:
    # The last token of each is predicted and need not be read.
    assert len(Forest.of(SEQUENCES)) == 5 + 4 + 0 + 1


def test_a_step_is_split_by_merged_tokens_and_nothing_is_left_out() -> None:
    parts = batches_of_nodes(SEQUENCES, 9)
    assert parts == [[0, 1, 2], [3]]
    assert batches_of_nodes(SEQUENCES, 1) == [[0], [1], [2], [3]]
    assert batches_of_nodes([], 5) == []
