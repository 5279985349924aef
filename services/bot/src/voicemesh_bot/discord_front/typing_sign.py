"""Discord's "… is typing" for as long as an answer is made: one request lasts ten seconds."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import aiohttp
import discord

from voicemesh_chassis.logs import get_logger

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

__all__ = ("typing_shown",)

_log = get_logger(__name__)

_EVERY_S = 8.0
_MOST = 30
"""Four minutes; an answer that is not there by then is not worth more requests."""


@asynccontextmanager
async def typing_shown(
    send: Callable[[], Awaitable[Any]], *, every_s: float = _EVERY_S, most: int = _MOST
) -> AsyncIterator[None]:
    """Shows the sign within the block; that Discord refuses it does no harm to the answer.

    Args:
        send: asks Discord once.
        every_s: seconds between two requests.
        most: most requests.
    """
    typing = asyncio.create_task(_keep_typing(send, every_s, most), name="discord typing")
    try:
        yield
    finally:
        typing.cancel()
        await asyncio.wait({typing})


async def _keep_typing(send: Callable[[], Awaitable[Any]], every_s: float, most: int) -> None:
    try:
        for _ in range(most):
            await send()
            await asyncio.sleep(every_s)
    except (discord.DiscordException, aiohttp.ClientError, OSError) as error:
        _log.warning("discord does not show typing", error=type(error).__name__)
