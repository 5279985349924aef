"""A room in virtual time: say what happens and when, see what the conversation wants done."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import pytest

from voicemesh_bot.conversation import Conversation, ConversationOptions
from voicemesh_bot.conversation.commands import BeginReply
from voicemesh_bot.conversation.events import (
    Arrived,
    Heard,
    Played,
    ReplyProgress,
    Tick,
    Typed,
    VoiceFinished,
    VoiceProgress,
)
from voicemesh_bot.domain import (
    Final,
    ModelFinished,
    ModelText,
    Partial,
    SoftFinal,
    SpeechStarted,
    TurnResumed,
    VoiceAudio,
)

if TYPE_CHECKING:
    from voicemesh_bot.conversation.commands import Command
    from voicemesh_bot.conversation.events import Event
    from voicemesh_bot.domain import HistoryTurn, ListeningEvent

C = TypeVar("C")


class Room:
    """A conversation and its clock; every method returns the commands it caused."""

    def __init__(self, *people: str, **options: Any) -> None:
        self.conversation = Conversation(ConversationOptions(**options))
        self.now_s = 100.0
        self.log: list[Command] = []
        self._spoken_characters: dict[int, int] = {}
        for person in people:
            self.arrive(person)

    def arrive(self, speaker: str, **about: Any) -> list[Command]:
        """A person comes in; their name is their id in capitals."""
        return self.do(Arrived(speaker, speaker.title(), **about))

    def do(self, event: Event) -> list[Command]:
        commands = self.conversation.handle(event, self.now_s)
        self.log += commands
        return commands

    def wait(self, seconds: float) -> list[Command]:
        """Lets time pass, with a tick wherever the conversation asks for one."""
        end_s, commands = self.now_s + seconds, []
        while (due := self.conversation.deadline_s) is not None and due <= end_s:
            self.now_s = max(self.now_s, due)
            commands += self.do(Tick())
        self.now_s = end_s
        return commands

    def write(self, text: str, speaker: str = "ann") -> list[Command]:
        return self.do(Typed(speaker, text))

    def start(self, turn: int = 1, speaker: str = "ann") -> list[Command]:
        return self._hear(SpeechStarted(turn), speaker)

    def partial(
        self, stable: str, turn: int = 1, revision: int = 0, speaker: str = "ann"
    ) -> list[Command]:
        return self._hear(Partial(turn, revision, stable, ""), speaker)

    def soft(
        self, text: str, turn: int = 1, revision: int = 1, speaker: str = "ann"
    ) -> list[Command]:
        return self._hear(SoftFinal(turn, revision, text), speaker)

    def resume(self, turn: int = 1, revision: int = 1, speaker: str = "ann") -> list[Command]:
        return self._hear(TurnResumed(turn, revision), speaker)

    def final(
        self, text: str, turn: int = 1, revision: int = 1, speaker: str = "ann", late_s: float = 0.0
    ) -> list[Command]:
        return self._hear(Final(turn, revision, text, late_s), speaker)

    def say(self, text: str, turn: int, speaker: str = "ann") -> list[Command]:
        """A whole turn, which nobody guessed before it was over."""
        return self.start(turn, speaker) + self.final(text, turn, 0, speaker)

    def model(self, text: str, reply: int | None = None, *, done: bool = False) -> list[Command]:
        reply = self.reply_id if reply is None else reply
        commands = self.do(ReplyProgress(reply, ModelText(text))) if text else []
        return commands + (self.do(ReplyProgress(reply, ModelFinished())) if done else [])

    def voice(self, text: str, seconds: float, *, done: bool = False) -> list[Command]:
        """Sound of the next `text` of the current reply."""
        reply = self.reply_id
        start = self._spoken_characters.get(reply, 0)
        self._spoken_characters[reply] = start + len(text)
        audio = VoiceAudio(b"\0\0", 24_000, seconds, (start, start + len(text)), clause_end=True)
        commands = self.do(VoiceProgress(reply, audio))
        return commands + (self.do(VoiceFinished(reply)) if done else [])

    def played(self, seconds: float, reply: int | None = None) -> list[Command]:
        return self.do(Played(self.reply_id if reply is None else reply, seconds))

    def answer(self, text: str, seconds: float) -> list[Command]:
        """The model's and the voice's whole work for the current reply."""
        return self.model(text, done=True) + self.voice(text, seconds, done=True)

    def speak(self, text: str, seconds: float, played_s: float) -> list[Command]:
        """An answer of which some has been played."""
        return self.answer(text, seconds) + self.played(played_s)

    def seen(self, kind: type[C]) -> list[C]:
        """All commands of one kind so far, oldest first."""
        return [command for command in self.log if isinstance(command, kind)]

    @property
    def reply_id(self) -> int:
        """The newest answer."""
        return [c.reply_id for c in self.log if isinstance(c, BeginReply)][-1]

    @property
    def history(self) -> list[str]:
        return [_line(turn) for turn in self.conversation.history]

    def asked(self, reply: int | None = None) -> list[str]:
        """The history that the model was given for an answer."""
        wanted = self.reply_id if reply is None else reply
        begun = [c for c in self.log if isinstance(c, BeginReply) and c.reply_id == wanted]
        return [_line(turn) for turn in begun[0].history]

    def _hear(self, event: ListeningEvent, speaker: str) -> list[Command]:
        return self.do(Heard(speaker, event))


def _line(turn: HistoryTurn) -> str:
    return f"{turn.speaker or 'bot'}: {turn.text}"


@pytest.fixture
def room() -> Room:
    return Room()


@pytest.fixture
def make_room() -> type[Room]:
    """For a room with options of its own."""
    return Room
