"""Who the bot is, and where the gateway is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from discordsim.gateway.intents import application_flags
from discordsim.rest.call import Call, Route, answer
from discordsim.wire import channel_payload, user_payload

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiohttp import web

__all__ = ("routes",)


async def _me(call: Call) -> web.Response:
    user = call.world.directory.user(call.bot_id)
    return answer(user_payload(user) | {"verified": True, "mfa_enabled": True, "flags": 0})


async def _rename_me(call: Call) -> web.Response:
    body = await call.json()
    if name := body.get("username"):
        call.world.directory.change_user(call.bot_id, name=str(name), display_name=str(name))
    return await _me(call)


async def _user(call: Call) -> web.Response:
    return answer(user_payload(call.world.directory.user(call.number("user_id"))))


async def _my_guilds(call: Call) -> web.Response:
    directory = call.world.directory
    return answer(
        [
            {
                "id": str(guild.id),
                "name": guild.name,
                "icon": None,
                "owner": guild.owner_id == call.bot_id,
                "permissions": str(directory.guild_permissions(call.bot_id, guild.id)),
                "features": [],
            }
            for guild in directory.guilds_of(call.bot_id)
        ]
    )


async def _leave_guild(call: Call) -> web.Response:
    call.world.directory.remove_member(call.guild_id(), call.bot_id)
    return answer(None, 204)


async def _open_direct_messages(call: Call) -> web.Response:
    body = await call.json()
    other = call.world.directory.user(int(body.get("recipient_id") or 0))
    channel = call.world.directory.direct_channel(call.bot_id, other.id)
    return answer(channel_payload(call.world, channel, viewer_id=call.bot_id))


async def _application(call: Call) -> web.Response:
    directory, bot_id = call.world.directory, call.bot_id
    account = directory.bot(bot_id)
    flags = application_flags(0 if account is None else account.privileged_intents)
    guilds = directory.guilds_of(bot_id)
    owner_id = guilds[0].owner_id if guilds else bot_id
    return answer(
        {
            "id": str(bot_id),
            "name": directory.display_name(bot_id),
            "icon": None,
            "description": "",
            "bot_public": True,
            "bot_require_code_grant": False,
            "verify_key": "0" * 64,
            "owner": user_payload(directory.user(owner_id)),
            "team": None,
            "flags": flags,
            "approximate_guild_count": len(guilds),
        }
    )


def routes(gateway_uri: Callable[[], str]) -> tuple[Route, ...]:
    """Return the routes.

    Args:
        gateway_uri: tells where bots find the gateway.
    """

    async def gateway(call: Call) -> web.Response:
        del call
        return answer({"url": gateway_uri()})

    async def gateway_of_bot(call: Call) -> web.Response:
        del call
        starts = {"total": 1000, "remaining": 1000, "reset_after": 0, "max_concurrency": 1}
        return answer({"url": gateway_uri(), "shards": 1, "session_start_limit": starts})

    return (
        Route("GET", "/gateway", gateway, needs_login=False),
        Route("GET", "/gateway/bot", gateway_of_bot),
        Route("GET", "/users/@me", _me),
        Route("PATCH", "/users/@me", _rename_me),
        Route("GET", "/users/@me/guilds", _my_guilds),
        Route("DELETE", "/users/@me/guilds/{guild_id}", _leave_guild),
        Route("POST", "/users/@me/channels", _open_direct_messages),
        Route("GET", "/users/{user_id}", _user),
        Route("GET", "/oauth2/applications/@me", _application),
        Route("GET", "/applications/@me", _application),
    )
