"""Application commands, of all guilds or of one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from discordsim.errors import RefusedError, invalid_form, missing_access
from discordsim.rest.call import Call, Route, answer, no_content

if TYPE_CHECKING:
    from aiohttp import web

    from discordsim.domain import Command

__all__ = ("ROUTES",)


def _scope(call: Call) -> tuple[int, int | None]:
    """The application, which must be the bot's own, and the guild or None."""
    application_id = call.number("application_id")
    if application_id != call.bot_id:
        raise RefusedError(403, 20012, "You are not authorized to perform this action")
    if "guild_id" not in call.request.match_info:
        return application_id, None
    guild_id = call.number("guild_id")
    if not call.world.directory.is_member(guild_id, call.bot_id):
        raise missing_access()
    return application_id, guild_id


def _payload(command: Command) -> dict[str, Any]:
    payload = dict(command.definition) | {
        "id": str(command.id),
        "application_id": str(command.application_id),
        "version": str(command.id),
    }
    return payload if command.guild_id is None else payload | {"guild_id": str(command.guild_id)}


def _command(call: Call) -> Command:
    return call.world.commands.get(*_scope(call), call.number("command_id"))


async def _list(call: Call) -> web.Response:
    return answer([_payload(each) for each in call.world.commands.of(*_scope(call))])


async def _get(call: Call) -> web.Response:
    return answer(_payload(_command(call)))


async def _overwrite(call: Call) -> web.Response:
    scope, definitions = _scope(call), await call.json_value()
    if not isinstance(definitions, list) or not all(isinstance(each, dict) for each in definitions):
        raise invalid_form(
            {"_": [("LIST_TYPE_CONVERT", "Only iterables of commands may be used.")]}
        )
    return answer([_payload(each) for each in call.world.commands.overwrite(*scope, definitions)])


async def _upsert(call: Call) -> web.Response:
    scope, definition = _scope(call), await call.json()
    return answer(_payload(call.world.commands.upsert(*scope, definition)), 201)


async def _edit(call: Call) -> web.Response:
    command, changes = _command(call), await call.json()
    return answer(_payload(call.world.commands.edit(command, changes)))


async def _delete(call: Call) -> web.Response:
    call.world.commands.delete(_command(call))
    return no_content()


def _routes(root: str) -> tuple[Route, ...]:
    return (
        Route("GET", root, _list),
        Route("PUT", root, _overwrite),
        Route("POST", root, _upsert),
        Route("GET", root + "/{command_id}", _get),
        Route("PATCH", root + "/{command_id}", _edit),
        Route("DELETE", root + "/{command_id}", _delete),
    )


ROUTES = (
    *_routes("/applications/{application_id}/commands"),
    *_routes("/applications/{application_id}/guilds/{guild_id}/commands"),
)
"""How a bot registers its commands."""
