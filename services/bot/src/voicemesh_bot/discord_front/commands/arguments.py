"""What people may write after a command, the same for `!name` and `/name`.

discord.py takes an argument that it does not understand for one that was left out, where it may be
left out; for a command that reads "nothing" as "off", that is a decision nobody made. These refuse
it instead, and take words in any case and names with spaces in them.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

import discord
from discord import AppCommandOptionType, ChannelType, app_commands
from discord.ext import commands

from voicemesh_bot.discord_front.commands.context import Context, guild_of
from voicemesh_bot.guilds.voice import LEAVE_WHEN_EMPTY_S

__all__ = (
    "FileFormat",
    "OnOff",
    "SecondsOrOff",
    "SomebodyOrOff",
    "VoicePlace",
    "VoicePlaceOrOff",
    "Whom",
    "WrittenPlace",
    "YesNo",
)

_OFF = "off"
_MENTION = re.compile(r"<#(\d+)>")
_LONGEST = 50
"""Characters of what somebody wrote that are said back to them."""


class _Word(commands.Converter[str], app_commands.Transformer):
    """One of a few words; Discord offers them, and `!` takes them in any case."""

    def __init__(self, *words: str) -> None:
        self._words = words

    @property
    def choices(self) -> list[app_commands.Choice[str | int | float]]:
        return [app_commands.Choice(name=word, value=word) for word in self._words]

    async def transform(self, interaction: discord.Interaction[Any], value: str, /) -> str:
        del interaction
        return value

    async def convert(self, ctx: Context, argument: str) -> str:
        del ctx
        word = argument.casefold()
        if word not in self._words:
            msg = f"I do not understand {argument[:_LONGEST]!r}: it is {' or '.join(self._words)}."
            raise commands.BadArgument(msg)
        return word


class _Place(commands.Converter[Any], app_commands.Transformer):
    """A channel of some types."""

    def __init__(self, what: str, *types: ChannelType, or_off: bool = False) -> None:
        self._what = what
        self._types = types
        self._or_off = or_off

    @property
    def type(self) -> AppCommandOptionType:
        return AppCommandOptionType.channel

    @property
    def channel_types(self) -> list[ChannelType]:
        return list(self._types)

    async def transform(
        self,
        interaction: discord.Interaction[Any],
        value: app_commands.AppCommandChannel | app_commands.AppCommandThread,
        /,
    ) -> Any:
        del interaction
        place = value.resolve()
        if place is None:
            msg = f"I cannot see {value.mention}."
            raise commands.BadArgument(msg)
        return place

    async def convert(self, ctx: Context, argument: str) -> Any:
        if self._or_off and argument.casefold() == _OFF:
            return None
        written = _MENTION.sub(r"\1", argument).removeprefix("#").casefold()
        guild = guild_of(ctx)
        for place in (*guild.channels, *guild.threads):
            # A text channel may have the name of a voice channel.
            if place.type in self._types and written in {str(place.id), place.name.casefold()}:
                return place
        msg = f"I know no {self._what} {argument[:_LONGEST]!r} in this server."
        raise commands.BadArgument(msg)


class _Somebody(commands.Converter[Any], app_commands.Transformer):
    """A member of the guild, or off."""

    @property
    def type(self) -> AppCommandOptionType:
        return AppCommandOptionType.user

    async def transform(
        self, interaction: discord.Interaction[Any], value: discord.User | discord.Member, /
    ) -> discord.Member:
        del interaction
        if not isinstance(value, discord.Member):
            msg = f"{value.display_name} is not in this server."
            raise commands.BadArgument(msg)
        return value

    async def convert(self, ctx: Context, argument: str) -> discord.Member | None:
        if argument.casefold() == _OFF:
            return None
        try:
            return await commands.MemberConverter().convert(ctx, argument)
        except commands.MemberNotFound:
            msg = f"I know nobody called {argument[:_LONGEST]!r} in this server."
            raise commands.BadArgument(msg) from None


class _Seconds(commands.Converter[Any], app_commands.Transformer):
    """How long the bot stays alone, or off."""

    @property
    def type(self) -> AppCommandOptionType:
        return AppCommandOptionType.integer

    @property
    def min_value(self) -> int:
        return int(LEAVE_WHEN_EMPTY_S[0])

    @property
    def max_value(self) -> int:
        return int(LEAVE_WHEN_EMPTY_S[1])

    async def transform(self, interaction: discord.Interaction[Any], value: int, /) -> int:
        del interaction
        return value

    async def convert(self, ctx: Context, argument: str) -> int | None:
        del ctx
        if argument.casefold() == _OFF:
            return None
        try:
            seconds = int(argument)
        except ValueError:
            seconds = -1
        if not self.min_value <= seconds <= self.max_value:
            msg = (
                f"I do not understand {argument[:_LONGEST]!r}: it is a number of seconds from "
                f"{self.min_value} to {self.max_value}, or off."
            )
            raise commands.BadArgument(msg)
        return seconds


_VOICE = (ChannelType.voice, ChannelType.stage_voice)
_WRITTEN = (ChannelType.text, ChannelType.public_thread, ChannelType.private_thread)

OnOff = Annotated[Literal["on", "off"], _Word("on", "off")]
"""On or off."""

YesNo = Annotated[Literal["yes", "no", ""], _Word("yes", "no")]
"""Yes or no; empty if nothing is said."""

Whom = Annotated[Literal["me", "everyone"], _Word("me", "everyone")]
"""For whom something is decided."""

FileFormat = Annotated[str, _Word("txt", "srt", "json")]
"""The ending of a file."""

VoicePlace = Annotated[
    discord.VoiceChannel | discord.StageChannel | None, _Place("voice channel", *_VOICE)
]
"""A voice channel; None if none is named."""

VoicePlaceOrOff = Annotated[
    discord.VoiceChannel | discord.StageChannel | None,
    _Place("voice channel", *_VOICE, or_off=True),
]
"""A voice channel; None if none is named, or off."""

WrittenPlace = Annotated[
    discord.TextChannel | discord.Thread | None, _Place("text channel or thread", *_WRITTEN)
]
"""A channel for text, or a thread; None if none is named."""

SomebodyOrOff = Annotated[discord.Member | None, _Somebody()]
"""A member; None if none is named, or off."""

SecondsOrOff = Annotated[int | None, _Seconds()]
"""A number of seconds; None if none is given, or off."""
