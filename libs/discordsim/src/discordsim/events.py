"""What happens in the world, told to the gateway, to people and to the transcript."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from discordsim.domain import (
        Channel,
        Guild,
        Interaction,
        Json,
        Member,
        Message,
        Role,
        User,
        VoiceServerGrant,
        VoiceState,
    )

__all__ = (
    "Change",
    "ChannelChanged",
    "Event",
    "Events",
    "GuildChanged",
    "InteractionAnswered",
    "InteractionCreated",
    "MemberChanged",
    "MessageChanged",
    "MessagesDeleted",
    "ReactionChanged",
    "RoleChanged",
    "ThreadMembersChanged",
    "TypingStarted",
    "VoiceServerGranted",
    "VoiceStateChanged",
    "VoiceStatusChanged",
)


class Change(Enum):
    """How something differs from before."""

    CREATED = "created"
    UPDATED = "updated"
    DELETED = "deleted"


@dataclass(frozen=True, slots=True)
class MessageChanged:
    """A message was written, edited or deleted."""

    change: Change
    message: Message


@dataclass(frozen=True, slots=True)
class MessagesDeleted:
    """Several messages of a channel were deleted at once."""

    channel_id: int
    message_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ReactionChanged:
    """A reaction was added or taken back."""

    change: Change
    message: Message
    emoji: str
    user_id: int


@dataclass(frozen=True, slots=True)
class TypingStarted:
    """Somebody is typing; it shows for ten seconds."""

    channel_id: int
    user_id: int
    time: float


@dataclass(frozen=True, slots=True)
class GuildChanged:
    """A bot came into a guild (created), was removed (deleted), or the guild was renamed."""

    change: Change
    guild: Guild
    bot_id: int | None = None
    """The bot that came or went; None tells all."""


@dataclass(frozen=True, slots=True)
class ChannelChanged:
    """A channel or a thread."""

    change: Change
    channel: Channel


@dataclass(frozen=True, slots=True)
class ThreadMembersChanged:
    """Somebody joined or left a thread."""

    thread: Channel
    added: tuple[int, ...] = ()
    removed: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class MemberChanged:
    """Somebody came, left, or has other roles or another nick."""

    change: Change
    member: Member
    user: User


@dataclass(frozen=True, slots=True)
class RoleChanged:
    """A role of a guild."""

    change: Change
    role: Role


@dataclass(frozen=True, slots=True)
class VoiceStateChanged:
    """Somebody joined, left or moved in voice, or changed mute or deaf."""

    state: VoiceState
    before: VoiceState | None = None


@dataclass(frozen=True, slots=True)
class VoiceServerGranted:
    """Somebody is told where to connect for voice."""

    grant: VoiceServerGrant


@dataclass(frozen=True, slots=True)
class VoiceStatusChanged:
    """The line below a voice channel's name."""

    channel: Channel


@dataclass(frozen=True, slots=True)
class InteractionCreated:
    """Somebody used a command or a component."""

    interaction: Interaction


@dataclass(frozen=True, slots=True)
class InteractionAnswered:
    """A bot responded to an interaction; a message, if any, comes as its own event."""

    interaction: Interaction
    response_type: int
    """Discord's interaction callback type."""
    data: Json
    """As the bot sent it: a form, or choices; empty for messages."""


Event = (
    MessageChanged
    | MessagesDeleted
    | ReactionChanged
    | TypingStarted
    | GuildChanged
    | ChannelChanged
    | ThreadMembersChanged
    | MemberChanged
    | RoleChanged
    | VoiceStateChanged
    | VoiceServerGranted
    | VoiceStatusChanged
    | InteractionCreated
    | InteractionAnswered
)
"""Everything that can happen."""


class Events:
    """Tells listeners what happens, in order, before the action that caused it returns."""

    def __init__(self) -> None:
        self._listeners: list[Callable[[Event], None]] = []

    def subscribe(self, listener: Callable[[Event], None]) -> Callable[[], None]:
        """Call `listener`, which must not block or raise, for each event; return how to stop."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def emit(self, event: Event) -> None:
        """Tell all listeners."""
        for listener in tuple(self._listeners):
            listener(event)
