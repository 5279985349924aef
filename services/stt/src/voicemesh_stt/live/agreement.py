"""Which words of a growing transcript are stable: those that two hypotheses in a row agree on.

Local agreement (Macháček, Dabre and Bojar, "Turning Whisper into Real-Time Transcription System",
2023), with one addition: the last word of a hypothesis never counts, since the audio may cut it.

Words that are settled, because their audio will not be heard again, are stable as a whole; later
hypotheses are of what comes after them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import takewhile

__all__ = ("LocalAgreement", "StableText")

# Scripts without spaces are compared character by character.
_UNSPACED = "\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff"
_TOKEN = re.compile(rf"\s*(?:[{_UNSPACED}]|[^\s{_UNSPACED}]+)")
_NOT_WORD = re.compile(r"[^\w]+")
_SMOOTHING = 0.5


@dataclass(frozen=True)
class StableText:
    """A hypothesis in two parts."""

    stable: str
    """Text that every later hypothesis of the turn will begin with."""
    unstable: str
    """Text after it that may change; begins with the space that separates them."""
    stability: float
    """Running share of unstable words that were still there the next time, 0 to 1."""


class LocalAgreement:
    """Follows the hypotheses of one turn."""

    def __init__(self) -> None:
        self._settled = ""
        self._stable: list[str] = []
        self._last: list[str] = []
        self._stability = 0.5

    def settle(self, text: str) -> None:
        """Says what the words since the last that were settled are, for good.

        What was stable before stays as it was spelled, also where `text` has it otherwise: then the
        words of `text` follow from the last on which both agree.
        """
        tokens = self._tokens(text)
        keys = [_key(token) for token in self._stable], [_key(token) for token in tokens]
        blocks = SequenceMatcher(None, *keys, autojunk=False).get_matching_blocks()
        agreed = max((block.b + block.size for block in blocks if block.size), default=0)
        if not any(block.size for block in blocks):
            agreed = min(len(self._stable), len(tokens))
        self._settled += "".join([*self._stable, *tokens[agreed:]])
        self._stable = []
        self._last = []

    def update(self, hypothesis: str) -> StableText:
        """Splits the next hypothesis, of what is not settled; what was stable stays as it was."""
        tokens = self._tokens(hypothesis)
        agreed = _agreed(self._last, tokens)
        frozen = len(self._stable)
        self._learn(agreed, frozen)
        settled = min(agreed, len(self._last) - 1, len(tokens) - 1)
        if settled > frozen and _agreed(self._stable, tokens) == frozen:
            self._stable += tokens[frozen:settled]
        self._last = tokens
        unstable = tokens[len(self._stable) :]
        stable = self._settled + "".join(self._stable)
        return StableText(stable, "".join(unstable), round(self._stability, 3))

    def _tokens(self, text: str) -> list[str]:
        # After settled words the space in front separates.
        found: list[str] = _TOKEN.findall(text.rstrip() if self._settled else text.strip())
        return found

    def _learn(self, agreed: int, frozen: int) -> None:
        before = len(self._last) - frozen
        if before <= 0:
            return
        kept = max(0, agreed - frozen) / before
        self._stability += _SMOOTHING * (kept - self._stability)


def _agreed(left: list[str], right: list[str]) -> int:
    """How many words both begin with, whatever their case and punctuation."""
    pairs = zip(left, right, strict=False)
    return sum(1 for _ in takewhile(lambda pair: _key(pair[0]) == _key(pair[1]), pairs))


def _key(token: str) -> str:
    return _NOT_WORD.sub("", token).casefold()
