"""Whose audio a source is, by the messages of the voice gateway.

Opcode 5 says it; opcode 12, which Discord documents nowhere, says it for people with a camera;
opcode 11 names people without their source; opcode 13 says who has left. Where none of them comes,
the end-to-end encryption tells: a frame that decrypts with one member's key is that member's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ("SpeakerDirectory",)

_MOST_SOURCES = 1000


class SpeakerDirectory:
    """Sources and users of one voice session. Users need not be known otherwise."""

    def __init__(self) -> None:
        """Know nobody."""
        self._user_of: dict[int, int] = {}
        self._source_of: dict[int, int] = {}

    def bind(self, ssrc: int, user_id: int) -> tuple[int, ...]:
        """Notes that a source is a user's.

        Returns:
            Sources that are no longer what they were: the user's former one, and this one if it was
            somebody else's.
        """
        stale: list[int] = []
        former_user = self._user_of.get(ssrc)
        if former_user == user_id:
            return ()
        if former_user is not None:
            del self._source_of[former_user]
            stale.append(ssrc)
        former_source = self._source_of.pop(user_id, None)
        if former_source is not None:
            del self._user_of[former_source]
            stale.append(former_source)
        if len(self._user_of) >= _MOST_SOURCES:
            oldest = next(iter(self._user_of))
            stale += self.remove(self._user_of[oldest])
        self._user_of[ssrc] = user_id
        self._source_of[user_id] = ssrc
        return tuple(stale)

    def remove(self, user_id: int) -> tuple[int, ...]:
        """Forgets a user.

        Returns:
            The source that was theirs, if any.
        """
        ssrc = self._source_of.pop(user_id, None)
        if ssrc is None:
            return ()
        del self._user_of[ssrc]
        return (ssrc,)

    def clear(self) -> None:
        """Forgets all: another channel, or another server."""
        self._user_of.clear()
        self._source_of.clear()

    def user_of(self, ssrc: int) -> int | None:
        """Whose a source is; None while nobody said so."""
        return self._user_of.get(ssrc)

    def without_source(self, user_ids: Iterable[int]) -> tuple[int, ...]:
        """Those of `user_ids` whose source nobody has named."""
        return tuple(each for each in user_ids if each not in self._source_of)
