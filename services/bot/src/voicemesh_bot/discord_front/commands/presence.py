"""Where the bot is: `join`, `leave`, `autojoin`, `follow`, `leavewhenempty`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import discord
from discord import app_commands
from discord.ext import commands

from voicemesh_bot.discord_front.commands.arguments import (
    SecondsOrOff,
    SomebodyOrOff,
    VoicePlace,
    VoicePlaceOrOff,
)
from voicemesh_bot.discord_front.commands.context import (
    Context,
    guild_of,
    hybrid,
    may_manage,
    reply,
    require_manager,
    room_for,
    rooms_of,
)
from voicemesh_bot.discord_front.commands.refusals import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from voicemesh_bot.discord_front.rooms.room import VoiceChannel, VoiceRoom
    from voicemesh_bot.guilds import GuildVoice

__all__ = ("PresenceCommands",)


class PresenceCommands(commands.Cog):
    """Commands about where the bot is."""

    @hybrid("Come into a voice channel: yours, or the one you name")
    @app_commands.describe(channel="where to go; yours if you name none")
    async def join(self, ctx: Context, *, channel: VoicePlace = None) -> None:
        """Comes into a voice channel."""
        wanted = _wanted(ctx, channel)
        _require_free(ctx, rooms_of(ctx).room(guild_of(ctx).id), wanted)
        await ctx.defer(ephemeral=True)
        # Discord offers commands also where the bot may not write.
        told_in = ctx.channel if _may_write(ctx) else None
        await rooms_of(ctx).join(
            wanted, told_in=told_in, allow=lambda room: _require_free(ctx, room, wanted)
        )
        await reply(ctx, f"I am in {wanted.mention}.")

    @hybrid("Leave the voice channel")
    async def leave(self, ctx: Context) -> None:
        """Leaves the voice channel."""
        room = room_for(ctx)
        await ctx.defer(ephemeral=True)
        mention = room.channel.mention
        await rooms_of(ctx).leave(guild_of(ctx).id)
        await reply(ctx, f"I have left {mention}.")

    @hybrid("Join this channel by myself when somebody comes into it")
    @app_commands.describe(channel="the voice channel; none switches it off")
    @app_commands.default_permissions(manage_guild=True)
    async def autojoin(self, ctx: Context, *, channel: VoicePlaceOrOff = None) -> None:
        """Says which channel the bot joins by itself."""
        channel_id = None if channel is None else channel.id
        await self._change(ctx, lambda guild: replace(guild, auto_join_channel_id=channel_id))
        if channel is None:
            await reply(ctx, "I join no voice channel by myself.")
        else:
            await reply(ctx, f"I join {channel.mention} as soon as somebody is in it.")

    @hybrid("Follow somebody from voice channel to voice channel")
    @app_commands.describe(member="whom; nobody switches it off")
    @app_commands.default_permissions(manage_guild=True)
    async def follow(self, ctx: Context, *, member: SomebodyOrOff = None) -> None:
        """Says whom the bot follows."""
        user_id = None if member is None else member.id
        await self._change(ctx, lambda guild: replace(guild, follow_user_id=user_id))
        if member is None:
            await reply(ctx, "I follow nobody.")
        else:
            await reply(ctx, f"I follow {member.mention} from voice channel to voice channel.")

    @hybrid("Leave a voice channel in which nobody else is")
    @app_commands.describe(seconds="after how many seconds; none stays for ever")
    @app_commands.default_permissions(manage_guild=True)
    async def leavewhenempty(self, ctx: Context, seconds: SecondsOrOff = None) -> None:
        """Says when the bot leaves an empty channel."""
        await self._change(ctx, lambda guild: replace(guild, leave_when_empty_s=seconds))
        if seconds is None:
            await reply(ctx, "I stay in a voice channel though nobody else is there.")
        else:
            await reply(ctx, f"I leave a voice channel after {seconds} s in which nobody is there.")

    async def _change(self, ctx: Context, change: Callable[[GuildVoice], GuildVoice]) -> None:
        require_manager(ctx)
        await ctx.defer(ephemeral=True)
        rooms, guild_id = rooms_of(ctx), guild_of(ctx).id
        await rooms.stores.guilds.change_guild(guild_id, change)
        await rooms.refresh(guild_id)


def _wanted(ctx: Context, named: VoiceChannel | None) -> VoiceChannel:
    """The channel into which somebody may call the bot.

    Raises:
        Refusal: there is none, or they may not.
    """
    author = ctx.author
    if not isinstance(author, discord.Member):
        raise commands.NoPrivateMessage
    own = None if author.voice is None else author.voice.channel
    wanted = named or own
    if wanted is None or (own is None and not may_manage(ctx)):
        msg = "Go into a voice channel first: I come into yours, or into the one that you name."
        raise Refusal(msg)
    if not wanted.permissions_for(author).connect:
        msg = f"You may not go into {wanted.mention} yourself."
        raise Refusal(msg)
    return wanted


def _may_write(ctx: Context) -> bool:
    allowed = ctx.channel.permissions_for(guild_of(ctx).me)
    is_thread = isinstance(ctx.channel, discord.Thread)
    return allowed.send_messages_in_threads if is_thread else allowed.send_messages


def _require_free(ctx: Context, room: VoiceRoom | None, wanted: VoiceChannel) -> None:
    """Refuses to take the bot from others.

    Raises:
        Refusal: it is with others elsewhere.
    """
    if room is not None and room.channel.id != wanted.id and not may_manage(ctx):
        others = [each for each in room.channel.members if not each.bot]
        # Else anybody could send the bot away from a conversation, which `leave` does not allow.
        if others and ctx.author not in others:
            msg = f"I am with others in {room.channel.mention}; only they can take me elsewhere."
            raise Refusal(msg)
