"""What the people of a voice room hear and read of its conversation.

Answers are spoken. What was asked in writing and cannot be spoken is written where it was asked;
what failed is told in one sentence.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from voicemesh_bot.conversation.commands import (
    Outcome,
    PlayAudio,
    ShowMessage,
    ShowNotice,
    ShowReplyEnd,
    ShowReplyStart,
    ShowReplyText,
)
from voicemesh_bot.conversation.events import VoiceFailed
from voicemesh_bot.discord_front.rooms.herald import Letter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from discord.abc import Messageable

    from voicemesh_bot.conversation.commands import Command, FrontCommand
    from voicemesh_bot.conversation.events import Event
    from voicemesh_bot.discord_front.rooms.herald import Herald
    from voicemesh_bot.discord_front.spoken import SpokenAnswers

__all__ = ("RoomAudience",)

_MOST_REMEMBERED = 64


@dataclass(slots=True)
class _Answer:
    channel: Messageable | None
    text: str = ""
    has_sound: bool = False
    lost_voice: bool = False


class RoomAudience:
    """`ports.Audience` of a voice room, and an `Observer` of its session."""

    def __init__(self, spoken: SpokenAnswers, herald: Herald) -> None:
        """Takes what speaks, and what tells everything else."""
        self._spoken = spoken
        self._herald = herald
        self._asked: OrderedDict[str, Messageable] = OrderedDict()
        self._messages: OrderedDict[int, Messageable] = OrderedDict()
        self._answers: dict[int, _Answer] = {}

    def note_question(self, speaker: str, channel: Messageable) -> None:
        """Notes where somebody is about to ask in writing."""
        self._asked[speaker] = channel
        _shorten(self._asked)

    def note(self, event: Event, commands: Sequence[Command], now_s: float) -> None:
        """See `ports.Observer.note`."""
        self._spoken.note(event, commands, now_s)
        if isinstance(event, VoiceFailed) and (answer := self._answers.get(event.reply_id)):
            answer.lost_voice = True

    async def deliver(self, command: FrontCommand) -> None:
        """Carries a command out; never waits."""
        self._spoken.carry_out(command)
        match command:
            case ShowMessage(spoken=False):
                if (channel := self._asked.get(command.speaker)) is not None:
                    self._messages[command.message_id] = channel
                    _shorten(self._messages)
            case ShowReplyStart():
                asked = (self._messages.pop(number, None) for number in command.message_ids)
                channel = next((each for each in asked if each is not None), None)
                self._answers[command.reply_id] = _Answer(channel)
            case ShowReplyText():
                if answer := self._answers.get(command.reply_id):
                    answer.text += command.text
            case PlayAudio():
                if answer := self._answers.get(command.reply_id):
                    answer.has_sound = True
            case ShowReplyEnd():
                self._end(command, self._answers.pop(command.reply_id, None))
            case ShowNotice():
                self._herald.tell(command.sentence)
            case _:
                pass

    def _end(self, command: ShowReplyEnd, answer: _Answer | None) -> None:
        if answer is None:
            return
        channel = answer.channel or self._herald.channel
        was_told = command.outcome in {Outcome.COMPLETE, Outcome.FAILED}
        if was_told and answer.text.strip() and (answer.lost_voice or not answer.has_sound):
            self._herald.write(Letter(channel, answer.text))
        if command.sentence:
            self._herald.write(Letter(channel, command.sentence))
            self._herald.say(command.sentence)


def _shorten(kept: OrderedDict[str, Messageable] | OrderedDict[int, Messageable]) -> None:
    while len(kept) > _MOST_REMEMBERED:
        kept.popitem(last=False)
