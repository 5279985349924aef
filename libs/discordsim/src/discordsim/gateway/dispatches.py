"""Events as the payloads that one bot is sent.

Pure. A bot is told what it asked for by its intents, of guilds that it is in, on the shard that
serves the guild, and of channels that it can see.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from discordsim.domain import Channel, ChannelKind
from discordsim.errors import RefusedError
from discordsim.events import (
    Change,
    ChannelChanged,
    Event,
    GuildChanged,
    InteractionCreated,
    MemberChanged,
    MessageChanged,
    MessagesDeleted,
    ReactionChanged,
    RoleChanged,
    ThreadMembersChanged,
    TypingStarted,
    VoiceServerGranted,
    VoiceStateChanged,
    VoiceStatusChanged,
)
from discordsim.gateway.intents import Intent
from discordsim.permissions import Permission
from discordsim.wire import (
    channel_payload,
    guild_payload,
    guild_snapshot,
    interaction_payload,
    member_payload,
    message_payload,
    role_payload,
    thread_member_payload,
    user_payload,
    voice_state_payload,
)
from discordsim.wire.texts import emoji_payload

if TYPE_CHECKING:
    from collections.abc import Iterator

    from discordsim.domain import Message
    from discordsim.world import World

__all__ = ("Dispatch", "Viewer", "dispatches")

Dispatch = tuple[str, dict[str, Any]]
"""The name of a gateway event, and its data."""

_ENDINGS = {Change.CREATED: "CREATE", Change.UPDATED: "UPDATE", Change.DELETED: "DELETE"}


@dataclass(frozen=True, slots=True)
class Viewer:
    """A bot's session, as far as it matters to what it is told."""

    bot_id: int
    intents: int
    shard: int = 0
    shards: int = 1

    def serves(self, guild_id: int | None) -> bool:
        """Whether a guild's events go to this shard; direct messages go to shard 0."""
        return (0 if guild_id is None else (guild_id >> 22) % self.shards) == self.shard

    def wants(self, in_guild: Intent, direct: Intent, guild_id: int | None) -> bool:
        """Whether it asked for a kind of event, in a guild or in direct messages."""
        return bool(self.intents & (direct if guild_id is None else in_guild))


def dispatches(world: World, event: Event, viewer: Viewer) -> Iterator[Dispatch]:
    """Yield what a bot is sent for an event; mostly one payload or none."""
    match event:
        case MessageChanged():
            yield from _message(world, event, viewer)
        case MessagesDeleted(channel_id, message_ids):
            channel = _visible(world, channel_id, viewer)
            if channel is not None and viewer.intents & Intent.GUILD_MESSAGES:
                ids = [str(each) for each in message_ids]
                yield "MESSAGE_DELETE_BULK", {"ids": ids} | _address(channel)
        case ReactionChanged():
            yield from _reaction(world, event, viewer)
        case TypingStarted():
            yield from _typing(world, event, viewer)
        case InteractionCreated(interaction) if interaction.application_id == viewer.bot_id:
            if viewer.serves(interaction.guild_id):
                yield "INTERACTION_CREATE", interaction_payload(world, interaction)
        case VoiceServerGranted(grant) if grant.user_id == viewer.bot_id:
            if viewer.serves(grant.guild_id):
                yield (
                    "VOICE_SERVER_UPDATE",
                    {
                        "token": grant.token,
                        "guild_id": str(grant.guild_id),
                        "endpoint": grant.endpoint,
                    },
                )
        case _:
            yield from _guild_event(world, event, viewer)


def _guild_event(world: World, event: Event, viewer: Viewer) -> Iterator[Dispatch]:
    guild_id = _guild_of(event)
    if guild_id is None or not viewer.serves(guild_id):
        return
    if isinstance(event, GuildChanged):
        yield from _guild(world, event, viewer)
    if not world.directory.is_member(guild_id, viewer.bot_id):
        return
    match event:
        case VoiceStateChanged(state) if viewer.intents & Intent.GUILD_VOICE_STATES:
            yield "VOICE_STATE_UPDATE", voice_state_payload(world, state)
        case MemberChanged():
            yield from _member(world, event, viewer)
        case ChannelChanged() | ThreadMembersChanged() | VoiceStatusChanged() | RoleChanged():
            if viewer.intents & Intent.GUILDS:
                yield from _place(world, event, viewer)


def _guild_of(event: Event) -> int | None:
    match event:
        case GuildChanged(_, guild):
            return guild.id
        case ChannelChanged(_, channel) | VoiceStatusChanged(channel):
            return channel.guild_id
        case ThreadMembersChanged(thread):
            return thread.guild_id
        case MemberChanged(_, member):
            return member.guild_id
        case RoleChanged(_, role):
            return role.guild_id
        case VoiceStateChanged(state):
            return state.guild_id
    return None


def _guild(world: World, event: GuildChanged, viewer: Viewer) -> Iterator[Dispatch]:
    if not viewer.intents & Intent.GUILDS or event.bot_id not in {None, viewer.bot_id}:
        return
    guild = event.guild
    if event.change is Change.CREATED:
        everybody = bool(viewer.intents & Intent.GUILD_PRESENCES)
        yield (
            "GUILD_CREATE",
            guild_snapshot(world, guild, viewer.bot_id, all_members=everybody),
        )
    elif event.change is Change.DELETED:
        yield "GUILD_DELETE", {"id": str(guild.id)}
    elif world.directory.is_member(guild.id, viewer.bot_id):
        yield "GUILD_UPDATE", guild_payload(world, guild)


