"""Members of a guild: looking them up, their nicks and roles, moving and muting them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from discordsim.errors import invalid_form
from discordsim.permissions import Permission
from discordsim.rest.call import Call, Route, answer, no_content
from discordsim.wire import member_payload
from discordsim.world.content import too_long

if TYPE_CHECKING:
    from aiohttp import web

__all__ = ("ROUTES",)

_NICK_LIMIT = 32
_NEEDED = {
    "nick": Permission.MANAGE_NICKNAMES,
    "roles": Permission.MANAGE_ROLES,
    "mute": Permission.MUTE_MEMBERS,
    "deaf": Permission.DEAFEN_MEMBERS,
    "channel_id": Permission.MOVE_MEMBERS,
    "communication_disabled_until": Permission.MODERATE_MEMBERS,
}


async def _members(call: Call) -> web.Response:
    query = call.request.query
    after, limit = int(query.get("after") or 0), int(query.get("limit") or 1)
    found = sorted(call.world.directory.members_of(call.guild_id()), key=lambda each: each.user_id)
    later = [member for member in found if member.user_id > after]
    return answer([member_payload(call.world, member) for member in later[:limit]])


async def _search(call: Call) -> web.Response:
    guild_id, directory = call.guild_id(), call.world.directory
    start = call.request.query.get("query", "").casefold()
    limit = int(call.request.query.get("limit") or 1)
    found = [
        member
        for member in directory.members_of(guild_id)
        if directory.display_name(member.user_id, guild_id).casefold().startswith(start)
    ]
    return answer([member_payload(call.world, member) for member in found[:limit]])


async def _member(call: Call) -> web.Response:
    member = call.world.directory.member(call.guild_id(), call.user())
    return answer(member_payload(call.world, member))


async def _change_me(call: Call) -> web.Response:
    guild_id, body = call.guild_id(Permission.CHANGE_NICKNAME), await call.json()
    changes = {"nick": _nick(body)} if "nick" in body else {}
    member = call.world.directory.change_member(guild_id, call.bot_id, **changes)
    return answer(member_payload(call.world, member))


async def _change(call: Call) -> web.Response:
    body = await call.json()
    wanted = Permission(0)
    for name in body:
        wanted |= _NEEDED.get(name, Permission(0))
    guild_id, user_id = call.guild_id(wanted), call.user()
    directory, calls = call.world.directory, call.world.calls
    directory.member(guild_id, user_id)
    if body.get("channel_id") is not None:
        calls.move(guild_id, user_id, directory.channel(int(body["channel_id"])))
    elif "channel_id" in body:
        calls.leave(guild_id, user_id)
    changes: dict[str, Any] = {}
    if "nick" in body:
        changes["nick"] = _nick(body)
    if "roles" in body:
        roles = [directory.role(guild_id, int(each)) for each in body["roles"]]
        changes["role_ids"] = frozenset(role.id for role in roles)
    for name, field in (("mute", "server_mute"), ("deaf", "server_deaf")):
        if name in body:
            changes[field] = bool(body[name])
    if "communication_disabled_until" in body:
        changes["timed_out_until"] = body["communication_disabled_until"]
    member = directory.member(guild_id, user_id)
    if changes:
        member = directory.change_member(guild_id, user_id, **changes)
    if {"mute", "deaf"} & set(body):
        calls.repeat(guild_id, user_id)
    return answer(member_payload(call.world, member))


def _nick(body: dict[str, Any]) -> str | None:
    nick = str(body["nick"] or "")
    if len(nick) > _NICK_LIMIT:
        raise invalid_form({"nick": [too_long(_NICK_LIMIT)]})
    return nick or None


async def _kick(call: Call) -> web.Response:
    guild_id, user_id = call.guild_id(Permission.KICK_MEMBERS), call.user()
    call.world.calls.leave(guild_id, user_id)
    call.world.directory.remove_member(guild_id, user_id)
    return no_content()


async def _give_role(call: Call) -> web.Response:
    return _with_role(call, gains=True)


async def _take_role(call: Call) -> web.Response:
    return _with_role(call, gains=False)


def _with_role(call: Call, *, gains: bool) -> web.Response:
    guild_id = call.guild_id(Permission.MANAGE_ROLES)
    member = call.world.directory.member(guild_id, call.user())
    role = call.world.directory.role(guild_id, call.number("role_id"))
    held = member.role_ids | {role.id} if gains else member.role_ids - {role.id}
    if held != member.role_ids:
        call.world.directory.change_member(guild_id, member.user_id, role_ids=held)
    return no_content()


ROUTES = (
    Route("GET", "/guilds/{guild_id}/members", _members),
    Route("GET", "/guilds/{guild_id}/members/search", _search),
    Route("PATCH", "/guilds/{guild_id}/members/@me", _change_me),
    Route("GET", "/guilds/{guild_id}/members/{user_id}", _member),
    Route("PATCH", "/guilds/{guild_id}/members/{user_id}", _change),
    Route("DELETE", "/guilds/{guild_id}/members/{user_id}", _kick),
    Route("PUT", "/guilds/{guild_id}/members/{user_id}/roles/{role_id}", _give_role),
    Route("DELETE", "/guilds/{guild_id}/members/{user_id}/roles/{role_id}", _take_role),
)
"""What a bot may ask about members; `@me` stands for its own id."""
