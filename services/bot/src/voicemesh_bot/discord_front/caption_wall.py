"""Captions as messages in a channel or thread."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import aiohttp
import discord

from voicemesh_chassis.logs import get_logger

if TYPE_CHECKING:
    from discord.abc import Messageable

__all__ = ("ChannelWall",)

_logger = get_logger(__name__)

_MOST_PAGES = 16
"""More than captions ever go back to."""

_SLOWEST_S = 30.0
"""Longest wait for Discord; discord.py waits by itself where it is told to slow down."""


class ChannelWall:
    """A `CaptionWall` on Discord. Nobody is pinged, and what a person deleted stays deleted."""

    def __init__(self, channel: Messageable) -> None:
        """Takes the channel or thread; nothing is sent before there is a caption."""
        self._channel = channel
        self._messages: dict[int, discord.Message | None] = {}
        self._failing = False

    async def show(self, page: int, content: str) -> None:
        """See `CaptionWall.show`."""
        try:
            async with asyncio.timeout(_SLOWEST_S):
                await self._show(page, content)
        except discord.HTTPException as error:
            self._complain(status=error.status, discord_code=error.code)
        except (aiohttp.ClientError, OSError) as error:
            # TimeoutError is one of these.
            self._complain(error=type(error).__name__)
        else:
            self._failing = False

    async def _show(self, page: int, content: str) -> None:
        if page not in self._messages:
            if content:
                self._messages[page] = await self._send(content)
            return
        message = self._messages[page]
        if message is None:
            return
        if not content:
            del self._messages[page]
            await message.delete()
            return
        try:
            self._messages[page] = await message.edit(content=content)
        except discord.NotFound:
            self._messages[page] = None

    async def _send(self, content: str) -> discord.Message:
        while len(self._messages) >= _MOST_PAGES:
            del self._messages[min(self._messages)]
        nobody = discord.AllowedMentions.none()
        return await self._channel.send(content, silent=True, allowed_mentions=nobody)

    def _complain(self, **facts: object) -> None:
        """Says it once, not at every caption that follows."""
        if not self._failing:
            self._failing = True
            _logger.warning("captions cannot be shown", **facts)
