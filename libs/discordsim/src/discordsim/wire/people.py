"""Users, members and voice states as JSON."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from discordsim.domain import Member, User, VoiceState
    from discordsim.world import World

__all__ = ("iso_time", "member_payload", "user_payload", "voice_state_payload")


def iso_time(seconds: float) -> str:
    """Return a time, in seconds since 1970, as Discord writes it."""
    return datetime.fromtimestamp(seconds, UTC).isoformat()


def user_payload(user: User) -> dict[str, Any]:
    """Return a user."""
    return {
        "id": str(user.id),
        "username": user.name,
        "discriminator": "0000" if user.is_bot else "0",
        "global_name": None if user.is_bot else user.display_name,
        "avatar": None,
        "bot": user.is_bot,
        "system": False,
        "public_flags": 0,
    }


def member_payload(world: World, member: Member, *, with_user: bool = True) -> dict[str, Any]:
    """Return a member; inside messages Discord leaves the user out."""
    payload: dict[str, Any] = {
        "nick": member.nick,
        "avatar": None,
        "roles": [str(each) for each in sorted(member.role_ids)],
        "joined_at": iso_time(member.joined_time),
        "premium_since": None,
        "deaf": member.server_deaf,
        "mute": member.server_mute,
        "flags": 0,
        "pending": False,
        "communication_disabled_until": member.timed_out_until,
    }
    if with_user:
        payload["user"] = user_payload(world.directory.user(member.user_id))
    return payload


def voice_state_payload(
    world: World, state: VoiceState, *, with_member: bool = True
) -> dict[str, Any]:
    """Return where somebody is in voice."""
    payload: dict[str, Any] = {
        "guild_id": str(state.guild_id),
        "channel_id": None if state.channel_id is None else str(state.channel_id),
        "user_id": str(state.user_id),
        "session_id": state.session_id,
        "deaf": False,
        "mute": False,
        "self_deaf": state.self_deaf,
        "self_mute": state.self_mute,
        "self_video": False,
        "suppress": state.suppress,
        "request_to_speak_timestamp": state.asked_to_speak,
    }
    if world.directory.is_member(state.guild_id, state.user_id):
        member = world.directory.member(state.guild_id, state.user_id)
        payload["deaf"], payload["mute"] = member.server_deaf, member.server_mute
        if with_member:
            payload["member"] = member_payload(world, member)
    return payload
