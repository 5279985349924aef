"""How people see in Discord's own interface whether the bot listens.

A voice channel has a status line; and a bot that does not listen is deafened, so that Discord does
not even send it what people say.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import discord

from voicemesh_bot.discord_front.troubles import troubles_logged

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from voicemesh_bot.discord_front.voice_connection import VoiceConnection

__all__ = ("Sign",)

_SLOWEST_S = 3.0
"""Longest wait for Discord; the end of a room waits for it too."""

_LISTENING = "{name} is listening to those who agreed"


class Sign:
    """The sign of one room."""

    def __init__(self, connection: VoiceConnection) -> None:
        """Takes the room's connection, which knows in which channel it is."""
        self._connection = connection
        self._shown: tuple[int, bool] | None = None
        self._hung_in: discord.VoiceChannel | None = None

    def forget(self) -> None:
        """Notes that the connection is a new one, about which nothing was said yet."""
        self._shown = None

    async def show(self, *, listening: bool) -> None:
        """Shows whether the bot listens; does nothing if that is what is shown."""
        channel = self._connection.channel
        if channel is None or self._shown == (channel.id, listening):
            return
        self._shown = (channel.id, listening)
        deaf = not listening
        if channel.guild.me.voice is not None and channel.guild.me.voice.self_deaf is not deaf:
            await _politely(channel.guild.change_voice_state(channel=channel, self_deaf=deaf))
        if not listening or self._hung_in not in {None, channel}:
            await self.take_down()
            self._shown = (channel.id, listening)
        if listening:
            await self._hang(channel)

    async def take_down(self) -> None:
        """Clears the status line, if the bot wrote it; the next `show` writes it anew."""
        channel, self._hung_in = self._hung_in, None
        self._shown = None
        if channel is not None and self._may_clear(channel):
            await _politely(channel.edit(status=None))

    async def _hang(self, channel: discord.VoiceChannel | discord.StageChannel) -> None:
        # Stages have a topic instead, which belongs to whoever speaks there.
        if isinstance(channel, discord.VoiceChannel) and _may_write(channel):
            status = _LISTENING.format(name=channel.guild.me.display_name)
            self._hung_in = channel  # Before: if this is cancelled, Discord may have it already.
            await _politely(channel.edit(status=status))

    def _may_clear(self, channel: discord.VoiceChannel) -> bool:
        # Who was moved away by a moderator needs more than who is still there.
        here = self._connection.channel
        is_here = here is not None and here.id == channel.id
        allowed = channel.permissions_for(channel.guild.me)
        return allowed.set_voice_channel_status and (is_here or allowed.manage_channels)


def _may_write(channel: discord.VoiceChannel) -> bool:
    return channel.permissions_for(channel.guild.me).set_voice_channel_status


async def _politely(action: Awaitable[object]) -> None:
    """A courtesy: what goes wrong with it is in the log, and nothing else follows."""
    with troubles_logged("the sign of a voice room"):
        async with asyncio.timeout(_SLOWEST_S):
            await action
