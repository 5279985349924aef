"""What was said, in writing: `captions` and `transcript`."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import TYPE_CHECKING

import discord
from discord import app_commands
from discord.ext import commands

from voicemesh_bot.discord_front.commands.arguments import FileFormat, OnOff, WrittenPlace
from voicemesh_bot.discord_front.commands.context import (
    Context,
    guild_of,
    hybrid,
    may_manage,
    reply,
    require_part,
    rooms_of,
)
from voicemesh_bot.discord_front.commands.refusals import Refusal
from voicemesh_bot.transcripts.exports import TranscriptFormat
from voicemesh_bot.transcripts.files import transcript_file

if TYPE_CHECKING:
    from voicemesh_bot.guilds import TranscriptSession

__all__ = ("WritingCommands",)

_MOST_SESSIONS = 100
_NOTHING_KEPT = "Nothing that was said is kept."


class WritingCommands(commands.Cog):
    """Commands about what was said."""

    @hybrid("Show what is said in the voice channel as text")
    @app_commands.describe(
        state="on or off", place="channel or thread; the voice channel's own chat if you name none"
    )
    async def captions(self, ctx: Context, state: OnOff, *, place: WrittenPlace = None) -> None:
        """Switches captions on and off."""
        guild = guild_of(ctx)
        require_part(ctx)
        if place is not None:
            _require_writing(place, guild.me, ctx.author)
        elif state == "on" and (room := rooms_of(ctx).room(guild.id)) is not None:
            _require_writing(room.channel, guild.me, ctx.author)
        await ctx.defer(ephemeral=True)
        rooms, place_id = rooms_of(ctx), None if place is None else place.id
        await rooms.stores.guilds.change_guild(
            guild.id,
            lambda old: replace(old, captions=state == "on", captions_channel_id=place_id),
        )
        await rooms.refresh(guild.id)
        where = "the voice channel's chat" if place is None else place.mention
        await reply(
            ctx, f"Captions are shown in {where}." if state == "on" else "Captions are off."
        )

    @hybrid("Send what was said as a file")
    @app_commands.describe(format="plain text, subtitles, or JSON for programs")
    async def transcript(self, ctx: Context, format: FileFormat = "txt") -> None:
        """Sends the transcript of the present or the latest stay in a voice channel."""
        guild, rooms = guild_of(ctx), rooms_of(ctx)
        await ctx.defer(ephemeral=True)
        if (room := rooms.room(guild.id)) is not None:
            await room.flush_transcript()
        session = await self._latest(ctx)
        file = None
        if session is not None:
            file = await transcript_file(
                rooms.stores.transcripts,
                guild.id,
                TranscriptFormat(format),
                session_id=session.session_id,
            )
        if file is None:
            await reply(ctx, _NOTHING_KEPT)
            return
        if len(file.content) > guild.filesize_limit:
            msg = "The transcript is larger than Discord takes here."
            raise Refusal(msg)
        attachment = discord.File(io.BytesIO(file.content), filename=file.name)
        await reply(ctx, "This was said:", file=attachment)

    async def _latest(self, ctx: Context) -> TranscriptSession | None:
        """The latest stay in a channel that the person may go into themselves."""
        guild = guild_of(ctx)
        store = rooms_of(ctx).stores.transcripts
        for session in await store.sessions(guild.id, limit=_MOST_SESSIONS):
            channel = guild.get_channel(session.channel_id)
            may_enter = (
                isinstance(ctx.author, discord.Member)
                and channel is not None
                and channel.permissions_for(ctx.author).connect
            )
            if may_enter or may_manage(ctx):
                return session
        return None


def _require_writing(
    place: discord.abc.GuildChannel | discord.Thread,
    me: discord.Member,
    author: discord.User | discord.Member,
) -> None:
    """Refuses a place where the bot may not write, or where who wants it there may not."""
    if not _may_write(place, me):
        msg = f"I may not write in {place.mention}."
        raise Refusal(msg)
    if not (isinstance(author, discord.Member) and _may_write(place, author)):
        msg = f"You may not write in {place.mention}."
        raise Refusal(msg)


def _may_write(place: discord.abc.GuildChannel | discord.Thread, member: discord.Member) -> bool:
    allowed = place.permissions_for(member)
    is_thread = isinstance(place, discord.Thread)
    may_send = allowed.send_messages_in_threads if is_thread else allowed.send_messages
    return allowed.view_channel and may_send
