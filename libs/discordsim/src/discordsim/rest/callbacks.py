"""A bot's first answer to an interaction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from discordsim.rest.bodies import Body, read_body
from discordsim.rest.call import Call, Route, answer, no_content
from discordsim.rest.drafts import edited_draft, new_draft
from discordsim.wire import message_payload
from discordsim.world.callbacks import CallbackType, check_callback

if TYPE_CHECKING:
    from aiohttp import web

    from discordsim.domain import Interaction, Message
    from discordsim.world.messages import Draft

__all__ = ("ROUTES",)


async def _answer(call: Call) -> web.Response:
    token = call.request.match_info["token"]
    interaction = call.world.interactions.unanswered(call.number("interaction_id"), token)
    body = await read_body(call)
    on_message = interaction.message_id is not None
    callback = check_callback(interaction.kind, body.fields, on_message=on_message)
    data = body.fields.get("data") or {}
    message = call.world.interactions.answer(
        interaction,
        call.world.directory.channel(interaction.channel_id),
        callback,
        data,
        _draft(call, interaction, callback, Body(data, body.files)),
    )
    if call.request.query.get("with_response", "").lower() not in {"1", "true"}:
        return no_content()
    return answer(_response(call, interaction, callback, message))


def _draft(
    call: Call, interaction: Interaction, callback: CallbackType, body: Body
) -> Draft | None:
    if callback is CallbackType.MESSAGE:
        return new_draft(body, call.world.ids, may_be_ephemeral=True)
    if callback is CallbackType.UPDATE_MESSAGE:
        message = call.world.messages.find(interaction.message_id or 0)
        return None if message is None else edited_draft(message, body, call.world.ids)
    return None


def _response(
    call: Call, interaction: Interaction, callback: CallbackType, message: Message | None
) -> dict[str, Any]:
    told: dict[str, Any] = {"id": str(interaction.id), "type": int(interaction.kind)}
    resource: dict[str, Any] = {"type": int(callback)}
    if message is not None:
        told |= {
            "response_message_id": str(message.id),
            "response_message_loading": message.is_loading,
            "response_message_ephemeral": message.is_ephemeral,
        }
        resource["message"] = message_payload(
            call.world, message, viewer_id=interaction.application_id
        )
    return {"interaction": told, "resource": resource}


ROUTES = (
    Route("POST", "/interactions/{interaction_id}/{token}/callback", _answer, needs_login=False),
)
"""How a bot answers."""
