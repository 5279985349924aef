"""The bounded queue in front of the engines: who is next, and who shares a batch with whom.

- Live work goes before bulk; after four batches in a row that went before it, one of bulk is taken.
- Within a lane callers get equal shares of the work, however much each of them has waiting; each
  one's work in order. So a short recording does not wait for all of the long ones beside it.
- A newer job of a turn takes the place of one that waits. Partials go first when there is no room.
- What waits with the same key shares a batch, but nothing ever waits for a batch to fill, and more
  than four are shared out among the workers: two half batches side by side are done sooner.
- Live batches hold live work only: on a CPU every further job makes all of a batch wait two thirds
  of what it costs alone. The other way round live work may join a batch of bulk, which it would
  have to wait for otherwise.
- While live work comes in, bulk leaves one worker free and takes small batches, since what runs
  cannot be pushed aside; for the same reason, while several callers have some, a batch of bulk has
  no more work in it than half a batch of whole contexts.

Pure and single-threaded, without a clock of its own; `engines.owner` runs it.
"""

from __future__ import annotations

import math
from collections import Counter, deque
from dataclasses import dataclass, field
from operator import itemgetter
from typing import TYPE_CHECKING, Generic, TypeVar

from voicemesh_stt.ports import Lane

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator, Sequence

__all__ = ("Offer", "Schedule", "Taken", "Ticket")

_LIVE_IN_A_ROW = 4
"""Batches taken before bulk that waits; so bulk never starves."""
_BULK_SHARE = 0.75
"""Share of the bound that bulk may fill, so that live work always finds room."""
_LIVE_FOR_S = 5.0
"""How long after live work there is likely more of it, in seconds: about one turn. Partials count,
taken or not: somebody is speaking, and the words at the pause are what has to be there soon."""
_SHARED = 4
"""Jobs that one worker takes though another might soon do some; together they cost less."""
_SMALL_SHARE = 4
"""Bulk's part of a batch while live work comes in is one in this many."""
_HALF_WHOLE_S = 15.0
"""Bulk's work in a batch while several callers have some, in seconds for each job that it could
hold: half of Whisper's whole context."""

T = TypeVar("T")


@dataclass(eq=False)
class Ticket(Generic[T]):
    """One job in the queue."""

    item: T
    """What waits."""
    lane: Lane
    """How urgent it is."""
    caller: Hashable
    """Whose turn it takes."""
    deadline_s: float
    """When its words are no longer wanted, on the caller's clock."""
    model: str
    """The model it needs."""
    workers: int = 1
    """Most batches of that model that may run at once."""
    most: int = 1
    """Most jobs in a batch of that model."""
    turn: Hashable | None = None
    """What a newer ticket takes its place for; None for nothing."""
    work_s: float = 0.0
    """How much there is to do, in seconds of context."""
    key: Hashable = None
    """What those in its batch must have in common; None until its features are there."""


@dataclass(frozen=True)
class Offer(Generic[T]):
    """What became of a ticket that was offered, and of others because of it."""

    taken: bool
    """Whether it waits now."""
    superseded: tuple[Ticket[T], ...] = ()
    """Older ones of its turn; they do not wait any more."""
    dropped: tuple[Ticket[T], ...] = ()
    """Partials that made room; they do not wait any more."""


@dataclass(frozen=True)
class Taken(Generic[T]):
    """What a worker is to do."""

    batch: Sequence[Ticket[T]]
    """What to run now, together; empty if there is nothing for this worker."""
    late: Sequence[Ticket[T]]
    """What can no longer be done in time; it does not wait any more."""


