"""What a conversation wants done: every output of the state machine.

`WorkCommand`s go to the language model and the voice, `FrontCommand`s to whatever people see and
hear: the console's page, or a Discord channel. Both are to be carried out in order.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from voicemesh_bot.conversation.timeline import Timing
    from voicemesh_bot.domain import Address, Backend, HistoryTurn, VoiceAudio

__all__ = (
    "BeginReply",
    "CancelReply",
    "CancelVoice",
    "Command",
    "DuckAudio",
    "EndAudio",
    "EndSpeech",
    "FrontCommand",
    "Outcome",
    "PauseAudio",
    "PlayAudio",
    "ResumeAudio",
    "ShowListening",
    "ShowMessage",
    "ShowNotice",
    "ShowPartial",
    "ShowReplyEnd",
    "ShowReplyStart",
    "ShowReplyText",
    "ShowSilence",
    "ShowTiming",
    "ShowTrouble",
    "SpeakText",
    "StopAudio",
    "StopModel",
    "WorkCommand",
)


class Outcome(StrEnum):
    """How an answer ended."""

    COMPLETE = "complete"
    """It was heard, or read, to its end."""
    INTERRUPTED = "interrupted"
    """A person began to speak."""
    STOPPED = "stopped"
    """A person pressed stop or said so, or nobody is there any more."""
    SUPERSEDED = "superseded"
    """A new message came before it was heard."""
    FAILED = "failed"
    """There is no answer."""


@dataclass(frozen=True, slots=True)
class BeginReply:
    """Ask the language model for an answer."""

    reply_id: int
    """Names the answer in every event about it."""

    history: tuple[HistoryTurn, ...]
    """The conversation, oldest first; the last turn is the one to answer."""

    speaker: str = ""
    """Whose turn it answers."""

    turn_id: int = 0
    """The spoken turn that it answers; 0 if that was written."""

    revision: int = 0
    """The revision of that turn."""

    speculative: bool = False
    """Whether the turn may not be over yet."""


@dataclass(frozen=True, slots=True)
class CancelReply:
    """Stop the model and the voice of an answer; what they still send is dropped."""

    reply_id: int
    """The answer."""


@dataclass(frozen=True, slots=True)
class StopModel:
    """Stop the model of an answer, which is long enough; its voice goes on."""

    reply_id: int
    """The answer."""


@dataclass(frozen=True, slots=True)
class SpeakText:
    """Hand the next text to the voice."""

    reply_id: int
    """The answer."""

    text: str
    """Characters cut anywhere."""


@dataclass(frozen=True, slots=True)
class EndSpeech:
    """Tell the voice that no more text comes."""

    reply_id: int
    """The answer."""


@dataclass(frozen=True, slots=True)
class CancelVoice:
    """Stop the voice of an answer; its text goes on."""

    reply_id: int
    """The answer."""


WorkCommand = BeginReply | CancelReply | StopModel | SpeakText | EndSpeech | CancelVoice


@dataclass(frozen=True, slots=True)
class PlayAudio:
    """Play sound after all that was sent before of the same answer."""

    reply_id: int
    """The answer."""

    audio: VoiceAudio
    """The sound."""


@dataclass(frozen=True, slots=True)
class EndAudio:
    """No more sound of this answer comes."""

    reply_id: int
    """The answer."""

    duration_s: float
    """Length of all its sound."""


@dataclass(frozen=True, slots=True)
class StopAudio:
    """Be silent now and forget what was not played."""

    reply_id: int
    """The answer."""


@dataclass(frozen=True, slots=True)
class PauseAudio:
    """Be silent now, but keep what was not played: somebody may be interrupting.

    Sound that comes meanwhile is kept after it. `ResumeAudio` or `StopAudio` follows.
    """

    reply_id: int
    """The answer."""


@dataclass(frozen=True, slots=True)
class ResumeAudio:
    """Play on from where `PauseAudio` stopped."""

    reply_id: int
    """The answer."""


@dataclass(frozen=True, slots=True)
class DuckAudio:
    """Play more softly while a person may be speaking."""

    ducked: bool
    """Whether to be soft."""


@dataclass(frozen=True, slots=True)
class ShowListening:
    """A person is heard to speak."""

    speaker: str
    """Who."""

    turn_id: int
    """Their turn."""


@dataclass(frozen=True, slots=True)
class ShowPartial:
    """A person's words so far; replaces those shown before."""

    speaker: str
    """Who."""

    turn_id: int
    """Their turn."""

    stable: str
    """Words that will not change."""

    unstable: str
    """Words after them that may."""

    revision: int = 0
    """Revision of the turn."""


@dataclass(frozen=True, slots=True)
class ShowSilence:
    """A person's turn ended without words: take back what was shown of it."""

    speaker: str
    """Who."""

    turn_id: int = 0
    """Their turn."""


@dataclass(frozen=True, slots=True)
class ShowMessage:
    """A person's message was heard or read."""

    message_id: int
    """Number of the message, from 1."""

    speaker: str
    """Who."""

    text: str
    """The message."""

    spoken: bool
    """Whether it was spoken and not written."""

    address: Address | None = None
    """Why it was meant for the bot; None if it was not, so that no answer comes."""

    turn_id: int = 0
    """The spoken turn; 0 if it was written."""

    revision: int = 0
    """The revision of that turn that was final."""


@dataclass(frozen=True, slots=True)
class ShowReplyStart:
    """An answer is on its way."""

    reply_id: int
    """The answer."""

    message_id: int
    """The message that it answers; of several, the last."""

    message_ids: tuple[int, ...] = ()
    """All messages that it answers, in the order in which they came."""


@dataclass(frozen=True, slots=True)
class ShowReplyText:
    """The next text of an answer."""

    reply_id: int
    """The answer."""

    text: str
    """To be appended."""


@dataclass(frozen=True, slots=True)
class ShowReplyEnd:
    """An answer is over."""

    reply_id: int
    """The answer."""

    outcome: Outcome
    """How it ended."""

    heard_text: str
    """The part that the conversation remembers."""

    response_id: str = ""
    """The model's name for the answer, for feedback and corrections."""

    sentence: str = ""
    """Why there is no answer, or why it breaks off; empty if all went well."""


@dataclass(frozen=True, slots=True)
class ShowTiming:
    """Where the time of a turn went; replaces what was shown before."""

    reply_id: int
    """The answer."""

    timing: Timing
    """Its marks."""


@dataclass(frozen=True, slots=True)
class ShowNotice:
    """Tell people something in one sentence."""

    sentence: str
    """What to tell."""

    backend: Backend
    """Whom it is about."""

    good: bool = False
    """Whether the news is good."""


@dataclass(frozen=True, slots=True)
class ShowTrouble:
    """A backend's last work failed, or it works again; told at every change."""

    backend: Backend
    """Which one."""

    troubled: bool
    """Whether it failed."""


FrontCommand = (
    PlayAudio
    | EndAudio
    | StopAudio
    | PauseAudio
    | ResumeAudio
    | DuckAudio
    | ShowListening
    | ShowPartial
    | ShowSilence
    | ShowMessage
    | ShowReplyStart
    | ShowReplyText
    | ShowReplyEnd
    | ShowTiming
    | ShowNotice
    | ShowTrouble
)

Command = WorkCommand | FrontCommand
