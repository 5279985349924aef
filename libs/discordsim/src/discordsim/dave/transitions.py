"""Who still has to get ready before everybody switches to other keys, or to none.

Pure. Source: DAVE whitepaper, "Protocol Transitions": the server prepares a transition, waits until
all have answered that they are ready (opcode 23), and lets all execute it (opcode 22).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ("Transition", "Transitions")

_LAST_ID = 0xFFFF


@dataclass(frozen=True, slots=True)
class Transition:
    """A change that is prepared and not executed."""

    id: int
    """1 to 65535; 0 is Discord's own for what needs no preparation."""
    protocol_version: int
    """The version of DAVE after it; 0 is no encryption."""
    users: tuple[int, ...]
    """Who takes part."""
    waiting: frozenset[int]
    """Who is not ready yet."""


class Transitions:
    """The transitions of one call."""

    def __init__(self) -> None:
        """Start with none; ids grow from 1."""
        self._next_id = 1
        self._pending: dict[int, Transition] = {}

    @property
    def pending(self) -> tuple[Transition, ...]:
        """Those that are not executed."""
        return tuple(self._pending.values())

    def prepare(self, users: Iterable[int], protocol_version: int) -> Transition:
        """Begin a transition.

        Args:
            users: who takes part.
            protocol_version: the version of DAVE after it.
        """
        members = tuple(users)
        made = Transition(self._next_id, protocol_version, members, frozenset(members))
        self._next_id = self._next_id % _LAST_ID + 1
        self._pending[made.id] = made
        return made

    def ready(self, user_id: int, transition_id: int) -> Transition | None:
        """Note that somebody is ready; return the transition if all are."""
        transition = self._pending.get(transition_id)
        if transition is None:
            return None
        left = replace(transition, waiting=transition.waiting - {user_id})
        self._pending[transition_id] = left
        return self.expire(transition_id) if not left.waiting else None

    def forget(self, user_id: int) -> list[Transition]:
        """Wait for somebody no longer; return the transitions that only they held up."""
        found = [self.ready(user_id, each.id) for each in self.pending]
        return [each for each in found if each is not None]

    def expire(self, transition_id: int) -> Transition | None:
        """Wait for nobody any longer; return the transition, if it was not executed before."""
        return self._pending.pop(transition_id, None)
