"""The spoken half of a conversation on Discord: its commands about sound, and what was heard."""

from __future__ import annotations

from typing import TYPE_CHECKING

from voicemesh_bot.conversation.commands import (
    BeginReply,
    DuckAudio,
    EndAudio,
    PauseAudio,
    PlayAudio,
    ResumeAudio,
    ShowReplyEnd,
    ShowReplyStart,
    StopAudio,
)
from voicemesh_bot.conversation.events import Played
from voicemesh_bot.voice.frames import PassageId, PassageKind

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from voicemesh_bot.conversation.commands import Command, FrontCommand
    from voicemesh_bot.conversation.events import Event
    from voicemesh_bot.voice.loudspeaker import Loudspeaker

__all__ = ("SpokenAnswers",)


class SpokenAnswers:
    """Plays a conversation's answers and reports, exactly, how much of them was sent.

    It is also the `ports.Observer` of the session: an answer is begun some tenths of a second
    before it can be heard, and in them the line is opened and its first silence passes.
    """

    def __init__(self, loudspeaker: Loudspeaker) -> None:
        """Play by `loudspeaker`, whose progress nobody else may take."""
        self._loudspeaker = loudspeaker

    def note(self, event: Event, commands: Sequence[Command], now_s: float) -> None:
        """Opens the line as soon as an answer is begun, be it on a guess."""
        del event, now_s
        if any(isinstance(command, BeginReply) for command in commands):
            self._loudspeaker.expect()

    def carry_out(self, command: FrontCommand) -> None:
        """Does what a command says about sound; others are not for the ear and are left alone."""
        speaker = self._loudspeaker
        match command:
            case ShowReplyStart():
                speaker.expect()  # Once more: it may have been begun long ago.
            case PlayAudio():
                speaker.play(_passage(command.reply_id), command.audio.packets)
            case EndAudio():
                speaker.end(_passage(command.reply_id))
            case PauseAudio():
                speaker.pause(_passage(command.reply_id))
            case ResumeAudio():
                speaker.resume(_passage(command.reply_id))
            case StopAudio():
                speaker.cut(_passage(command.reply_id))
            case ShowReplyEnd():
                # It may be over because nobody could hear it for too long.
                speaker.give_up(_passage(command.reply_id))
            case DuckAudio():
                speaker.duck(command.ducked)
            case _:
                pass

    async def report(self, post: Callable[[Event], Awaitable[None]]) -> None:
        """Posts how much of each answer was heard, until cancelled."""
        async for progress in self._loudspeaker.progress():
            if progress.passage.kind is PassageKind.ANSWER:
                await post(Played(progress.passage.number, progress.played_s))


def _passage(reply_id: int) -> PassageId:
    return PassageId(PassageKind.ANSWER, reply_id)
