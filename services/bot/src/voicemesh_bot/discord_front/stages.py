"""Stage channels, whose visitors are heard only once they are speakers."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import discord

__all__ = ("come_on_stage",)


async def come_on_stage(channel: discord.StageChannel) -> str:
    """Makes the bot a speaker where it may, and else asks that somebody does.

    Args:
        channel: the stage, which the bot is in.

    Returns:
        For people: why the bot can be heard by nobody yet; empty if it can.

    Raises:
        discord.HTTPException: Discord does not let it.
    """
    me = channel.guild.me
    if me.voice is None or not me.voice.suppress:
        return ""
    allowed = channel.permissions_for(me)
    if allowed.mute_members:
        await me.edit(suppress=False)
        return ""
    if allowed.request_to_speak:
        await me.request_to_speak()
        return f"I can only listen in {channel.name} until a moderator invites me to speak."
    return (
        f"I can only listen in {channel.name}: a moderator must invite me to speak, or give me the"
        " permission Mute Members there."
    )