def _message(world: World, event: MessageChanged, viewer: Viewer) -> Iterator[Dispatch]:
    message = event.message
    channel = _visible(world, message.channel_id, viewer)
    if channel is None or message.visible_to is not None:
        return
    if not viewer.wants(Intent.GUILD_MESSAGES, Intent.DIRECT_MESSAGES, channel.guild_id):
        return
    name = f"MESSAGE_{_ENDINGS[event.change]}"
    if event.change is Change.DELETED:
        yield name, {"id": str(message.id)} | _address(channel)
        return
    yield (
        name,
        message_payload(
            world,
            message,
            viewer_id=viewer.bot_id,
            with_content=bool(viewer.intents & Intent.MESSAGE_CONTENT),
            with_guild=True,
        ),
    )


def _reaction(world: World, event: ReactionChanged, viewer: Viewer) -> Iterator[Dispatch]:
    message: Message = event.message
    channel = _visible(world, message.channel_id, viewer)
    if channel is None or not viewer.wants(
        Intent.GUILD_MESSAGE_REACTIONS, Intent.DIRECT_MESSAGE_REACTIONS, channel.guild_id
    ):
        return
    data: dict[str, Any] = {
        "user_id": str(event.user_id),
        "message_id": str(message.id),
        "emoji": emoji_payload(event.emoji),
        "burst": False,
        "type": 0,
    } | _address(channel)
    if event.change is Change.CREATED:
        data["message_author_id"] = str(message.author_id)
        data |= _member_field(world, channel, event.user_id)
    yield f"MESSAGE_REACTION_{'ADD' if event.change is Change.CREATED else 'REMOVE'}", data


def _typing(world: World, event: TypingStarted, viewer: Viewer) -> Iterator[Dispatch]:
    channel = _visible(world, event.channel_id, viewer)
    if channel is None or not viewer.wants(
        Intent.GUILD_MESSAGE_TYPING, Intent.DIRECT_MESSAGE_TYPING, channel.guild_id
    ):
        return
    data = {"user_id": str(event.user_id), "timestamp": int(event.time)}
    yield (
        "TYPING_START",
        data | _address(channel) | _member_field(world, channel, event.user_id),
    )


def _member(world: World, event: MemberChanged, viewer: Viewer) -> Iterator[Dispatch]:
    own = event.user.id == viewer.bot_id
    if own and event.change is not Change.UPDATED:
        return  # told as its guild coming or going
    if not own and not viewer.intents & Intent.GUILD_MEMBERS:
        return
    guild = {"guild_id": str(event.member.guild_id)}
    if event.change is Change.DELETED:
        yield "GUILD_MEMBER_REMOVE", guild | {"user": user_payload(event.user)}
        return
    name = "ADD" if event.change is Change.CREATED else "UPDATE"
    yield f"GUILD_MEMBER_{name}", member_payload(world, event.member) | guild


def _place(
    world: World,
    event: ChannelChanged | ThreadMembersChanged | VoiceStatusChanged | RoleChanged,
    viewer: Viewer,
) -> Iterator[Dispatch]:
    match event:
        case RoleChanged(change, role):
            named = (
                {"role_id": str(role.id)}
                if change is Change.DELETED
                else {"role": role_payload(role)}
            )
            yield f"GUILD_ROLE_{_ENDINGS[change]}", {"guild_id": str(role.guild_id)} | named
        case VoiceStatusChanged(channel):
            yield (
                "VOICE_CHANNEL_STATUS_UPDATE",
                {
                    "id": str(channel.id),
                    "guild_id": str(channel.guild_id),
                    "status": channel.status,
                },
            )
        case ThreadMembersChanged():
            yield from _thread_members(world, event, viewer)
        case ChannelChanged(change, channel):
            if channel.kind is ChannelKind.PRIVATE_THREAD and not _sees(world, channel, viewer):
                return
            data = channel_payload(world, channel, viewer_id=viewer.bot_id)
            family = "THREAD" if channel.kind.is_thread else "CHANNEL"
            if channel.kind.is_thread and change is Change.CREATED:
                data["newly_created"] = True
            yield f"{family}_{_ENDINGS[change]}", data


def _thread_members(
    world: World, event: ThreadMembersChanged, viewer: Viewer
) -> Iterator[Dispatch]:
    thread = event.thread
    concerned = viewer.bot_id in {*event.added, *event.removed}
    if viewer.bot_id in event.added:
        yield "THREAD_CREATE", channel_payload(world, thread, viewer_id=viewer.bot_id)
    if concerned or viewer.intents & Intent.GUILD_MEMBERS:
        yield (
            "THREAD_MEMBERS_UPDATE",
            {
                "id": str(thread.id),
                "guild_id": str(thread.guild_id),
                "member_count": len(thread.members),
                "added_members": [thread_member_payload(thread, each) for each in event.added],
                "removed_member_ids": [str(each) for each in event.removed],
            },
        )


def _sees(world: World, channel: Channel, viewer: Viewer) -> bool:
    return bool(world.directory.permissions(viewer.bot_id, channel) & Permission.VIEW_CHANNEL)


def _visible(world: World, channel_id: int, viewer: Viewer) -> Channel | None:
    """The channel, if its events go to this session."""
    try:
        channel = world.directory.channel(channel_id)
    except RefusedError:
        return None  # deleted in the meantime
    return channel if viewer.serves(channel.guild_id) and _sees(world, channel, viewer) else None


def _address(channel: Channel) -> dict[str, Any]:
    address = {"channel_id": str(channel.id)}
    return address if channel.guild_id is None else address | {"guild_id": str(channel.guild_id)}


def _member_field(world: World, channel: Channel, user_id: int) -> dict[str, Any]:
    if channel.guild_id is None or not world.directory.is_member(channel.guild_id, user_id):
        return {}
    return {"member": member_payload(world, world.directory.member(channel.guild_id, user_id))}
