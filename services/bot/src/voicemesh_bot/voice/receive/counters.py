"""What became of the packets of a guild, for all and for each person."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from voicemesh_bot.voice.receive.packets import Outcome

__all__ = ("ReceiveCounters",)

_MOST_PEOPLE = 1000


class ReceiveCounters:
    """Counts outcomes. Kept over reconnects; written by one thread at a time, read by any."""

    def __init__(self) -> None:
        """Begin at zero."""
        self._totals: Counter[Outcome] = Counter()
        self._people: dict[int, Counter[Outcome]] = {}

    def add(self, outcome: Outcome, user_id: int | None = None, count: int = 1) -> None:
        """Counts packets.

        Args:
            outcome: what became of them.
            user_id: whose they are; None while nobody knows.
            count: how many.
        """
        if not count:
            return
        self._totals[outcome] += count
        if user_id is None:
            return
        of_person = self._people.get(user_id)
        if of_person is None:
            if len(self._people) >= _MOST_PEOPLE:  # The one who was counted first goes.
                del self._people[next(iter(self._people))]
            of_person = self._people[user_id] = Counter()
        of_person[outcome] += count

    @property
    def totals(self) -> Mapping[Outcome, int]:
        """Of all packets, since the start."""
        return dict(self._totals)

    def of(self, user_id: int) -> Mapping[Outcome, int]:
        """Of one person's packets, since they were first heard of."""
        return dict(self._people.get(user_id, {}))

    @property
    def user_ids(self) -> tuple[int, ...]:
        """Whose packets were counted."""
        return tuple(self._people)
