"""Log-probabilities of the wanted tokens, and what training makes of them.

The head of a model is its largest matrix (262,144 by 640 in Gemma 3 270M: more than all layers
together), so it is computed at the places of completions only, once, and its result is turned into
the gradient in place.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

__all__ = ("preference_loss", "token_log_probabilities")

_ROWS = 32
"""Rows of the head's result that are worked on at once: they stay in the processor's cache."""


class _TokenLogProbabilities(torch.autograd.Function):  # type: ignore[misc, unused-ignore]
    @staticmethod
    def forward(
        ctx: Any, hidden: Tensor, weight: Tensor, targets: Tensor, softcap: float | None
    ) -> Tensor:
        logits = hidden.to(weight.dtype) @ weight.T
        chosen = torch.empty(len(targets), dtype=torch.float32, device=hidden.device)
        norms = torch.empty_like(chosen)
        for start in range(0, len(targets), _ROWS):
            rows = slice(start, start + _ROWS)
            if softcap:
                logits[rows] = (logits[rows].float() / softcap).tanh() * softcap
            exact = logits[rows].float()
            norms[rows] = exact.logsumexp(-1)
            chosen[rows] = exact.gather(1, targets[rows, None])[:, 0] - norms[rows]
        ctx.save_for_backward(logits, weight, targets, norms)
        ctx.softcap, ctx.hidden_dtype = softcap, hidden.dtype
        return chosen

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        logits, weight, targets, norms = ctx.saved_tensors
        (wanted,) = gradients
        for start in range(0, len(targets), _ROWS):
            rows = slice(start, start + _ROWS)
            exact = logits[rows].float()
            slope = (exact - norms[rows, None]).exp_().mul_(-wanted[rows, None])
            slope.scatter_add_(1, targets[rows, None], wanted[rows, None])
            if ctx.softcap:
                slope *= 1 - (exact / ctx.softcap) ** 2
            logits[rows] = slope.to(logits.dtype)
        return (logits @ weight).to(ctx.hidden_dtype), None, None, None


def token_log_probabilities(
    hidden: Tensor, weight: Tensor, targets: Tensor, softcap: float | None = None
) -> Tensor:
    """How likely the model takes each wanted token to be.

    May be differentiated once, with respect to `hidden`; the head is frozen.

    Args:
        hidden: last hidden states, [places, width].
        weight: the head, [vocabulary, width].
        targets: int64 [places].
        softcap: bound of the logits, as Gemma 2 has it.

    Returns:
        float32 [places].
    """
    result: Tensor = _TokenLogProbabilities.apply(hidden, weight, targets, softcap)
    return result


def preference_loss(chosen: Tensor, rejected: Tensor, reference: Tensor, beta: float) -> Tensor:
    """The loss of DPO (Rafailov et al. 2023, equation 7), of each pair.

    Args:
        chosen: log-probabilities of the good answers, [pairs].
        rejected: those of the bad ones, [pairs].
        reference: chosen less rejected, to the model before training, [pairs].
        beta: strength.
    """
    return -torch.nn.functional.logsigmoid(beta * (chosen - rejected - reference))
