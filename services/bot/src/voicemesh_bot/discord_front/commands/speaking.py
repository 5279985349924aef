"""What the bot says and hears now: `say`, `stop`, `listen`."""

from __future__ import annotations

from dataclasses import replace

from discord import app_commands
from discord.ext import commands

from voicemesh_bot.discord_front.commands.arguments import OnOff
from voicemesh_bot.discord_front.commands.context import (
    Context,
    guild_of,
    hybrid,
    reply,
    require_part,
    room_for,
    rooms_of,
)
from voicemesh_bot.discord_front.commands.refusals import Refusal
from voicemesh_bot.discord_front.mentions import name_lookup, with_names

__all__ = ("SpeakingCommands",)


class SpeakingCommands(commands.Cog):
    """Commands about what is said and heard at this moment."""

    @hybrid("Say something aloud in the voice channel")
    @app_commands.describe(text="what to say")
    async def say(self, ctx: Context, *, text: commands.Range[str, 1, 1000]) -> None:
        """Says a text after what is being said."""
        room = room_for(ctx)
        if not text.strip():
            msg = "Say what? Write it after the command."
            raise Refusal(msg)
        await ctx.defer(ephemeral=True)
        await room.say(with_names(text, name_lookup(ctx.guild, ctx.message.mentions)))
        await reply(ctx, "Said, or about to be.")

    @hybrid("Be quiet at once")
    async def stop(self, ctx: Context) -> None:
        """Falls silent."""
        room = room_for(ctx)
        await ctx.defer(ephemeral=True)
        await room.stop()
        await reply(ctx, "I am quiet.")

    @hybrid("Listen to those who agreed, or to nobody")
    @app_commands.describe(state="on or off")
    async def listen(self, ctx: Context, state: OnOff) -> None:
        """Listens, or not."""
        require_part(ctx)
        await ctx.defer(ephemeral=True)
        rooms, guild_id = rooms_of(ctx), guild_of(ctx).id
        listen = state == "on"
        await rooms.stores.guilds.change_guild(
            guild_id, lambda guild: replace(guild, listen=listen)
        )
        await rooms.refresh(guild_id)
        await reply(ctx, "I listen to those who agreed." if listen else "I listen to nobody.")
