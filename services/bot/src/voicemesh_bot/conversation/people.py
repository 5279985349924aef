"""Who is in the room, by id, and what they are called."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from voicemesh_bot.conversation.words import words_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from voicemesh_bot.conversation.events import Arrived

__all__ = ("People",)

_LEAST_LETTERS = 3
"""Letters of a first name that is looked for in what is said; shorter ones are words too often."""


@dataclass(frozen=True, slots=True)
class _Person:
    name: str
    is_bot: bool = False
    may_interrupt: bool = True


class People:
    """The people of a room; whoever speaks without having arrived is taken in as they speak."""

    def __init__(self) -> None:
        self._people: dict[str, _Person] = {}

    @property
    def count(self) -> int:
        """People present, bots not among them."""
        return sum(1 for _ in self._present())

    def arrive(self, event: Arrived) -> None:
        """Takes a person in, or their new name and rights."""
        name = self._distinct(event.speaker, event.name.strip() or event.speaker)
        self._people[event.speaker] = _Person(name, event.is_bot, event.may_interrupt)

    def depart(self, speaker: str) -> None:
        """Notes that a person has left; what they said keeps its name."""
        self._people.pop(speaker, None)

    def meet(self, speaker: str) -> None:
        """Makes sure that a person who is heard is known."""
        self._people.setdefault(speaker, _Person(speaker))

    def name(self, speaker: str) -> str:
        """What a person is called; two of the same name are told apart by a number."""
        person = self._people.get(speaker)
        return speaker if person is None else person.name

    def is_bot(self, speaker: str) -> bool:
        """Whether that is a bot."""
        person = self._people.get(speaker)
        return person is not None and person.is_bot

    def may_interrupt(self, speaker: str) -> bool:
        """Whether a person may interrupt answers to others."""
        person = self._people.get(speaker)
        return person is None or person.may_interrupt

    def names_of_others(self, speaker: str) -> frozenset[str]:
        """What everybody else is called, as letters without spaces: whole names and first names."""
        names: set[str] = set()
        for other, person in self._present():
            words = words_of(person.name)
            if other == speaker or not words:
                continue
            names.add("".join(words))
            if len(words[0]) >= _LEAST_LETTERS:
                names.add(words[0])
        return frozenset(names)

    def _present(self) -> Iterator[tuple[str, _Person]]:
        return ((id_, person) for id_, person in self._people.items() if not person.is_bot)

    def _distinct(self, speaker: str, name: str) -> str:
        taken = {person.name for id_, person in self._people.items() if id_ != speaker}
        number, distinct = 1, name
        while distinct in taken:
            number += 1
            distinct = f"{name} ({number})"
        return distinct
