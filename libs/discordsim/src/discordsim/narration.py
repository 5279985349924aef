"""Events as sentences of the transcript. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from discordsim.domain import Channel, ChannelKind, InteractionKind, Message
from discordsim.errors import RefusedError
from discordsim.events import (
    Change,
    ChannelChanged,
    Event,
    GuildChanged,
    InteractionAnswered,
    InteractionCreated,
    MemberChanged,
    MessageChanged,
    MessagesDeleted,
    ReactionChanged,
    ThreadMembersChanged,
    TypingStarted,
    VoiceServerGranted,
    VoiceStateChanged,
    VoiceStatusChanged,
)
from discordsim.world.callbacks import CallbackType

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from discordsim.world import World

__all__ = ("sentence_of",)

_ANSWERS = {
    CallbackType.MESSAGE: "answers",
    CallbackType.DEFERRED_MESSAGE: "will answer later",
    CallbackType.DEFERRED_UPDATE: "will update the message",
    CallbackType.UPDATE_MESSAGE: "updates the message",
    CallbackType.CHOICES: "suggests {choices}",
    CallbackType.MODAL: "opens the form {title!r}",
}


def sentence_of(world: World, event: Event) -> str | None:
    """Return what an event reads like, or None for what is not worth a line."""
    match event:
        case MessageChanged(change, message):
            return _message(world, change, message)
        case MessagesDeleted(channel_id, message_ids):
            return f"{len(message_ids)} messages of {_place(world, channel_id)} are deleted at once"
        case ReactionChanged(change, message, emoji, user_id):
            does = "reacts with" if change is Change.CREATED else "takes back"
            return f"{_name(world, user_id)} {does} {emoji} {_on(world, message)}"
        case TypingStarted(channel_id, user_id):
            return f"{_name(world, user_id)} is typing in {_place(world, channel_id)}"
        case VoiceStateChanged():
            return _voice(world, event)
        case VoiceServerGranted(grant):
            return f"{_name(world, grant.user_id)} is sent to the voice server {grant.endpoint}"
        case VoiceStatusChanged(channel):
            return f"the status of {channel.name} is now {channel.status!r}"
        case InteractionCreated():
            return _used(world, event)
        case InteractionAnswered(interaction, response_type, data):
            choices = [choice.get("name") for choice in data.get("choices") or ()]
            does = _ANSWERS[CallbackType(response_type)]
            told = does.format(choices=choices, title=data.get("title"))
            return f"{_name(world, interaction.application_id)} {told}"
        case _:
            return _place_changed(world, event)


def _place_changed(world: World, event: Event) -> str | None:
    match event:
        case ChannelChanged(change, channel) if channel.kind is not ChannelKind.DM:
            return f"{_titled(channel)} is {change.value}"
        case ThreadMembersChanged(thread, added, removed):
            names = ", ".join(_name(world, each) for each in (*added, *removed))
            return f"{names} {'joins' if added else 'leaves'} the thread {thread.name!r}"
        case MemberChanged(Change.CREATED, _, user):
            return f"{user.display_name} comes into the guild"
        case MemberChanged(Change.DELETED, _, user):
            return f"{user.display_name} is no longer in the guild"
        case GuildChanged(Change.CREATED, guild, bot_id) if bot_id is not None:
            return f"{_name(world, bot_id)} is added to the guild {guild.name!r}"
        case _:
            return None


def _message(world: World, change: Change, message: Message) -> str:
    who, where = _name(world, message.author_id), _place(world, message.channel_id)
    only = ""
    if message.visible_to is not None:
        only = f", for {_name(world, message.visible_to)} only"
    if change is Change.DELETED:
        return f"{who}'s message in {where} is deleted: {message.content!r}"
    if message.is_loading:
        return f"{who} is thinking in {where}{only}"
    does = "writes" if change is Change.CREATED else "changes the message"
    return f"{who} {does} in {where}{only}: {_shown(message)}"


def _shown(message: Message) -> str:
    parts = [repr(message.content)] if message.content else []
    parts += [f"embed {each.get('title') or each.get('description')!r}" for each in message.embeds]
    parts += [f"file {each.filename!r} ({len(each.content)} bytes)" for each in message.attachments]
    if message.components:
        parts.append("with components")
    return ", ".join(parts) or "nothing"


def _voice(world: World, event: VoiceStateChanged) -> str | None:
    state, before = event.state, event.before
    who = _name(world, state.user_id)
    was = None if before is None else before.channel_id
    if state.channel_id is None:
        return f"{who} leaves {_place(world, was)}"
    where = _place(world, state.channel_id)
    if was is None:
        return f"{who} joins {where}"
    if was != state.channel_id:
        return f"{who} moves from {_place(world, was)} to {where}"
    now = [name for name, on in (("muted", state.self_mute), ("deafened", state.self_deaf)) if on]
    return f"{who} is {' and '.join(now) or 'neither muted nor deafened'} in {where}"


def _used(world: World, event: InteractionCreated) -> str:
    interaction = event.interaction
    who, where = _name(world, interaction.user_id), _place(world, interaction.channel_id)
    data = interaction.data
    match interaction.kind:
        case InteractionKind.COMMAND:
            return f"{who} uses /{data['name']}{_options(data)} in {where}"
        case InteractionKind.AUTOCOMPLETE:
            return f"{who} types /{data['name']}{_options(data)} in {where}"
        case InteractionKind.COMPONENT:
            values = f" and picks {data['values']}" if data.get("values") else ""
            return f"{who} uses the component {data['custom_id']!r}{values} in {where}"
        case InteractionKind.MODAL:
            return f"{who} sends the form {data['custom_id']!r} in {where}"


def _options(data: Mapping[str, Any]) -> str:
    told = ""
    for option in data.get("options") or ():
        if "value" in option:
            told += f" {option['name']}={option['value']!r}"
        else:
            told += f" {option['name']}{_options(option)}"
    return told


def _name(world: World, user_id: int) -> str:
    return world.directory.display_name(user_id)


def _on(world: World, message: Message) -> str:
    return f"to {_name(world, message.author_id)}'s {message.content[:40]!r}"


def _place(world: World, channel_id: int | None) -> str:
    try:
        return _titled(world.directory.channel(channel_id or 0))
    except RefusedError:
        return "a channel that is gone"


def _titled(channel: Channel) -> str:
    if channel.kind is ChannelKind.DM:
        return "direct messages"
    if channel.kind.is_thread:
        return f"the thread {channel.name!r}"
    return channel.name if channel.kind.is_vocal else f"#{channel.name}"