@dataclass(eq=False)
class _LaneQueue(Generic[T]):
    """One lane: those that go first, then callers by fair shares of the work.

    Fair queueing (Demers, Keshav and Shenker, SIGCOMM 1989): a clock tells how much work each
    caller would have had done by now, had all of them been served at once. Tickets go in the order
    in which they would be finished then. Whoever has had more than that waits for the clock; it
    runs on with all that is taken, so that ever new callers do not pass over anybody for ever.
    """

    first: deque[Ticket[T]] = field(default_factory=deque)
    callers: dict[Hashable, deque[Ticket[T]]] = field(default_factory=dict)
    starts_s: dict[Hashable, float] = field(default_factory=dict)
    """When the next ticket of a caller would be begun, on the clock."""
    clock_s: float = 0.0

    def __len__(self) -> int:
        return len(self.first) + sum(len(waiting) for waiting in self.callers.values())

    def __iter__(self) -> Iterator[Ticket[T]]:
        """All tickets in the order in which they are to be taken."""
        yield from list(self.first)
        yield from [ticket for _, ticket in self._by_finish()]

    def ahead_of(self, work_s: float) -> list[Ticket[T]]:
        """The tickets that go before so much work of a caller who comes now."""
        last_s = self.clock_s + work_s
        return [*self.first, *(ticket for at_s, ticket in self._by_finish() if at_s <= last_s)]

    def add(self, ticket: Ticket[T]) -> None:
        caller = ticket.caller
        if caller not in self.callers:
            self.callers[caller] = deque()
            self.starts_s[caller] = max(self.clock_s, self.starts_s.get(caller, 0.0))
        self.callers[caller].append(ticket)

    def remove(self, ticket: Ticket[T]) -> bool:
        """Removes it; says whether it was there."""
        if ticket in self.first:
            self.first.remove(ticket)
            return True
        waiting = self.callers.get(ticket.caller)
        if waiting is None or ticket not in waiting:
            return False
        waiting.remove(ticket)
        if not waiting:
            del self.callers[ticket.caller]
            self._forget(ticket.caller)
        return True

    def pop(self, ticket: Ticket[T]) -> None:
        """Removes one that is taken: its caller has had so much of its share."""
        share_s = ticket.work_s / max(1, len(self.callers))
        begun_s = self.starts_s.get(ticket.caller, self.clock_s)
        self.remove(ticket)
        self.starts_s[ticket.caller] = begun_s + ticket.work_s
        self.clock_s += share_s
        for caller in list(self.starts_s):
            self._forget(caller)

    def _forget(self, caller: Hashable) -> None:
        """Forgets a caller who is owed nothing and owes nothing."""
        if caller not in self.callers and self.starts_s[caller] <= self.clock_s:
            del self.starts_s[caller]

    def _by_finish(self) -> list[tuple[float, Ticket[T]]]:
        finishes: list[tuple[float, Ticket[T]]] = []
        for caller, waiting in self.callers.items():
            at_s = self.starts_s[caller]
            for ticket in waiting:
                at_s += ticket.work_s
                finishes.append((at_s, ticket))
        return sorted(finishes, key=itemgetter(0))


