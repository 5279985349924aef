"""Guilds, channels, threads and roles as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from discordsim.domain import ChannelKind
from discordsim.permissions import Permission
from discordsim.snowflakes import snowflake_time
from discordsim.wire.people import iso_time, member_payload, user_payload, voice_state_payload

if TYPE_CHECKING:
    from discordsim.domain import Channel, Guild, Role
    from discordsim.world import World

__all__ = (
    "channel_payload",
    "guild_payload",
    "guild_snapshot",
    "role_payload",
    "thread_member_payload",
)


def role_payload(role: Role) -> dict[str, Any]:
    """Return a role."""
    return {
        "id": str(role.id),
        "name": role.name,
        "color": 0,
        "colors": {"primary_color": 0, "secondary_color": None, "tertiary_color": None},
        "hoist": False,
        "icon": None,
        "unicode_emoji": None,
        "position": role.position,
        "permissions": str(role.permissions),
        "managed": False,
        "mentionable": role.mentionable,
        "flags": 0,
    }


def channel_payload(
    world: World, channel: Channel, *, viewer_id: int | None = None
) -> dict[str, Any]:
    """Return a channel, a thread or direct messages.

    Args:
        world: where it is.
        channel: the channel.
        viewer_id: who reads it; direct messages are named after the other user, and a thread says
            whether the viewer is in it.
    """
    latest = world.messages.latest_id(channel.id)
    payload: dict[str, Any] = {
        "id": str(channel.id),
        "type": int(channel.kind),
        "last_message_id": None if latest is None else str(latest),
        "flags": 0,
    }
    if channel.kind is ChannelKind.DM:
        others = [each for each in channel.recipients if each != viewer_id]
        payload["recipients"] = [user_payload(world.directory.user(each)) for each in others]
        return payload
    payload |= {
        "guild_id": str(channel.guild_id),
        "name": channel.name,
        "parent_id": None if channel.parent_id is None else str(channel.parent_id),
        "rate_limit_per_user": channel.slowmode_s,
    }
    if channel.kind.is_thread:
        return payload | _thread_fields(world, channel, viewer_id)
    payload |= {
        "position": channel.position,
        "nsfw": False,
        "topic": channel.topic,
        "permission_overwrites": [
            {
                "id": str(each.target_id),
                "type": 0 if each.is_role else 1,
                "allow": str(each.allow),
                "deny": str(each.deny),
            }
            for each in channel.overwrites
        ],
    }
    if channel.kind.is_vocal:
        payload |= {
            "bitrate": channel.bitrate,
            "user_limit": channel.user_limit,
            "rtc_region": None,
            "video_quality_mode": 1,
            "status": channel.status,
        }
    return payload


def _thread_fields(world: World, thread: Channel, viewer_id: int | None) -> dict[str, Any]:
    opened = iso_time(snowflake_time(thread.id))
    fields: dict[str, Any] = {
        "owner_id": str(thread.owner_id),
        "message_count": world.messages.count(thread.id),
        "total_message_sent": world.messages.count(thread.id),
        "member_count": len(thread.members),
        "thread_metadata": {
            "archived": thread.archived,
            "auto_archive_duration": thread.auto_archive_minutes,
            "archive_timestamp": opened,
            "locked": thread.locked,
            "create_timestamp": opened,
        },
    }
    if viewer_id in thread.members:
        fields["member"] = thread_member_payload(thread, int(viewer_id or 0))
    return fields


def thread_member_payload(thread: Channel, user_id: int) -> dict[str, Any]:
    """Return somebody as member of a thread."""
    return {
        "id": str(thread.id),
        "user_id": str(user_id),
        "join_timestamp": iso_time(snowflake_time(thread.id)),
        "flags": 0,
    }


def guild_payload(world: World, guild: Guild) -> dict[str, Any]:
    """Return a guild with its roles, as REST does."""
    return {
        "id": str(guild.id),
        "name": guild.name,
        "icon": None,
        "splash": None,
        "discovery_splash": None,
        "description": None,
        "owner_id": str(guild.owner_id),
        "afk_channel_id": None,
        "afk_timeout": 300,
        "verification_level": 0,
        "default_message_notifications": 0,
        "explicit_content_filter": 0,
        "roles": [role_payload(role) for role in world.directory.roles_of(guild.id)],
        "emojis": [],
        "stickers": [],
        "features": [],
        "mfa_level": 0,
        "nsfw_level": 0,
        "premium_tier": 0,
        "premium_subscription_count": 0,
        "premium_progress_bar_enabled": False,
        "preferred_locale": "en-US",
        "system_channel_id": None,
        "system_channel_flags": 0,
        "rules_channel_id": None,
        "public_updates_channel_id": None,
        "safety_alerts_channel_id": None,
        "max_members": 500_000,
        "vanity_url_code": None,
        "banner": None,
    }


def guild_snapshot(
    world: World, guild: Guild, viewer_id: int, *, all_members: bool
) -> dict[str, Any]:
    """Return a guild as the gateway tells it to a bot that comes online.

    Without the presence intent Discord sends only those members who are in voice, and the bot.
    """
    directory, calls = world.directory, world.calls
    channels = directory.channels_of(guild.id)
    members = directory.members_of(guild.id)
    in_voice = {state.user_id for state in calls.states_of(guild.id)} | {viewer_id}
    shown = [each for each in members if all_members or each.user_id in in_voice]
    return guild_payload(world, guild) | {
        "joined_at": iso_time(directory.member(guild.id, viewer_id).joined_time),
        "large": len(members) > 250,
        "unavailable": False,
        "member_count": len(members),
        "voice_states": [
            voice_state_payload(world, state, with_member=False)
            for state in calls.states_of(guild.id)
        ],
        "members": [member_payload(world, member) for member in shown],
        "channels": [channel_payload(world, each) for each in channels if not each.kind.is_thread],
        "threads": [
            channel_payload(world, each, viewer_id=viewer_id)
            for each in channels
            if each.kind.is_thread
            and not each.archived
            and directory.permissions(viewer_id, each) & Permission.VIEW_CHANNEL
        ],
        "presences": [],
        "stage_instances": [],
        "guild_scheduled_events": [],
        "soundboard_sounds": [],
    }
