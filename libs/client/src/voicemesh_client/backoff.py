"""Whether and when a call that has failed is made again; no I/O."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from voicemesh_client.errors import ServiceError

__all__ = ("Backoff",)

_FIRST_WAIT_S = 0.5
_LONGEST_WAIT_S = 10.0
_LONGEST_ASKED_S = 120.0
"""A service that asks for a longer wait than this has better be asked again by the caller."""
_SPREAD = 0.2
"""Part of a wait by which it may be longer, so that callers do not come back all at once."""


@dataclass
class Backoff:
    """The failures in a row of one piece of work."""

    retries: int
    """Failures in a row that are forgiven."""

    _failures: int = 0

    def succeeded(self) -> None:
        """Ends the row: the work went on."""
        self._failures = 0

    def wait_s(self, error: ServiceError) -> float | None:
        """How long to wait before the next call, in seconds; None if there is to be none."""
        if not error.retryable or self._failures >= self.retries:
            return None
        asked_s = error.retry_after_s
        if asked_s is not None and asked_s > _LONGEST_ASKED_S:
            return None
        doubled_s = min(_LONGEST_WAIT_S, _FIRST_WAIT_S * 2**self._failures)
        self._failures += 1
        wait_s = doubled_s if asked_s is None else asked_s
        return wait_s * random.uniform(1.0, 1.0 + _SPREAD)  # noqa: S311 - no secret