class Schedule(Generic[T]):
    """Tickets that wait, and a count of what runs."""

    def __init__(self, bound: int, workers: int = 1) -> None:
        """Makes an empty queue.

        Args:
            bound: most tickets that may wait, over all lanes.
            workers: how many batches may run at once, over all models.
        """
        self._bound = bound
        self._workers = workers
        self._lanes: dict[Lane, _LaneQueue[T]] = {lane: _LaneQueue() for lane in Lane}
        self._in_a_row = 0
        self._live_s = -math.inf
        self._running: Counter[str] = Counter()
        self._running_bulk = 0

    def __len__(self) -> int:
        """Tickets that wait."""
        return sum(len(lane) for lane in self._lanes.values())

    def waiting(self, *lanes: Lane) -> Iterator[Ticket[T]]:
        """Tickets that wait in these lanes, in no order that matters."""
        for lane in lanes:
            yield from self._lanes[lane]

    def ahead(self, work_s: float) -> Iterator[Ticket[T]]:
        """Tickets that go before so much bulk work of a caller who comes now."""
        yield from self.waiting(Lane.LIVE, Lane.PARTIAL)
        yield from self._lanes[Lane.BULK].ahead_of(work_s)

    def offer(self, ticket: Ticket[T], now_s: float) -> Offer[T]:
        """Takes a ticket in, or says that there is no room.

        A partial is taken in only if no other work waits: under load it is the first to go.
        """
        if ticket.lane is not Lane.BULK:
            self._live_s = now_s
        superseded = self._remove_turn(ticket)
        dropped = self._make_room(ticket)
        taken = self._has_room(ticket)
        if taken:
            self._lanes[ticket.lane].add(ticket)
        return Offer(taken, superseded, dropped)

    def put_first(self, ticket: Ticket[T]) -> None:
        """Puts a ticket that was taken back in front of its lane, whatever the bound."""
        self._lanes[ticket.lane].first.append(ticket)

    def discard(self, ticket: Ticket[T]) -> None:
        """Removes one that nobody waits for any more; does nothing if it has been taken."""
        self._lanes[ticket.lane].remove(ticket)

    def take(self, now_s: float, needed_s: Callable[[Ticket[T]], float] | None = None) -> Taken[T]:
        """The next batch, and whatever was met that is too late; `done` must follow.

        Args:
            now_s: the time, on the clock of the deadlines.
            needed_s: what a job takes at the least, in seconds; nothing if it is None.
        """
        late = [
            ticket
            for ticket in self.waiting(*Lane)
            if ticket.deadline_s < now_s + (needed_s(ticket) if needed_s else 0.0)
        ]
        for ticket in late:
            self.discard(ticket)
        head = self._head(now_s)
        if head is None:
            return Taken((), late)
        bulk_waits = any(t.key is not None for t in self._lanes[Lane.BULK])
        passed_over = head.lane is not Lane.BULK and bulk_waits
        self._in_a_row = self._in_a_row + 1 if passed_over else 0
        batch = self._mates(head, now_s)
        for ticket in batch:
            self._lanes[ticket.lane].pop(ticket)
        self._running[head.model] += 1
        self._running_bulk += head.lane is Lane.BULK
        return Taken(batch, late)

    def done(self, batch: Sequence[Ticket[T]]) -> None:
        """A batch that was taken runs no more."""
        self._running[batch[0].model] -= 1
        self._running_bulk -= batch[0].lane is Lane.BULK

    def _remove_turn(self, newer: Ticket[T]) -> tuple[Ticket[T], ...]:
        if newer.turn is None:
            return ()
        # A partial says less than words at a pause, so it takes no place but a partial's.
        lanes = (Lane.PARTIAL,) if newer.lane is Lane.PARTIAL else tuple(Lane)
        older = tuple(ticket for ticket in self.waiting(*lanes) if ticket.turn == newer.turn)
        for ticket in older:
            self.discard(ticket)
        return older

    def _make_room(self, ticket: Ticket[T]) -> tuple[Ticket[T], ...]:
        partials = list(self._lanes[Lane.PARTIAL])
        if ticket.lane is Lane.PARTIAL or not partials or len(self) < self._bound:
            return ()
        self.discard(partials[-1])
        return (partials[-1],)

    def _has_room(self, ticket: Ticket[T]) -> bool:
        if len(self) >= self._bound:
            return False
        if ticket.lane is Lane.PARTIAL:
            partials = len(self._lanes[Lane.PARTIAL])
            return partials == len(self) and partials < ticket.most
        most_bulk = max(1, int(self._bound * _BULK_SHARE))
        return ticket.lane is Lane.LIVE or len(self._lanes[Lane.BULK]) < most_bulk

    def _head(self, now_s: float) -> Ticket[T] | None:
        heads = {lane: self._first_of(lane, now_s) for lane in Lane}
        if self._in_a_row >= _LIVE_IN_A_ROW and heads[Lane.BULK] is not None:
            return heads[Lane.BULK]
        return next((heads[lane] for lane in Lane if heads[lane] is not None), None)

    def _first_of(self, lane: Lane, now_s: float) -> Ticket[T] | None:
        """The first ticket of a lane that may run now."""
        spared = self._workers - 1 if self._is_live(now_s) else self._workers
        if lane is Lane.BULK and self._running_bulk >= max(1, spared):
            return None
        return next((t for t in self._lanes[lane] if self._can_run(t)), None)

    def _can_run(self, ticket: Ticket[T]) -> bool:
        return ticket.key is not None and self._running[ticket.model] < ticket.workers

    def _mates(self, head: Ticket[T], now_s: float) -> list[Ticket[T]]:
        """The batch of `head`: itself and others with its key, by turns, live ones first."""
        lanes = (Lane.LIVE, Lane.BULK) if head.lane is Lane.BULK else (head.lane,)
        alike = [t for t in self.waiting(*lanes) if t.key == head.key and t.model == head.model]
        share = max(_SHARED, math.ceil(len(alike) / min(self._workers, head.workers)))
        most = head.most
        if head.lane is Lane.BULK and self._is_live(now_s):
            most = max(1, most // _SMALL_SHARE)
        elif head.lane is Lane.BULK and len(self._lanes[Lane.BULK].callers) > 1:
            most = min(most, max(1, int(_HALF_WHOLE_S * most / max(head.work_s, 1.0))))
        mates = [ticket for ticket in alike if ticket is not head]
        return [head, *mates[: min(share, most) - 1]]

    def _is_live(self, now_s: float) -> bool:
        return now_s - self._live_s < _LIVE_FOR_S
