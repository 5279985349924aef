"""Switches for what goes wrong with REST: slow, limited, failing, broken off."""

from __future__ import annotations

from collections import defaultdict, deque
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ("Limited", "RestFaults", "Trouble")

_BUCKET, _WINDOW_S = 5, 5.0


@dataclass(frozen=True, slots=True)
class Limited:
    """A request comes too soon."""

    retry_after_s: float
    is_global: bool = False


@dataclass(slots=True)
class Trouble:
    """Something that will go wrong with requests of one kind."""

    pattern: str
    times: int
    limited: Limited | None = None
    status: int = 0
    """HTTP status to fail with; 0 breaks the connection off."""


@dataclass
class RestFaults:
    """What goes wrong from now on. Patterns match `METHOD /path`, such as `POST */messages`.

    The path is the route's, with names in braces (`/channels/{channel_id}/messages`), and `*`
    stands for anything.
    """

    delay_s: float = 0.0
    """Seconds that every request takes at least."""

    enforces_limits: bool = False
    """Whether each route allows five requests in five seconds for each channel, guild or token,
    and says so in its headers, as Discord does for messages."""

    _troubles: list[Trouble] = field(default_factory=list)
    _delays: dict[str, float] = field(default_factory=dict)
    _seen: dict[str, deque[float]] = field(
        default_factory=lambda: defaultdict(lambda: deque(maxlen=_BUCKET))
    )

    def slow(self, pattern: str, delay_s: float) -> None:
        """Let requests of a kind take at least so long; 0 ends that."""
        self._delays[pattern] = delay_s

    def limit(
        self, pattern: str, *, retry_after_s: float, times: int = 1, is_global: bool = False
    ) -> None:
        """Answer the next requests of a kind with 429."""
        limited = Limited(retry_after_s, is_global)
        self._troubles.append(Trouble(pattern, times, limited))

    def fail(self, pattern: str, *, status: int = 500, times: int = 1) -> None:
        """Answer the next requests of a kind with an error of Discord's own, 500 or above."""
        self._troubles.append(Trouble(pattern, times, status=status))

    def break_off(self, pattern: str, *, times: int = 1) -> None:
        """Close the connection of the next requests of a kind without an answer."""
        self._troubles.append(Trouble(pattern, times))

    def clear(self) -> None:
        """End all of it."""
        self.delay_s = 0.0
        self.enforces_limits = False
        self._troubles.clear()
        self._delays.clear()

    def delay_of(self, route: str) -> float:
        """Return how long a request must take at least, in seconds."""
        found = [delay for pattern, delay in self._delays.items() if fnmatchcase(route, pattern)]
        return max([self.delay_s, *found])

    def next_trouble(self, route: str) -> Trouble | None:
        """Return what goes wrong with this request, and count it."""
        for trouble in self._troubles:
            if trouble.times > 0 and fnmatchcase(route, trouble.pattern):
                trouble.times -= 1
                return trouble
        return None

    def counted(self, bucket: str, clock: Callable[[], float]) -> tuple[int, float]:
        """Count a request and return how many remain and in how many seconds the limit resets.

        -1 remain if this one is too many.
        """
        now, seen = clock(), self._seen[bucket]
        while seen and now - seen[0] >= _WINDOW_S:
            seen.popleft()
        if len(seen) == _BUCKET:
            return -1, _WINDOW_S - (now - seen[0])
        seen.append(now)
        return _BUCKET - len(seen), _WINDOW_S - (now - seen[0])
