"""What happens to a conversation: every input of the state machine.

Events about an answer carry its `reply_id`, those about a spoken turn its turn id and revision, so
that whatever comes late is recognised and dropped.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from voicemesh_bot.conversation.options import ConversationOptions
    from voicemesh_bot.domain import Backend, ListeningEvent, ModelEvent, Problem, VoiceAudio

__all__ = (
    "Arrived",
    "BackendChanged",
    "Departed",
    "Event",
    "Heard",
    "HearingLost",
    "OptionsChanged",
    "Played",
    "ReplyFailed",
    "ReplyProgress",
    "StopPressed",
    "Tick",
    "Typed",
    "VoiceFailed",
    "VoiceFinished",
    "VoiceProgress",
    "VoiceSwitched",
)


@dataclass(frozen=True, slots=True)
class Arrived:
    """A person is in the room, whether they agreed to be heard or not; or they have changed.

    Who speaks without having arrived counts as a person named as their id.
    """

    speaker: str
    """Id of the person, in every event and command about them."""

    name: str
    """What they are called, for the history."""

    is_bot: bool = False
    """Whether it is a bot: such are neither heard nor answered."""

    may_interrupt: bool = True
    """Whether they may interrupt answers to others."""


@dataclass(frozen=True, slots=True)
class Departed:
    """A person has left the room."""

    speaker: str
    """Who."""


@dataclass(frozen=True, slots=True)
class OptionsChanged:
    """The conversation goes on by other options."""

    options: ConversationOptions
    """All of them."""


@dataclass(frozen=True, slots=True)
class Typed:
    """A person sent a written message to the bot."""

    speaker: str
    """Who wrote."""

    text: str
    """What was written."""

    name: str = ""
    """What they are called, if they are not in the room."""


@dataclass(frozen=True, slots=True)
class Heard:
    """Speech recognition reports on a person's turn."""

    speaker: str
    """Who speaks."""

    event: ListeningEvent
    """What is reported."""


@dataclass(frozen=True, slots=True)
class HearingLost:
    """A person is not listened to any more; their open turn will never be finished."""

    speaker: str
    """Who is not heard."""

    problem: Problem | None = None
    """Why, unless it was wanted."""


@dataclass(frozen=True, slots=True)
class ReplyProgress:
    """The language model goes on with an answer."""

    reply_id: int
    """The answer."""

    event: ModelEvent
    """What the model says."""


@dataclass(frozen=True, slots=True)
class ReplyFailed:
    """The language model gave an answer up."""

    reply_id: int
    """The answer."""

    problem: Problem
    """Why."""


@dataclass(frozen=True, slots=True)
class VoiceProgress:
    """The voice made the next sound of an answer."""

    reply_id: int
    """The answer."""

    audio: VoiceAudio
    """The sound."""


@dataclass(frozen=True, slots=True)
class VoiceFinished:
    """The voice has spoken all text of an answer."""

    reply_id: int
    """The answer."""


@dataclass(frozen=True, slots=True)
class VoiceFailed:
    """The voice gave an answer up."""

    reply_id: int
    """The answer."""

    problem: Problem
    """Why."""


@dataclass(frozen=True, slots=True)
class Played:
    """The player says how much of an answer has left the loudspeaker."""

    reply_id: int
    """The answer."""

    seconds: float
    """Sound played of it so far; never falls. The first report tells the first sound."""


@dataclass(frozen=True, slots=True)
class StopPressed:
    """A person wants the bot to be quiet, and not to answer what still waits."""


@dataclass(frozen=True, slots=True)
class VoiceSwitched:
    """A person wants answers aloud, or not."""

    on: bool
    """Whether answers are spoken."""


@dataclass(frozen=True, slots=True)
class BackendChanged:
    """A backend became ready or stopped being so."""

    backend: Backend
    """Which one."""

    ready: bool
    """Whether it can be used."""


@dataclass(frozen=True, slots=True)
class Tick:
    """Nothing happened but time: the conversation's deadline has come."""


Event = (
    Arrived
    | Departed
    | OptionsChanged
    | Typed
    | Heard
    | HearingLost
    | ReplyProgress
    | ReplyFailed
    | VoiceProgress
    | VoiceFinished
    | VoiceFailed
    | Played
    | StopPressed
    | VoiceSwitched
    | BackendChanged
    | Tick
)
