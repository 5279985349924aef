"""Whether a person speaks to the bot, among several people.

With one person everything is for the bot. Among several it is what begins or ends with a name of
the bot, what follows an answer to the same person soon, and what follows a question of the bot.
Names are compared exactly, letter by letter: a name that is nearly right is somebody else's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from voicemesh_bot.conversation.words import words_of
from voicemesh_bot.domain import Address

if TYPE_CHECKING:
    from collections.abc import Iterable

    from voicemesh_bot.conversation.options import ConversationOptions
    from voicemesh_bot.conversation.phrases import Phrases

__all__ = ("Attention", "is_question", "letters_of", "without_name")

_MOST_CALLS = 3
"""Words before or after a name that may be in its way, as in "oh hey there Max"."""

_QUESTION_MARKS = ("?", "？", "؟")
_CLOSING = "\"'”’»)]* \n"


def is_question(text: str) -> bool:
    """Whether a text ends with a question."""
    return text.rstrip(_CLOSING).endswith(_QUESTION_MARKS)


def without_name(
    words: tuple[str, ...], names: frozenset[str], phrases: Phrases, *, whole: bool = True
) -> tuple[str, ...] | None:
    """What is said besides a name at the start or end; None if there is no name there.

    Args:
        words: as `words_of` gives them.
        names: letters without spaces, so that "voice mesh" is found as "voicemesh".
        phrases: what may stand around a name.
        whole: False if more words may follow, so that only the start is certain.
    """
    if not names:
        return None
    for start in range(min(_MOST_CALLS, len(words)) + 1):
        if length := _name_length(words[start:], names):
            return words[start + length :]
        if start < len(words) and words[start] not in phrases.calls:
            break
    if not whole:
        return None
    backwards = words[::-1]
    for end in range(min(_MOST_CALLS, len(words)) + 1):
        length = _name_length(backwards[end:], names, reverse=True)
        before = backwards[end + length : end + length + 1]
        if length and not phrases.articles.issuperset(before or ("",)):
            return words[: len(words) - end - length]
        if length or (end < len(words) and backwards[end] not in phrases.courtesies):
            break
    return None


def _name_length(words: tuple[str, ...], names: frozenset[str], *, reverse: bool = False) -> int:
    """How many words from the first on are one of the names; 0 if they are none."""
    longest = max(map(len, names))
    letters = ""
    for count, word in enumerate(words, 1):
        letters = word + letters if reverse else letters + word
        if letters in names:
            return count
        if len(letters) >= longest:
            return 0
    return 0


def letters_of(names: Iterable[str]) -> frozenset[str]:
    """Names as letters without spaces; those without any letter are left out."""
    return frozenset("".join(words_of(name)) for name in names) - {""}


@dataclass(frozen=True, slots=True)
class _Answered:
    """The bot's last answer."""

    speakers: frozenset[str]
    ended_at_s: float
    text: str


class Attention:
    """Remembers to whom the bot spoke last, and says whether what is heard goes on with that."""

    def __init__(self) -> None:
        self._last: _Answered | None = None
        self._is_over = False

    def note_answer(self, speakers: Iterable[str], heard_text: str, now_s: float) -> None:
        """Notes that an answer to these people has ended, and what was heard of it."""
        self._last = _Answered(frozenset(speakers), now_s, heard_text)
        self._is_over = False

    def note_aside(self, began_s: float) -> None:
        """Notes that somebody began to speak to another person, who may reply to that next."""
        if self._last is not None and began_s >= self._last.ended_at_s:
            self._is_over = True

    def overlapped(self, began_s: float) -> str:
        """The bot's last answer if it was still being given at that time, else nothing."""
        last = self._last
        return last.text if last is not None and began_s < last.ended_at_s else ""

    def reason(self, speaker: str, began_s: float, options: ConversationOptions) -> Address | None:
        """Why words that began to be said at `began_s` go on with the last answer, if they do."""
        last = self._last
        if last is None or self._is_over:
            return None
        since_s = began_s - last.ended_at_s
        if is_question(last.text) and since_s <= options.answer_s:
            return Address.ANSWER
        if speaker in last.speakers and since_s <= options.follow_up_s:
            return Address.FOLLOW_UP
        return None
