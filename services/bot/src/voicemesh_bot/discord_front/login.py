"""Keeping the bot logged in to Discord.

discord.py resumes a gateway connection by itself; what it gives up on is tried again here, with
longer and longer waits, because the console and the other services go on without Discord.
"""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import aiohttp
import discord
from discord.gateway import DiscordWebSocket
from discord.http import Route
from yarl import URL

from voicemesh_chassis.logs import get_logger

if TYPE_CHECKING:
    from collections.abc import Callable

    from voicemesh_bot.discord_front.client import DiscordClient

__all__ = ("DiscordAddresses", "stay_connected", "use_addresses")

log = get_logger(__name__)

FIRST_WAIT_S = 5.0
LONGEST_WAIT_S = 300.0


@dataclass(frozen=True, slots=True)
class DiscordAddresses:
    """Where Discord is, when it is not Discord itself: a local simulator."""

    api: str
    """Root of the REST API, such as `http://127.0.0.1:8090/api/v10`."""

    gateway: str
    """Address of the gateway, such as `ws://127.0.0.1:8090/gateway`."""


def use_addresses(addresses: DiscordAddresses) -> None:
    """Point discord.py, in this whole process, at another Discord."""
    Route.BASE = addresses.api
    DiscordWebSocket.DEFAULT_GATEWAY = URL(addresses.gateway)


async def stay_connected(make_client: Callable[[bool], DiscordClient], token: str) -> None:
    """Log in and stay, until cancelled or until Discord refuses for good.

    A refused token is said in one sentence in the log, and this returns: trying again would not
    help, and Discord limits wrong logins.

    Args:
        make_client: makes a client for a login, with or without the content of all messages, which
            an application has to be allowed to see.
        token: of the application.
    """
    # At DEBUG discord.py logs what people write.
    logging.getLogger("discord").setLevel(logging.INFO)
    wait_s, message_content = FIRST_WAIT_S, True
    while True:
        began_s = time.monotonic()
        try:
            async with make_client(message_content) as client:
                await client.start(token)
        except discord.LoginFailure:
            log.error("Discord: the token in DISCORD_TOKEN was refused; the console runs alone")
            return
        except discord.PrivilegedIntentsRequired:
            if not message_content:
                log.error("Discord: a privileged intent is needed; the console runs alone")
                return
            log.warning(
                "Discord: the message content intent is off in the developer portal, so `!name` "
                "works after a mention only; set VOICEMESH_BOT_DISCORD__MESSAGE_CONTENT=false to "
                "go without from the start"
            )
            message_content = False
            continue
        except (aiohttp.ClientError, OSError, discord.DiscordException) as error:
            if time.monotonic() - began_s > LONGEST_WAIT_S:
                wait_s = FIRST_WAIT_S  # It was connected: this is a new failure.
            log.warning(
                "Discord: connection failed, trying again",
                error=type(error).__name__,
                wait_s=wait_s,
            )
        else:
            return
        await asyncio.sleep(wait_s)
        wait_s = min(wait_s * 2, LONGEST_WAIT_S)
