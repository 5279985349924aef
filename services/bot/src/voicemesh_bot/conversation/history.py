"""What has been said and heard, in order, as the language model is told it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from voicemesh_bot.domain import HistoryTurn, Role

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ("History", "Question")

_PLACES = 2
"""Empty places that are kept: for the newest answer and for the one that was cut before it."""


@dataclass(frozen=True, slots=True)
class Question:
    """What a person wants to be answered."""

    message_id: int
    """Number of the message; 0 while it is only a guess."""

    speaker: str
    """Id of the person."""

    turn: HistoryTurn
    """What they said, as the history has it."""


@dataclass(slots=True)
class _Entry:
    turn: HistoryTurn
    message_id: int = 0
    reply_id: int = 0


class History:
    """The turns of a conversation, bounded.

    The assistant's words are written by what the player reports, not by what the model wrote, so
    the model never believes to have said what nobody heard. They stand where the answer began, so
    that what people said meanwhile comes after them.
    """

    def __init__(self, *, max_turns: int = 100) -> None:
        self._max_turns = max_turns
        self._entries: list[_Entry] = []

    @property
    def turns(self) -> tuple[HistoryTurn, ...]:
        """All turns, oldest first."""
        return tuple(each.turn for each in self._entries if each.turn.text)[-self._max_turns :]

    def asking(self, questions: Iterable[Question]) -> tuple[HistoryTurn, ...]:
        """All turns with these questions last, as the model is to answer them."""
        asked = tuple(questions)
        ids = {question.message_id for question in asked}
        before = (
            each.turn
            for each in self._entries
            if each.turn.text and not (each.message_id and each.message_id in ids)
        )
        return (*before, *(question.turn for question in asked))[-self._max_turns :]

    def set_bound(self, max_turns: int) -> None:
        """Forgets all but the newest `max_turns` turns, from now on."""
        self._max_turns = max_turns
        self._trim()

    def add_message(self, turn: HistoryTurn, message_id: int) -> None:
        """Appends what a person said or wrote."""
        self._append(_Entry(turn, message_id=message_id))

    def hold_place(self, reply_id: int) -> None:
        """Keeps a place for the heard part of an answer that begins now."""
        self._append(_Entry(HistoryTurn(Role.ASSISTANT, ""), reply_id=reply_id))

    def set_reply(self, reply_id: int, heard_text: str) -> None:
        """Writes the heard part of an answer into its place; empty if nothing was heard."""
        for entry in self._entries:
            if entry.reply_id == reply_id:
                entry.turn = HistoryTurn(Role.ASSISTANT, heard_text)

    def _append(self, entry: _Entry) -> None:
        self._entries.append(entry)
        self._trim()

    def _trim(self) -> None:
        places = [entry for entry in self._entries if not entry.turn.text]
        for place in places[:-_PLACES]:
            self._entries.remove(place)
        # A place that is kept does not cost a turn.
        kept = min(len(places), _PLACES)
        del self._entries[: -self._max_turns - kept]
