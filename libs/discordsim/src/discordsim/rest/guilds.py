"""Guilds, their roles and channels, and voice states."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from discordsim.domain import ChannelKind, Overwrite
from discordsim.errors import invalid_form, unknown
from discordsim.permissions import Permission
from discordsim.rest.call import Call, Route, answer, no_content
from discordsim.wire import (
    channel_payload,
    guild_payload,
    role_payload,
    thread_member_payload,
    voice_state_payload,
)

if TYPE_CHECKING:
    from aiohttp import web

__all__ = ("ROUTES", "overwrites_of")


def overwrites_of(listed: list[dict[str, Any]]) -> tuple[Overwrite, ...]:
    """Return permission overwrites as they stand in a body."""
    return tuple(
        Overwrite(
            int(each["id"]),
            int(each.get("type") or 0) == 0,
            int(each.get("allow") or 0),
            int(each.get("deny") or 0),
        )
        for each in listed
    )


async def _guild(call: Call) -> web.Response:
    guild = call.world.directory.guild(call.guild_id())
    count = len(call.world.directory.members_of(guild.id))
    return answer(guild_payload(call.world, guild) | {"approximate_member_count": count})


async def _rename_guild(call: Call) -> web.Response:
    guild_id, body = call.guild_id(Permission.MANAGE_GUILD), await call.json()
    guild = call.world.directory.guild(guild_id)
    if name := body.get("name"):
        guild = call.world.directory.change_guild(guild_id, name=str(name))
    return answer(guild_payload(call.world, guild))


async def _channels(call: Call) -> web.Response:
    found = call.world.directory.channels_of(call.guild_id())
    return answer([channel_payload(call.world, each) for each in found if not each.kind.is_thread])


async def _create_channel(call: Call) -> web.Response:
    guild_id, body = call.guild_id(Permission.MANAGE_CHANNELS), await call.json()
    name = str(body.get("name") or "").strip()
    if not 1 <= len(name) <= 100:
        raise invalid_form(
            {"name": [("BASE_TYPE_BAD_LENGTH", "Must be between 1 and 100 in length.")]}
        )
    kind = ChannelKind(int(body.get("type") or 0))
    parent = body.get("parent_id")
    channel = call.world.directory.add_channel(
        kind,
        name.lower().replace(" ", "-") if kind is ChannelKind.TEXT else name,
        guild_id,
        parent_id=None if parent is None else int(parent),
        topic=body.get("topic"),
        user_limit=int(body.get("user_limit") or 0),
        overwrites=overwrites_of(body.get("permission_overwrites") or []),
    )
    return answer(channel_payload(call.world, channel), 201)


async def _threads(call: Call) -> web.Response:
    guild_id, world = call.guild_id(), call.world
    found = [
        each
        for each in world.directory.channels_of(guild_id)
        if each.kind.is_thread
        and not each.archived
        and world.directory.permissions(call.bot_id, each) & Permission.VIEW_CHANNEL
    ]
    return answer(
        {
            "threads": [channel_payload(world, each, viewer_id=call.bot_id) for each in found],
            "members": [
                thread_member_payload(each, call.bot_id)
                for each in found
                if call.bot_id in each.members
            ],
        }
    )


async def _roles(call: Call) -> web.Response:
    return answer([role_payload(role) for role in call.world.directory.roles_of(call.guild_id())])


async def _create_role(call: Call) -> web.Response:
    guild_id, body = call.guild_id(Permission.MANAGE_ROLES), await call.json()
    role = call.world.directory.add_role(
        guild_id, str(body.get("name") or "new role"), int(body.get("permissions") or 0)
    )
    return answer(role_payload(role))


async def _change_role(call: Call) -> web.Response:
    guild_id, body = call.guild_id(Permission.MANAGE_ROLES), await call.json()
    changes: dict[str, Any] = {}
    if body.get("name") is not None:
        changes["name"] = str(body["name"])
    if body.get("permissions") is not None:
        changes["permissions"] = int(body["permissions"])
    role = call.world.directory.change_role(guild_id, call.number("role_id"), **changes)
    return answer(role_payload(role))


async def _delete_role(call: Call) -> web.Response:
    guild_id = call.guild_id(Permission.MANAGE_ROLES)
    call.world.directory.delete_role(guild_id, call.number("role_id"))
    return no_content()


async def _voice_state(call: Call) -> web.Response:
    state = call.world.calls.state(call.guild_id(), call.user())
    if state is None:
        raise unknown("Voice State")
    return answer(voice_state_payload(call.world, state))


async def _change_voice_state(call: Call) -> web.Response:
    guild_id, user_id, body = call.guild_id(), call.user(), await call.json()
    state = call.world.calls.state(guild_id, user_id)
    if state is None or state.channel_id is None:
        raise unknown("Voice State")
    channel = call.world.directory.channel(state.channel_id)
    if user_id != call.bot_id or body.get("suppress") is False:
        call.world.directory.require(call.bot_id, channel, Permission.MUTE_MEMBERS)
    if body.get("request_to_speak_timestamp"):
        call.world.directory.require(call.bot_id, channel, Permission.REQUEST_TO_SPEAK)
    if "request_to_speak_timestamp" in body:
        asked = body["request_to_speak_timestamp"]
        call.world.calls.change(guild_id, user_id, asked_to_speak=asked)
    if "suppress" in body:
        call.world.calls.change(guild_id, user_id, suppress=bool(body["suppress"]))
    return no_content()


ROUTES = (
    Route("GET", "/guilds/{guild_id}", _guild),
    Route("PATCH", "/guilds/{guild_id}", _rename_guild),
    Route("GET", "/guilds/{guild_id}/channels", _channels),
    Route("POST", "/guilds/{guild_id}/channels", _create_channel),
    Route("GET", "/guilds/{guild_id}/threads/active", _threads),
    Route("GET", "/guilds/{guild_id}/roles", _roles),
    Route("POST", "/guilds/{guild_id}/roles", _create_role),
    Route("PATCH", "/guilds/{guild_id}/roles/{role_id}", _change_role),
    Route("DELETE", "/guilds/{guild_id}/roles/{role_id}", _delete_role),
    Route("GET", "/guilds/{guild_id}/voice-states/{user_id}", _voice_state),
    Route("PATCH", "/guilds/{guild_id}/voice-states/{user_id}", _change_voice_state),
)
"""What a bot may ask about a guild; `@me` stands for its own id."""
