"""Who is in a voice channel, and who of them is listened to. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from voicemesh_bot.conversation.events import Arrived, Departed

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ("Attendance", "AttendanceChange", "Attendant")


@dataclass(frozen=True, slots=True)
class Attendant:
    """Somebody in the channel, other than this bot."""

    name: str
    """What they are called in the guild."""

    is_bot: bool
    """Whether it is another bot."""

    is_heard: bool
    """Whether they are to be listened to: they agreed, and the bot listens at all."""

    language_code: str = ""
    """BCP-47 code of what they speak; empty if nobody said."""


@dataclass(frozen=True, slots=True)
class AttendanceChange:
    """What is to be done, in this order."""

    close: tuple[int, ...]
    """Who is not to be heard any more."""

    events: tuple[Arrived | Departed, ...]
    """What the conversation is to know."""

    open: tuple[tuple[int, str], ...]
    """Who is to be heard from now on, or in another language."""


class Attendance:
    """The people of one room."""

    def __init__(self) -> None:
        self._present: dict[int, Attendant] = {}

    @property
    def user_ids(self) -> tuple[int, ...]:
        """Who is there."""
        return tuple(self._present)

    @property
    def heard(self) -> frozenset[int]:
        """Who is to be listened to."""
        return frozenset(id_ for id_, present in self._present.items() if present.is_heard)

    @property
    def people(self) -> int:
        """How many are there, bots not among them."""
        return sum(not present.is_bot for present in self._present.values())

    def arrivals(self) -> tuple[Arrived, ...]:
        """Everybody, as they would be told to somebody who knows of nobody."""
        return tuple(_arrived(user_id, present) for user_id, present in self._present.items())

    def update(self, present: Mapping[int, Attendant]) -> AttendanceChange:
        """Takes in who is there now."""
        before, self._present = self._present, dict(present)
        events: list[Arrived | Departed] = [
            Departed(str(user_id)) for user_id in before if user_id not in present
        ]
        for user_id, now in present.items():
            then = before.get(user_id)
            if then is None or (then.name, then.is_bot) != (now.name, now.is_bot):
                events.append(_arrived(user_id, now))
        return AttendanceChange(
            close=tuple(
                user_id
                for user_id, then in before.items()
                if then.is_heard and (user_id not in present or not present[user_id].is_heard)
            ),
            events=tuple(events),
            open=tuple(
                (user_id, now.language_code)
                for user_id, now in present.items()
                if now.is_heard and not _is_heard_so(before.get(user_id), now)
            ),
        )


def _arrived(user_id: int, present: Attendant) -> Arrived:
    return Arrived(str(user_id), present.name, is_bot=present.is_bot)


def _is_heard_so(then: Attendant | None, now: Attendant) -> bool:
    return then is not None and then.is_heard and then.language_code == now.language_code
