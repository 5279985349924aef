"""The losses equal those of the libraries that everyone uses."""

from __future__ import annotations

import pytest
import torch

from voicemesh_trainer.engines.lora.loss import preference_loss, token_log_probabilities

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("softcap", [None, 3.0])
def test_log_probabilities_and_their_gradient_are_those_of_torch(softcap: float | None) -> None:
    chance = torch.Generator().manual_seed(2)
    hidden = torch.randn(70, 16, generator=chance, requires_grad=True)
    head = torch.randn(300, 16, generator=chance)
    targets = torch.randint(0, 300, (70,), generator=chance)
    weights = torch.randn(70, generator=chance)

    logits = hidden @ head.T
    if softcap:
        logits = softcap * torch.tanh(logits / softcap)
    theirs = -torch.nn.functional.cross_entropy(logits, targets, reduction="none")
    (their_gradient,) = torch.autograd.grad((theirs * weights).sum(), hidden)
    ours = token_log_probabilities(hidden, head, targets, softcap)
    (our_gradient,) = torch.autograd.grad((ours * weights).sum(), hidden)

    torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(our_gradient, their_gradient, rtol=1e-4, atol=1e-5)


def test_the_loss_of_a_pair_falls_as_the_good_answer_gains_on_the_bad_one() -> None:
    reference = torch.zeros(3)
    chosen, rejected = torch.tensor([-9.0, -5.0, -1.0]), torch.tensor([-5.0, -5.0, -5.0])
    losses = preference_loss(chosen, rejected, reference, 0.5)
    assert losses[0] > losses[1] > losses[2]
    assert losses[1].item() == pytest.approx(0.6931, abs=1e-4)
