"""What a bot says to an interaction after its first answer; its token is the login."""

from __future__ import annotations

from typing import TYPE_CHECKING

from discordsim.errors import unknown
from discordsim.rest.bodies import read_body
from discordsim.rest.call import Call, Route, answer, no_content
from discordsim.rest.drafts import edited_draft, new_draft
from discordsim.wire import message_payload

if TYPE_CHECKING:
    from aiohttp import web

    from discordsim.domain import Interaction, Message

__all__ = ("ROUTES",)


def _interaction(call: Call) -> Interaction:
    token = call.request.match_info["token"]
    return call.world.interactions.of_token(call.number("application_id"), token)


def _message(call: Call, interaction: Interaction) -> Message:
    if call.request.match_info["message_id"] == "@original":
        return call.world.interactions.original(interaction)
    message = call.world.messages.get(interaction.channel_id, call.number("message_id"))
    if message.application_id != interaction.application_id:
        raise unknown("Message")
    return message


def _answered(call: Call, interaction: Interaction, message: Message) -> web.Response:
    viewer = interaction.application_id
    return answer(message_payload(call.world, message, viewer_id=viewer))


async def _follow_up(call: Call) -> web.Response:
    interaction = _interaction(call)
    draft = new_draft(await read_body(call), call.world.ids, may_be_ephemeral=True)
    channel = call.world.directory.channel(interaction.channel_id)
    message = call.world.interactions.follow_up(interaction, channel, draft)
    return _answered(call, interaction, message)


async def _get(call: Call) -> web.Response:
    interaction = _interaction(call)
    return _answered(call, interaction, _message(call, interaction))


async def _edit(call: Call) -> web.Response:
    interaction = _interaction(call)
    message = _message(call, interaction)
    draft = edited_draft(message, await read_body(call), call.world.ids)
    return _answered(call, interaction, call.world.interactions.fill(message, draft))


async def _delete(call: Call) -> web.Response:
    interaction = _interaction(call)
    call.world.messages.delete(_message(call, interaction))
    return no_content()


_WEBHOOK = "/webhooks/{application_id}/{token}"
_ONE = _WEBHOOK + "/messages/{message_id}"

ROUTES = (
    Route("POST", _WEBHOOK, _follow_up, needs_login=False),
    Route("GET", _ONE, _get, needs_login=False),
    Route("PATCH", _ONE, _edit, needs_login=False),
    Route("DELETE", _ONE, _delete, needs_login=False),
)
"""Follow-ups; `@original` stands for the id of the first answer."""
