"""How long a provider asks to be left alone. Pure.

OpenAI sends with every answer how many requests and tokens are left and when there will be more
(https://platform.openai.com/docs/guides/rate-limits), and `Retry-After` with a refusal. Who asks
again before that is refused again, and some providers count that too.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ("RateWindow", "retry_after_s")

LONGEST_S = 3600.0
"""What is longer is not believed."""

_UNITS_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")
_DURATION = re.compile(rf"(?:{_PART.pattern})+")
_KINDS = ("requests", "tokens")


class RateWindow:
    """Until when a provider is not to be asked, by what it said last.

    Times are seconds on any clock that does not run backwards.
    """

    def __init__(self) -> None:
        self._until_s = -math.inf

    def wait_s(self, now_s: float) -> float:
        """How long to wait before the provider is asked, in seconds; 0 if it may be asked."""
        return max(0.0, self._until_s - now_s)

    def answered(self, headers: Mapping[str, str], now_s: float) -> None:
        """Takes what an answer says about those to come."""
        self._until_s = max(self._until_s, now_s + _used_up_for_s(headers))

    def refused(self, wait_s: float, now_s: float) -> None:
        """Takes that the provider asks to come back after a while."""
        self._until_s = max(self._until_s, now_s + wait_s)


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """How long a refusal asks to wait, in seconds; None if it does not say."""
    for name, unit_s in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        try:
            wait_s = float(headers.get(name, "")) * unit_s
        except ValueError:  # absent, or a date: not worth a clock that may differ from ours
            continue
        if 0 < wait_s <= LONGEST_S:
            return wait_s
    return None


def _used_up_for_s(headers: Mapping[str, str]) -> float:
    """How long nothing is left, in seconds; 0 if something is left, or nobody says."""
    waits_s = [
        _duration_s(headers.get(f"x-ratelimit-reset-{kind}", ""))
        for kind in _KINDS
        if headers.get(f"x-ratelimit-remaining-{kind}", "").strip() == "0"
    ]
    return max(waits_s, default=0.0)


def _duration_s(text: str) -> float:
    """Seconds of a duration such as `6m0s` or `120ms`; 0 if it is none, or not believable."""
    if not _DURATION.fullmatch(text.strip()):
        return 0.0
    total_s = sum(float(number) * _UNITS_S[unit] for number, unit in _PART.findall(text))
    return total_s if total_s <= LONGEST_S else 0.0
