"""Messages: writing, reading, changing, deleting and pinning them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from discordsim.errors import RefusedError, invalid_form
from discordsim.gateway.intents import Intent
from discordsim.permissions import Permission
from discordsim.rest.bodies import read_body
from discordsim.rest.call import Call, Route, answer, no_content
from discordsim.rest.drafts import edited_draft, new_draft
from discordsim.wire import message_payload
from discordsim.wire.people import iso_time

if TYPE_CHECKING:
    from aiohttp import web

    from discordsim.domain import Message

__all__ = ("ROUTES",)


def _payload(call: Call, message: Message) -> dict[str, Any]:
    """A message as this bot may read it."""
    account = call.account
    readable = account is not None and bool(account.privileged_intents & Intent.MESSAGE_CONTENT)
    return message_payload(call.world, message, viewer_id=call.bot_id, with_content=readable)


async def _write(call: Call) -> web.Response:
    channel = call.channel()
    draft = new_draft(await read_body(call), call.world.ids)
    call.world.messages.require_writing(call.bot_id, channel, draft)
    return answer(_payload(call, call.world.messages.write(call.bot_id, channel, draft)))


async def _message(call: Call) -> web.Response:
    return answer(_payload(call, call.message(Permission.READ_MESSAGE_HISTORY)))


async def _history(call: Call) -> web.Response:
    channel = call.channel()
    held = call.world.directory.permissions(call.bot_id, channel)
    if not held & Permission.READ_MESSAGE_HISTORY:
        return answer([])
    query = call.request.query
    limit = int(query.get("limit") or 50)
    if not 1 <= limit <= 100:
        raise invalid_form(
            {"limit": [("NUMBER_TYPE_MAX", "int value should be between 1 and 100.")]}
        )
    found = list(call.world.messages.history(channel.id))
    if "before" in query:
        found = [each for each in found if each.id < int(query["before"])][-limit:]
    elif "after" in query:
        found = [each for each in found if each.id > int(query["after"])][:limit]
    elif "around" in query:
        middle = int(query["around"])
        # Ids have times in them, so it is by place, not by difference, that a message is near.
        place = sum(each.id < middle for each in found)
        found = found[max(0, place - limit // 2) :][:limit]
    return answer([_payload(call, each) for each in reversed(found[-limit:])])


async def _edit(call: Call) -> web.Response:
    message = call.message()
    body = await read_body(call)
    if message.author_id != call.bot_id:
        if set(body.fields) - {"flags"}:
            raise RefusedError(403, 50005, "Cannot edit a message authored by another user")
        call.message(Permission.MANAGE_MESSAGES)
    draft = edited_draft(message, body, call.world.ids)
    return answer(_payload(call, call.world.messages.edit(message, draft)))


async def _delete(call: Call) -> web.Response:
    message = call.message()
    if message.author_id != call.bot_id:
        call.message(Permission.MANAGE_MESSAGES)
    call.world.messages.delete(message)
    return no_content()


async def _delete_many(call: Call) -> web.Response:
    channel = call.channel(Permission.MANAGE_MESSAGES)
    body = await call.json()
    ids = tuple(int(each) for each in body.get("messages") or ())
    if not 2 <= len(ids) <= 100:
        raise RefusedError(400, 50016, "You can only bulk delete between 2 and 100 messages.")
    call.world.messages.delete_many(channel.id, ids)
    return no_content()


async def _pins(call: Call) -> web.Response:
    channel = call.channel(Permission.READ_MESSAGE_HISTORY)
    found = [each for each in call.world.messages.history(channel.id) if each.pinned]
    return answer([_payload(call, each) for each in reversed(found)])


async def _paged_pins(call: Call) -> web.Response:
    channel = call.channel(Permission.READ_MESSAGE_HISTORY)
    found = [each for each in call.world.messages.history(channel.id) if each.pinned]
    items = [
        {"pinned_at": iso_time(each.created_time), "message": _payload(call, each)}
        for each in reversed(found)
    ]
    return answer({"items": items, "has_more": False})


async def _pin(call: Call) -> web.Response:
    call.world.messages.pin(call.message(Permission.MANAGE_MESSAGES), pinned=True)
    return no_content()


async def _unpin(call: Call) -> web.Response:
    call.world.messages.pin(call.message(Permission.MANAGE_MESSAGES), pinned=False)
    return no_content()


_MESSAGES = "/channels/{channel_id}/messages"
_ONE = _MESSAGES + "/{message_id}"

ROUTES = (
    Route("POST", _MESSAGES, _write),
    Route("GET", _MESSAGES, _history),
    Route("POST", _MESSAGES + "/bulk-delete", _delete_many),
    Route("GET", _MESSAGES + "/pins", _paged_pins),
    Route("PUT", _MESSAGES + "/pins/{message_id}", _pin),
    Route("DELETE", _MESSAGES + "/pins/{message_id}", _unpin),
    Route("GET", "/channels/{channel_id}/pins", _pins),
    Route("PUT", "/channels/{channel_id}/pins/{message_id}", _pin),
    Route("DELETE", "/channels/{channel_id}/pins/{message_id}", _unpin),
    Route("GET", _ONE, _message),
    Route("PATCH", _ONE, _edit),
    Route("DELETE", _ONE, _delete),
)
"""What a bot may do with messages."""
