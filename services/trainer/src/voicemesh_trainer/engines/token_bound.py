"""A bound on the tokens of a prompt, so that most prompts need not be counted.

To count the tokens of a usual prompt takes llama.cpp several milliseconds, a tenth of the time to
the first word of a small model. But prompts begin alike, and a token is at least a byte long: so
what a prompt has more than one that was counted has at most as many tokens as bytes.
"""

from __future__ import annotations

from collections import OrderedDict

__all__ = ("TokenBound",)

_MOST_KNOWN = 16
_SEAM_TOKENS = 8
"""Where two texts are joined, or one is cut, a few tokens may be others than before."""


class TokenBound:
    """Remembers some prompts that were counted."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, int] = OrderedDict()

    def most(self, prompt: str) -> int:
        """The most tokens that a prompt can have, as far as is known."""
        most = len(prompt.encode("utf-8", "replace"))
        for known, tokens in reversed(self._known.items()):
            rest = prompt[_common(known, prompt) :]
            most = min(most, tokens + len(rest.encode("utf-8", "replace")))
        return most + _SEAM_TOKENS

    def learn(self, prompt: str, tokens: int) -> None:
        """Takes the tokens of a prompt that was counted."""
        self._known[prompt] = tokens
        self._known.move_to_end(prompt)
        if len(self._known) > _MOST_KNOWN:
            self._known.popitem(last=False)


def _common(one: str, other: str) -> int:
    """How many characters two texts have in common at their beginning."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low
