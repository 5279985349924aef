"""What a Discord is made of, as frozen values; only the world replaces them.

Ids are integers here and strings on the wire. Times are seconds since 1970.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum, IntFlag
from typing import Any

__all__ = (
    "Attachment",
    "BotAccount",
    "Channel",
    "ChannelKind",
    "Command",
    "Guild",
    "Interaction",
    "InteractionKind",
    "Json",
    "Member",
    "Message",
    "MessageFlag",
    "MessageKind",
    "Overwrite",
    "Reaction",
    "Role",
    "User",
    "VoiceServerGrant",
    "VoiceState",
)

Json = Mapping[str, Any]
"""An object as it stands in a request or a payload."""


class ChannelKind(IntEnum):
    """Discord's channel types."""

    TEXT = 0
    DM = 1
    VOICE = 2
    CATEGORY = 4
    ANNOUNCEMENT = 5
    PUBLIC_THREAD = 11
    PRIVATE_THREAD = 12
    STAGE = 13

    @property
    def is_thread(self) -> bool:
        """Whether it hangs on another channel."""
        return self in {ChannelKind.PUBLIC_THREAD, ChannelKind.PRIVATE_THREAD}

    @property
    def is_vocal(self) -> bool:
        """Whether people can join it and speak."""
        return self in {ChannelKind.VOICE, ChannelKind.STAGE}


class MessageKind(IntEnum):
    """Discord's message types, as far as the simulator makes them."""

    DEFAULT = 0
    THREAD_CREATED = 18
    REPLY = 19
    CHAT_INPUT_COMMAND = 20
    CONTEXT_MENU_COMMAND = 23


class MessageFlag(IntFlag):
    """Flags of a message."""

    SUPPRESS_EMBEDS = 1 << 2
    EPHEMERAL = 1 << 6
    LOADING = 1 << 7
    SUPPRESS_NOTIFICATIONS = 1 << 12
    IS_VOICE_MESSAGE = 1 << 13
    IS_COMPONENTS_V2 = 1 << 15


class InteractionKind(IntEnum):
    """Discord's interaction types."""

    COMMAND = 2
    COMPONENT = 3
    AUTOCOMPLETE = 4
    MODAL = 5


@dataclass(frozen=True, slots=True)
class User:
    """Somebody, person or bot."""

    id: int
    name: str
    """Unique name, in lower case."""
    display_name: str
    """The name that others read."""
    is_bot: bool = False


@dataclass(frozen=True, slots=True)
class BotAccount:
    """A bot under test: its login. The application has the id of the bot's user, as in Discord."""

    id: int
    token: str = field(repr=False)
    privileged_intents: int = 0
    """Bits of privileged gateway intents that the developer portal would show as switched on."""


@dataclass(frozen=True, slots=True)
class Role:
    """A role of a guild; the one with the guild's own id is `@everyone`."""

    id: int
    guild_id: int
    name: str
    permissions: int
    position: int = 0
    mentionable: bool = False


@dataclass(frozen=True, slots=True)
class Overwrite:
    """What a role or a member may differently in one channel."""

    target_id: int
    is_role: bool
    allow: int = 0
    deny: int = 0


@dataclass(frozen=True, slots=True)
class Guild:
    """A server, in the words of Discord's users."""

    id: int
    name: str
    owner_id: int


@dataclass(frozen=True, slots=True)
class Channel:
    """A place to write or to speak: of a guild, a thread, or between two users."""

    id: int
    kind: ChannelKind
    name: str
    guild_id: int | None = None
    """None for direct messages."""
    parent_id: int | None = None
    """The category, or the channel that a thread hangs on."""
    position: int = 0
    topic: str | None = None
    overwrites: tuple[Overwrite, ...] = ()
    user_limit: int = 0
    """Most people in a voice channel; 0 means no limit."""
    bitrate: int = 64_000
    status: str | None = None
    """What a voice channel says it is used for."""
    recipients: tuple[int, ...] = ()
    """The two users of direct messages."""
    owner_id: int | None = None
    """Who opened the thread."""
    members: frozenset[int] = frozenset()
    """Who has joined the thread."""
    archived: bool = False
    locked: bool = False
    auto_archive_minutes: int = 1440
    slowmode_s: int = 0


