"""What has been said and heard, in order, as the language model is told it."""

from __future__ import annotations

import re
import unicodedata

from voicemesh_bot.domain import HistoryTurn, Role

__all__ = ("History", "same_words")

_NOT_A_WORD = re.compile(r"[^\w]+")


def same_words(first: str, second: str) -> bool:
    """Whether two transcripts say the same, case, punctuation and spacing aside."""
    return _words(first) == _words(second)


def _words(text: str) -> str:
    plain = unicodedata.normalize("NFKC", text).casefold().replace("'", "").replace("’", "")
    return _NOT_A_WORD.sub(" ", plain).strip()


class History:
    """The turns of a conversation, bounded.

    The assistant's words are written by what the player reports, not by what the model wrote, so
    the model never believes to have said what nobody heard.
    """

    def __init__(self, *, max_turns: int = 100) -> None:
        self._max_turns = max_turns
        self._turns: list[tuple[HistoryTurn, int]] = []

    @property
    def turns(self) -> tuple[HistoryTurn, ...]:
        """All turns, oldest first."""
        return tuple(turn for turn, _ in self._turns if turn.text)[-self._max_turns :]

    @property
    def is_unanswered(self) -> bool:
        """Whether the last word was a person's."""
        turns = self.turns
        return bool(turns) and turns[-1].role is Role.USER

    def add_message(self, speaker: str, text: str) -> None:
        """Appends what a person said or wrote."""
        self._append(HistoryTurn(Role.USER, text, speaker), 0)

    def add_reply(self, reply_id: int, heard_text: str) -> None:
        """Appends the heard part of an answer; if it is empty, only its place is kept."""
        self._turns = [(turn, number) for turn, number in self._turns if turn.text]
        self._append(HistoryTurn(Role.ASSISTANT, heard_text), reply_id)

    def amend_reply(self, reply_id: int, heard_text: str) -> None:
        """Corrects the heard part of an answer once the player's last report is in."""
        for index, (turn, number) in enumerate(self._turns):
            if number == reply_id and turn.role is Role.ASSISTANT:
                self._turns[index] = (HistoryTurn(Role.ASSISTANT, heard_text), reply_id)

    def _append(self, turn: HistoryTurn, reply_id: int) -> None:
        self._turns.append((turn, reply_id))
        # One more than is told: a place that is kept does not cost a turn.
        del self._turns[: -self._max_turns - 1]
