"""How fast the engines have been lately, and so how long what waits will take.

Pure; `engines.owner` tells it what ran. Work is counted in seconds of context, because that is what
an engine's time depends on.
"""

from __future__ import annotations

import math
from collections import defaultdict, deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ("Pace",)

_FIRST_GUESS = 0.02
"""Seconds for a second of context, until there is a measurement."""
_SMOOTHING = 0.2
_REMEMBERED = 16
_FORGETTING = 0.9
_WAIT_FADES_S = 5.0


class Pace:
    """Measurements of one service, of all its models."""

    def __init__(self) -> None:
        self._cost: defaultdict[str, float] = defaultdict(lambda: _FIRST_GUESS)
        self._lately: defaultdict[str, deque[float]] = defaultdict(
            lambda: deque(maxlen=_REMEMBERED)
        )
        self._least: dict[str, float] = {}
        self._waited_s = 0.0
        self._waited_at_s = -math.inf

    def ran(self, model: str, work_s: float, spent_s: float) -> None:
        """A batch of `work_s` seconds of context took a worker `spent_s` seconds."""
        cost = spent_s / max(work_s, 0.01)
        self._cost[model] += _SMOOTHING * (cost - self._cost[model])
        self._lately[model].append(cost)
        self._least[model] = min(self._lately[model])

    def cost(self, model: str) -> float:
        """What a second of context takes a worker, in seconds."""
        return self._cost[model]

    def clears_in_s(self, work: Iterable[tuple[str, int, float]]) -> float:
        """How long the workers are busy with this work, in seconds.

        Args:
            work: of each job the model, how many workers it can have, and its seconds of context.
        """
        return sum(self._cost[model] * work_s / workers for model, workers, work_s in work)

    def needed_s(self, model: str, work_s: float) -> float:
        """What so much work took in the quickest of the last batches: less time is not enough.

        A second of context costs least in a batch, so that a job alone takes no less than this.
        """
        return self._least.get(model, 0.0) * work_s

    def gave_up(self, model: str) -> None:
        """A job was given up for want of that time; so that one slow hour is not for ever."""
        if model in self._least:
            self._least[model] *= _FORGETTING

    def live_waited(self, waited_s: float, now_s: float) -> None:
        """Live work waited so long in the queue."""
        kept = self.live_wait_s(now_s)
        self._waited_s = kept + _SMOOTHING * (waited_s - kept)
        self._waited_at_s = now_s

    def live_wait_s(self, now_s: float) -> float:
        """How long live work has been waiting lately, in seconds; fades while none comes."""
        return self._waited_s * math.exp(-(now_s - self._waited_at_s) / _WAIT_FADES_S)
