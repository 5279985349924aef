"""Interactions as JSON, and what the ids in them stand for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from discordsim.domain import Attachment, Channel, Role, User
from discordsim.wire.people import member_payload, user_payload
from discordsim.wire.places import channel_payload, role_payload
from discordsim.wire.texts import attachment_payload, message_payload
from discordsim.world.content import ATTACHMENT_LIMIT_BYTES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from discordsim.domain import Interaction
    from discordsim.world import World

__all__ = ("interaction_payload", "resolved_payload")

_GUILD_CONTEXT, _DIRECT_CONTEXT = 0, 1


def resolved_payload(
    world: World,
    things: Mapping[str, object],
    *,
    place: Channel,
    viewer_id: int,
) -> dict[str, Any]:
    """Return what ids in options, menus or forms stand for.

    Args:
        world: where they are.
        things: users, channels, roles and files by id.
        place: the channel in which the interaction takes place.
        viewer_id: who uses it; channels say what they may do there.
    """
    resolved: dict[str, dict[str, Any]] = {}
    for identity, thing in things.items():
        if isinstance(thing, User):
            resolved.setdefault("users", {})[identity] = user_payload(thing)
            if place.guild_id and world.directory.is_member(place.guild_id, thing.id):
                member = world.directory.member(place.guild_id, thing.id)
                partial = member_payload(world, member, with_user=False)
                del partial["deaf"], partial["mute"]
                held = world.directory.permissions(thing.id, place)
                resolved.setdefault("members", {})[identity] = partial | {"permissions": str(held)}
        elif isinstance(thing, Channel):
            held = world.directory.permissions(viewer_id, thing)
            payload = channel_payload(world, thing, viewer_id=viewer_id)
            resolved.setdefault("channels", {})[identity] = payload | {"permissions": str(held)}
        elif isinstance(thing, Role):
            resolved.setdefault("roles", {})[identity] = role_payload(thing)
        elif isinstance(thing, Attachment):
            resolved.setdefault("attachments", {})[identity] = attachment_payload(
                world, thing, place.id, ephemeral=True
            )
    return resolved


def interaction_payload(world: World, interaction: Interaction) -> dict[str, Any]:
    """Return an interaction as the bot gets it."""
    directory = world.directory
    channel = directory.channel(interaction.channel_id)
    bot_id, user_id = interaction.application_id, interaction.user_id
    held = str(directory.permissions(user_id, channel))
    payload: dict[str, Any] = {
        "id": str(interaction.id),
        "application_id": str(bot_id),
        "type": int(interaction.kind),
        "token": interaction.token,
        "version": 1,
        "channel_id": str(channel.id),
        "channel": channel_payload(world, channel, viewer_id=bot_id) | {"permissions": held},
        "data": dict(interaction.data),
        "locale": "en-US",
        "app_permissions": str(directory.permissions(bot_id, channel)),
        "entitlements": [],
        "authorizing_integration_owners": {"0": str(interaction.guild_id or 0)},
        "context": _DIRECT_CONTEXT if interaction.guild_id is None else _GUILD_CONTEXT,
        "attachment_size_limit": ATTACHMENT_LIMIT_BYTES,
    }
    if interaction.guild_id is None:
        payload["user"] = user_payload(directory.user(user_id))
    else:
        member = directory.member(interaction.guild_id, user_id)
        payload["member"] = member_payload(world, member) | {"permissions": held}
        payload["guild_id"] = str(interaction.guild_id)
        payload["guild_locale"] = "en-US"
        payload["guild"] = {
            "id": str(interaction.guild_id),
            "locale": "en-US",
            "features": [],
        }
    message = world.messages.find(interaction.message_id or 0)
    if message is not None:
        payload["message"] = message_payload(world, message, viewer_id=bot_id)
    return payload
