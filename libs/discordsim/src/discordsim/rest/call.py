"""One request with whoever sends it."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aiohttp import web

from discordsim.errors import RefusedError, invalid_form, missing_access
from discordsim.permissions import Permission

if TYPE_CHECKING:
    from discordsim.domain import BotAccount, Channel, Message
    from discordsim.world import World

__all__ = ("Call", "Handler", "Route", "answer", "no_content")


def answer(payload: object, status: int = 200) -> web.Response:
    """Return a JSON answer; discord.py compares the content type literally, without charset."""
    return web.Response(
        body=json.dumps(payload).encode(),
        status=status,
        headers={"Content-Type": "application/json"},
    )


def no_content() -> web.Response:
    """Return an empty answer."""
    return web.Response(status=204)


@dataclass(frozen=True, slots=True)
class Call:
    """What a route works with."""

    request: web.Request
    world: World
    account: BotAccount | None
    """The bot; None on routes that need no login."""

    @property
    def bot_id(self) -> int:
        """Who sends the request.

        Raises:
            RefusedError: nobody who is logged in.
        """
        if self.account is None:
            raise RefusedError(401, 0, "401: Unauthorized")
        return self.account.id

    def number(self, name: str) -> int:
        """Return an id out of the path.

        Raises:
            RefusedError: it is no id.
        """
        text = self.request.match_info[name]
        if not text.isdecimal():
            raise invalid_form(
                {name: [("NUMBER_TYPE_COERCE", f'Value "{text}" is not snowflake.')]}
            )
        return int(text)

    def user(self, name: str = "user_id") -> int:
        """Return the id of a user out of the path; `@me` is the bot.

        Raises:
            RefusedError: it is no id.
        """
        return self.bot_id if self.request.match_info[name] == "@me" else self.number(name)

    def channel(self, wanted: Permission = Permission.VIEW_CHANNEL) -> Channel:
        """Return the channel of the path.

        Raises:
            RefusedError: there is none, or the bot may not do there what is `wanted`.
        """
        channel = self.world.directory.channel(self.number("channel_id"))
        self.world.directory.require(self.bot_id, channel, wanted)
        return channel

    def guild_id(self, wanted: Permission | None = None) -> int:
        """Return the id of the guild of the path.

        Raises:
            RefusedError: there is none, or the bot is not in it or may not do what is `wanted`.
        """
        guild_id = self.world.directory.guild(self.number("guild_id")).id
        if wanted is not None:
            self.world.directory.require_in_guild(self.bot_id, guild_id, wanted)
        elif not self.world.directory.is_member(guild_id, self.bot_id):
            raise missing_access()
        return guild_id

    def message(self, wanted: Permission = Permission.VIEW_CHANNEL) -> Message:
        """Return the message of the path.

        Raises:
            RefusedError: there is none that the bot sees, or it may not do what is `wanted`.
        """
        found = self.world.messages.get(self.channel(wanted).id, self.number("message_id"))
        if found.visible_to is not None:
            raise RefusedError(404, 10008, "Unknown Message")
        return found

    async def json(self) -> dict[str, Any]:
        """Return the body, an object.

        Raises:
            RefusedError: it is none.
        """
        body = await self.json_value()
        if not isinstance(body, dict):
            raise RefusedError(400, 50109, "The request body contains invalid JSON.")
        return body

    async def json_value(self) -> Any:
        """Return the body; an empty one is an empty object.

        Raises:
            RefusedError: it is no JSON.
        """
        text = await self.request.text()
        try:
            return json.loads(text) if text else {}
        except ValueError as error:
            raise RefusedError(400, 50109, "The request body contains invalid JSON.") from error


Handler = Callable[[Call], Awaitable[web.Response]]
"""Answers one kind of request; raises `RefusedError` for what Discord refuses."""


@dataclass(frozen=True, slots=True)
class Route:
    """A kind of request."""

    method: str
    path: str
    """Below the version, with names in braces."""
    handler: Handler
    needs_login: bool = True

    @property
    def name(self) -> str:
        """How tests and the transcript call it."""
        return f"{self.method} {self.path}"
