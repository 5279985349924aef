"""What commands need: the rooms behind the bot, and who may do what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import discord
from discord import app_commands
from discord.ext import commands

from voicemesh_bot.discord_front.commands.refusals import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from voicemesh_bot.discord_front.rooms.room import VoiceRoom
    from voicemesh_bot.discord_front.rooms.rooms import VoiceRooms

__all__ = (
    "Context",
    "guild_of",
    "hybrid",
    "may_manage",
    "reply",
    "require_manager",
    "require_part",
    "room_for",
    "rooms_of",
)

Context: TypeAlias = commands.Context[Any]
"""A use of a command in either form."""

_NOWHERE = "I am in no voice channel here; `/join` brings me into yours."
_ELSEWHERE = "You have to be in {channel}, where I am, to do that."
_MANAGERS = "Only people who may manage this server can do that."


def hybrid(
    description: str,
) -> Callable[[Callable[..., Coroutine[Any, Any, None]]], commands.HybridCommand[Any, ..., None]]:
    """A command of a cog in both forms, for guilds only, named like its method.

    Args:
        description: what Discord shows of it, 1 to 100 characters.
    """

    def decorate(
        action: Callable[..., Coroutine[Any, Any, None]],
    ) -> commands.HybridCommand[Any, ..., None]:
        # discord.py's own types say too little for the type checker.
        # What is left over was not understood: it is never ignored.
        make: Any = commands.hybrid_command(description=description, ignore_extra=False)
        made: commands.HybridCommand[Any, ..., None] = make(app_commands.guild_only(action))
        return made

    return decorate


def rooms_of(ctx: Context) -> VoiceRooms:
    """All voice rooms of the bot."""
    rooms: VoiceRooms = ctx.bot.rooms
    return rooms


def guild_of(ctx: Context) -> discord.Guild:
    """The guild in which a command is used.

    Raises:
        commands.NoPrivateMessage: it is used in direct messages.
    """
    if ctx.guild is None:
        raise commands.NoPrivateMessage
    return ctx.guild


def may_manage(ctx: Context) -> bool:
    """Whether the person may decide for the whole guild."""
    return isinstance(ctx.author, discord.Member) and ctx.author.guild_permissions.manage_guild


def require_manager(ctx: Context) -> None:
    """Refuses people who may not decide for the whole guild.

    Raises:
        Refusal: as it says.
    """
    guild_of(ctx)
    if not may_manage(ctx):
        raise Refusal(_MANAGERS)


def room_for(ctx: Context) -> VoiceRoom:
    """The guild's room, for somebody who is in it or may manage the guild.

    Raises:
        Refusal: there is none, or the person may not decide about it.
    """
    room = rooms_of(ctx).room(guild_of(ctx).id)
    if room is None:
        raise Refusal(_NOWHERE)
    if ctx.author.id not in room.channel.voice_states and not may_manage(ctx):
        raise Refusal(_ELSEWHERE.format(channel=room.channel.mention))
    return room


def require_part(ctx: Context) -> None:
    """Refuses people who neither are in the guild's room nor may manage the guild.

    Raises:
        Refusal: as it says.
    """
    if not may_manage(ctx):
        room_for(ctx)


async def reply(ctx: Context, sentence: str, **options: Any) -> None:
    """Answers a command; a slash command's answer is seen by who used it alone."""
    nobody = discord.AllowedMentions.none()
    await ctx.send(sentence, ephemeral=True, allowed_mentions=nobody, **options)
