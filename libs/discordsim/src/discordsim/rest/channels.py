"""Channels: looking them up, changing them, typing, voice status."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from discordsim.domain import ChannelKind, Overwrite
from discordsim.errors import invalid_form
from discordsim.permissions import Permission
from discordsim.rest.call import Call, Route, answer, no_content
from discordsim.rest.guilds import overwrites_of
from discordsim.wire import channel_payload

if TYPE_CHECKING:
    from aiohttp import web

    from discordsim.domain import Channel

__all__ = ("ROUTES",)

_TEXTS = ("name", "topic")
_NUMBERS = {"user_limit": "user_limit", "bitrate": "bitrate", "rate_limit_per_user": "slowmode_s"}


async def _channel(call: Call) -> web.Response:
    return answer(channel_payload(call.world, call.channel(), viewer_id=call.bot_id))


async def _change(call: Call) -> web.Response:
    channel, body = call.channel(), await call.json()
    if channel.kind.is_thread:
        if channel.owner_id != call.bot_id:
            call.channel(Permission.MANAGE_THREADS)
        changes = _thread_changes(body)
    else:
        call.channel(Permission.MANAGE_CHANNELS)
        changes = _changes(body)
    if "name" in body and not 1 <= len(str(body["name"] or "")) <= 100:
        raise invalid_form(
            {"name": [("BASE_TYPE_BAD_LENGTH", "Must be between 1 and 100 in length.")]}
        )
    changed = call.world.directory.change_channel(channel.id, **changes)
    return answer(channel_payload(call.world, changed, viewer_id=call.bot_id))


def _changes(body: dict[str, Any]) -> dict[str, Any]:
    changes: dict[str, Any] = {name: body[name] for name in _TEXTS if name in body}
    for name, field in _NUMBERS.items():
        if body.get(name) is not None:
            changes[field] = int(body[name])
    if "parent_id" in body:
        changes["parent_id"] = None if body["parent_id"] is None else int(body["parent_id"])
    if body.get("permission_overwrites") is not None:
        changes["overwrites"] = overwrites_of(body["permission_overwrites"])
    return changes


def _thread_changes(body: dict[str, Any]) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    for name in ("name", "archived", "locked"):
        if name in body:
            changes[name] = body[name]
    if body.get("auto_archive_duration") is not None:
        changes["auto_archive_minutes"] = int(body["auto_archive_duration"])
    return changes


async def _delete(call: Call) -> web.Response:
    channel = call.channel()
    if channel.kind is not ChannelKind.DM:
        wanted = Permission.MANAGE_THREADS if channel.kind.is_thread else Permission.MANAGE_CHANNELS
        call.channel(wanted)
        call.world.directory.delete_channel(channel.id)
    return answer(channel_payload(call.world, channel, viewer_id=call.bot_id))


async def _type(call: Call) -> web.Response:
    call.world.messages.type_in(call.bot_id, call.channel())
    return no_content()


async def _set_voice_status(call: Call) -> web.Response:
    channel = call.channel(Permission.SET_VOICE_CHANNEL_STATUS)
    state = None
    if channel.guild_id is not None:
        state = call.world.calls.state(channel.guild_id, call.bot_id)
    if state is None or state.channel_id != channel.id:
        call.channel(Permission.MANAGE_CHANNELS)  # who is not in it has to manage it
    body = await call.json()
    call.world.calls.set_status(channel, body.get("status"))
    return no_content()


async def _overwrite(call: Call) -> web.Response:
    channel, body = call.channel(Permission.MANAGE_ROLES), await call.json()
    target = call.number("target_id")
    wanted = Overwrite(
        target,
        int(body.get("type") or 0) == 0,
        int(body.get("allow") or 0),
        int(body.get("deny") or 0),
    )
    _with_overwrites(call, channel, target, (wanted,))
    return no_content()


async def _delete_overwrite(call: Call) -> web.Response:
    channel = call.channel(Permission.MANAGE_ROLES)
    _with_overwrites(call, channel, call.number("target_id"), ())
    return no_content()


def _with_overwrites(
    call: Call, channel: Channel, target: int, wanted: tuple[Overwrite, ...]
) -> None:
    others = tuple(each for each in channel.overwrites if each.target_id != target)
    changed = replace(channel, overwrites=(*others, *wanted))
    call.world.directory.change_channel(channel.id, overwrites=changed.overwrites)


ROUTES = (
    Route("GET", "/channels/{channel_id}", _channel),
    Route("PATCH", "/channels/{channel_id}", _change),
    Route("DELETE", "/channels/{channel_id}", _delete),
    Route("POST", "/channels/{channel_id}/typing", _type),
    Route("PUT", "/channels/{channel_id}/voice-status", _set_voice_status),
    Route("PUT", "/channels/{channel_id}/permissions/{target_id}", _overwrite),
    Route("DELETE", "/channels/{channel_id}/permissions/{target_id}", _delete_overwrite),
)
"""What a bot may ask about a channel."""
