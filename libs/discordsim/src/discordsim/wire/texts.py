"""Messages and their files as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from discordsim.domain import InteractionKind
from discordsim.wire.people import iso_time, member_payload, user_payload
from discordsim.wire.places import channel_payload

if TYPE_CHECKING:
    from discordsim.domain import Attachment, Interaction, Message
    from discordsim.world import World

__all__ = ("attachment_payload", "emoji_payload", "message_payload")

_HAS_THREAD = 1 << 5


def emoji_payload(emoji: str) -> dict[str, Any]:
    """Return an emoji: a Unicode one, or `name:id`."""
    name, _, identity = emoji.partition(":")
    return {"id": identity or None, "name": name}


def attachment_payload(
    world: World, attachment: Attachment, channel_id: int, *, ephemeral: bool = False
) -> dict[str, Any]:
    """Return a file with the address where it can be fetched."""
    address = (
        f"{world.cdn_uri}/attachments/{channel_id}/{attachment.id}/{quote(attachment.filename)}"
    )
    payload: dict[str, Any] = {
        "id": str(attachment.id),
        "filename": attachment.filename,
        "size": len(attachment.content),
        "url": address,
        "proxy_url": address,
        "ephemeral": ephemeral,
        "flags": 0,
    }
    optional = {
        "content_type": attachment.content_type,
        "description": attachment.description,
        "duration_secs": attachment.duration_s,
        "waveform": attachment.waveform,
    }
    return payload | {name: value for name, value in optional.items() if value is not None}


def message_payload(
    world: World,
    message: Message,
    *,
    viewer_id: int,
    with_content: bool = True,
    with_guild: bool = False,
) -> dict[str, Any]:
    """Return a message, with the one that it answers.

    Args:
        world: where it is.
        message: the message.
        viewer_id: who reads it.
        with_content: whether the reader may have what others wrote; a bot without the
            message-content intent gets only what it wrote itself, what mentions it, and direct
            messages.
        with_guild: whether guild and member are named, as the gateway does and REST does not.
    """
    guild_id = world.directory.channel(message.channel_id).guild_id
    payload = _alone(world, message, viewer_id, with_content=with_content)
    if with_guild and guild_id is not None:
        payload["guild_id"] = str(guild_id)
        if world.directory.is_member(guild_id, message.author_id):
            member = world.directory.member(guild_id, message.author_id)
            payload["member"] = member_payload(world, member, with_user=False)
    if message.reply_to is not None:
        replied = world.messages.find(message.reply_to)
        payload["referenced_message"] = replied and _alone(
            world, replied, viewer_id, with_content=with_content
        )
    return payload


def _alone(world: World, message: Message, viewer_id: int, *, with_content: bool) -> dict[str, Any]:
    channel = world.directory.channel(message.channel_id)
    readable = (
        with_content
        or channel.guild_id is None
        or viewer_id in {message.author_id, message.application_id, *message.mention_ids}
    )
    files = [
        attachment_payload(world, each, channel.id, ephemeral=message.is_ephemeral)
        for each in message.attachments
    ]
    edited = message.edited_time
    return {
        "id": str(message.id),
        "channel_id": str(message.channel_id),
        "channel_type": int(channel.kind),
        "author": user_payload(world.directory.user(message.author_id)),
        "content": message.content if readable else "",
        "timestamp": iso_time(message.created_time),
        "edited_timestamp": None if edited is None else iso_time(edited),
        "tts": message.tts,
        "mention_everyone": message.mention_everyone,
        "mentions": [_mentioned(world, each, channel.guild_id) for each in message.mention_ids],
        "mention_roles": [str(each) for each in message.mention_role_ids],
        "attachments": files if readable else [],
        "embeds": list(message.embeds) if readable else [],
        "components": list(message.components) if readable else [],
        "pinned": message.pinned,
        "type": int(message.kind),
        "flags": message.flags,
    } | _optional(world, message, viewer_id)


def _mentioned(world: World, user_id: int, guild_id: int | None) -> dict[str, Any]:
    user = user_payload(world.directory.user(user_id))
    if guild_id is not None and world.directory.is_member(guild_id, user_id):
        member = world.directory.member(guild_id, user_id)
        user["member"] = member_payload(world, member, with_user=False)
    return user


def _optional(world: World, message: Message, viewer_id: int) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    if message.reactions:
        fields["reactions"] = [
            {
                "emoji": emoji_payload(each.emoji),
                "count": len(each.user_ids),
                "count_details": {"normal": len(each.user_ids), "burst": 0},
                "me": viewer_id in each.user_ids,
                "me_burst": False,
                "burst_colors": [],
            }
            for each in message.reactions
        ]
    if message.nonce is not None:
        fields["nonce"] = message.nonce
    if message.reply_to is not None:
        guild_id = world.directory.channel(message.channel_id).guild_id
        fields["message_reference"] = {
            "type": 0,
            "message_id": str(message.reply_to),
            "channel_id": str(message.channel_id),
        } | ({} if guild_id is None else {"guild_id": str(guild_id)})
    if message.application_id is not None:
        fields["application_id"] = fields["webhook_id"] = str(message.application_id)
    if world.directory.has_channel(message.id):
        thread = world.directory.channel(message.id)
        fields["thread"] = channel_payload(world, thread, viewer_id=viewer_id)
        fields["flags"] = message.flags | _HAS_THREAD
    interaction = world.interactions.find(message.interaction_id or 0)
    if interaction is not None:
        fields["interaction_metadata"] = _metadata(world, interaction)
    return fields


def _metadata(world: World, interaction: Interaction) -> dict[str, Any]:
    owner = interaction.guild_id or interaction.user_id
    fields: dict[str, Any] = {
        "id": str(interaction.id),
        "type": int(interaction.kind),
        "user": user_payload(world.directory.user(interaction.user_id)),
        "authorizing_integration_owners": {"0": str(owner)},
    }
    if interaction.kind is InteractionKind.COMMAND:
        fields["name"] = interaction.data["name"]
        fields["command_type"] = interaction.data.get("type", 1)
    elif interaction.message_id is not None:
        fields["interacted_message_id"] = str(interaction.message_id)
    return fields
