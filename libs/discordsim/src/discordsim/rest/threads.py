"""Threads: opening them, and who is in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from discordsim.domain import ChannelKind
from discordsim.errors import RefusedError, unknown
from discordsim.permissions import Permission
from discordsim.rest.call import Call, Route, answer, no_content
from discordsim.wire import channel_payload, thread_member_payload

if TYPE_CHECKING:
    from aiohttp import web

    from discordsim.domain import Channel, Message

__all__ = ("ROUTES",)


async def _open(call: Call) -> web.Response:
    return await _opened(call, None)


async def _open_on_message(call: Call) -> web.Response:
    return await _opened(call, call.message())


async def _opened(call: Call, message: Message | None) -> web.Response:
    body = await call.json()
    private = message is None and int(body.get("type") or ChannelKind.PRIVATE_THREAD) == int(
        ChannelKind.PRIVATE_THREAD
    )
    thread = call.world.threads.open(
        call.bot_id,
        call.channel(),
        str(body.get("name") or ""),
        message=message,
        private=private,
        auto_archive_minutes=int(body.get("auto_archive_duration") or 1440),
    )
    return answer(channel_payload(call.world, thread, viewer_id=call.bot_id), 201)


def _thread(call: Call) -> Channel:
    thread = call.channel()
    if not thread.kind.is_thread:
        raise RefusedError(400, 50024, "Cannot execute action on this channel type")
    return thread


async def _join(call: Call) -> web.Response:
    call.world.threads.join(_thread(call), call.user())
    return no_content()


async def _leave(call: Call) -> web.Response:
    user_id = call.user()
    if user_id != call.bot_id:
        call.channel(Permission.MANAGE_THREADS)
    call.world.threads.leave(_thread(call), user_id)
    return no_content()


async def _members(call: Call) -> web.Response:
    thread = _thread(call)
    return answer([thread_member_payload(thread, each) for each in sorted(thread.members)])


async def _member(call: Call) -> web.Response:
    thread, user_id = _thread(call), call.user()
    if user_id not in thread.members:
        raise unknown("Member")
    return answer(thread_member_payload(thread, user_id))


_MEMBERS = "/channels/{channel_id}/thread-members"

ROUTES = (
    Route("POST", "/channels/{channel_id}/threads", _open),
    Route("POST", "/channels/{channel_id}/messages/{message_id}/threads", _open_on_message),
    Route("GET", _MEMBERS, _members),
    Route("GET", _MEMBERS + "/{user_id}", _member),
    Route("PUT", _MEMBERS + "/{user_id}", _join),
    Route("DELETE", _MEMBERS + "/{user_id}", _leave),
)
"""What a bot may ask about threads; `@me` stands for its own id."""