@dataclass(frozen=True, slots=True)
class Member:
    """A user in a guild."""

    guild_id: int
    user_id: int
    joined_time: float
    nick: str | None = None
    role_ids: frozenset[int] = frozenset()
    server_mute: bool = False
    server_deaf: bool = False
    timed_out_until: str | None = None
    """ISO 8601 time until which the member may not write or speak."""


@dataclass(frozen=True, slots=True)
class VoiceState:
    """Where somebody is in voice, and how."""

    guild_id: int
    user_id: int
    channel_id: int | None
    """None once they have left."""
    session_id: str
    self_mute: bool = False
    self_deaf: bool = False
    suppress: bool = False
    """Whether they are audience in a stage channel."""
    asked_to_speak: str | None = None
    """When they asked to become a speaker there, as ISO 8601; None if they did not."""


@dataclass(frozen=True, slots=True)
class VoiceServerGrant:
    """What somebody needs to connect to a voice server."""

    guild_id: int
    user_id: int
    token: str = field(repr=False)
    endpoint: str
    """`host:port` of the voice gateway."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file on a message."""

    id: int
    filename: str
    content: bytes = field(repr=False)
    content_type: str | None = None
    description: str | None = None
    duration_s: float | None = None
    """Length of a voice message."""
    waveform: str | None = None
    """Base64 of up to 256 levels of a voice message."""


@dataclass(frozen=True, slots=True)
class Reaction:
    """Who reacted to a message with one emoji."""

    emoji: str
    """A Unicode emoji, or `name:id` of a custom one."""
    user_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Message:
    """Something written in a channel."""

    id: int
    channel_id: int
    author_id: int
    content: str
    created_time: float
    kind: MessageKind = MessageKind.DEFAULT
    edited_time: float | None = None
    flags: int = 0
    """Bits of `MessageFlag`."""
    embeds: tuple[Json, ...] = ()
    components: tuple[Json, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    reactions: tuple[Reaction, ...] = ()
    mention_ids: tuple[int, ...] = ()
    """Users who are pinged."""
    mention_role_ids: tuple[int, ...] = ()
    mention_everyone: bool = False
    reply_to: int | None = None
    """Id of the message that this one answers."""
    interaction_id: int | None = None
    """The interaction that it responds to."""
    application_id: int | None = None
    """The application that posted it through an interaction."""
    visible_to: int | None = None
    """The only user who sees it, if it is ephemeral."""
    nonce: str | None = None
    pinned: bool = False
    tts: bool = False

    @property
    def is_ephemeral(self) -> bool:
        """Whether only the person who used a command sees it."""
        return bool(self.flags & MessageFlag.EPHEMERAL)

    @property
    def is_loading(self) -> bool:
        """Whether it says "… is thinking" and nothing yet."""
        return bool(self.flags & MessageFlag.LOADING)


@dataclass(frozen=True, slots=True)
class Command:
    """An application command as the bot registered it."""

    id: int
    application_id: int
    guild_id: int | None
    """None for a command of all guilds."""
    definition: Json
    """As in Discord's API: `name`, `description`, `options` and so on."""

    @property
    def name(self) -> str:
        """What people type after the slash."""
        return str(self.definition["name"])

    @property
    def type(self) -> int:
        """1 for a slash command, 2 on a user, 3 on a message."""
        return int(self.definition.get("type", 1))


@dataclass(frozen=True, slots=True)
class Interaction:
    """Somebody used a command, a button, a menu or a form of a bot."""

    id: int
    kind: InteractionKind
    application_id: int
    token: str = field(repr=False)
    user_id: int
    channel_id: int
    guild_id: int | None
    data: Json
    """As in Discord's API: name and options, or custom id and values."""
    created_time: float
    message_id: int | None = None
    """The message whose component was used."""
