"""Reactions to messages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from discordsim.permissions import Permission
from discordsim.rest.call import Call, Route, answer, no_content
from discordsim.wire import user_payload

if TYPE_CHECKING:
    from aiohttp import web

__all__ = ("ROUTES",)


async def _add(call: Call) -> web.Response:
    message = call.message(Permission.ADD_REACTIONS | Permission.READ_MESSAGE_HISTORY)
    call.world.messages.react(message, call.bot_id, call.request.match_info["emoji"])
    return no_content()


async def _remove(call: Call) -> web.Response:
    user_id = call.user()
    wanted = Permission.VIEW_CHANNEL
    if user_id != call.bot_id:
        wanted |= Permission.MANAGE_MESSAGES
    emoji = call.request.match_info["emoji"]
    call.world.messages.take_reaction_back(call.message(wanted), user_id, emoji)
    return no_content()


async def _users(call: Call) -> web.Response:
    message, emoji = call.message(), call.request.match_info["emoji"]
    ids = [
        user_id for each in message.reactions if each.emoji == emoji for user_id in each.user_ids
    ]
    return answer([user_payload(call.world.directory.user(each)) for each in ids])


async def _clear(call: Call) -> web.Response:
    message = call.message(Permission.MANAGE_MESSAGES)
    only = call.request.match_info.get("emoji")
    for reaction in message.reactions:
        if only in {None, reaction.emoji}:
            for user_id in reaction.user_ids:
                message = call.world.messages.take_reaction_back(message, user_id, reaction.emoji)
    return no_content()


_REACTIONS = "/channels/{channel_id}/messages/{message_id}/reactions"

ROUTES = (
    Route("PUT", _REACTIONS + "/{emoji}/@me", _add),
    Route("DELETE", _REACTIONS + "/{emoji}/{user_id}", _remove),
    Route("GET", _REACTIONS + "/{emoji}", _users),
    Route("DELETE", _REACTIONS + "/{emoji}", _clear),
    Route("DELETE", _REACTIONS, _clear),
)
"""What a bot may do with reactions; `@me` stands for its own id."""
