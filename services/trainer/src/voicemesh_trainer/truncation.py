"""Chooses how much of a history fits a model. Pure but for the counting it is given."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from voicemesh_trainer.errors import ConversationTooLongError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

__all__ = ("estimate_tokens", "omitted_turns", "prompt_budget")

_BYTES_A_TOKEN = 3

_STEP = 8
"""Turns are left out by this many at a time. The first turn kept then stays the same for a few
exchanges, and with it the beginning of the prompt, which the model need not read again."""


def estimate_tokens(text: str) -> int:
    """A cautious guess for models whose tokens cannot be counted here.

    English has about four bytes a token, Chinese about three.
    """
    return math.ceil(len(text.encode("utf-8", "replace")) / _BYTES_A_TOKEN)


def prompt_budget(context_tokens: int, max_output_tokens: int) -> int:
    """Tokens that a prompt may have: the answer is left its room, but at most half of all.

    An answer that is allowed to be longer than that ends where the context does.
    """
    return context_tokens - min(max_output_tokens, context_tokens // 2)


async def omitted_turns(
    turn_count: int, budget_tokens: int, count: Callable[[int], Awaitable[int]]
) -> int:
    """How many of the oldest turns to leave out so that the prompt fits.

    Args:
        turn_count: turns of the history, at least 1.
        budget_tokens: tokens that the prompt may have.
        count: tells the tokens of the prompt without the given number of oldest turns.

    Raises:
        ConversationTooLongError: if not even the last turn alone fits.
    """
    if await count(0) <= budget_tokens:
        return 0
    last = turn_count - 1
    candidates: list[int] = [*range(_STEP, last, _STEP), last] if last > 0 else []
    low, high = 0, len(candidates)  # the first candidate that fits is in [low, high]
    while low < high:
        middle = (low + high) // 2
        if await count(candidates[middle]) <= budget_tokens:
            high = middle
        else:
            low = middle + 1
    if low == len(candidates):
        msg = (
            f"the last turn and the system prompt do not fit the {budget_tokens} tokens that the "
            "model has room for; shorten them, or ask for fewer output tokens"
        )
        raise ConversationTooLongError(msg, field="history")
    return candidates[low]
