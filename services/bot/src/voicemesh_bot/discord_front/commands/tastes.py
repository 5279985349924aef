"""How people want to be heard and answered: `voice`, `language`, `names`, `timing`."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import discord
from discord import app_commands
from discord.ext import commands

from voicemesh_bot.conversation.options import BOUNDS, TIMINGS, ConversationOptions
from voicemesh_bot.discord_front.commands.arguments import Whom
from voicemesh_bot.discord_front.commands.context import (
    Context,
    guild_of,
    hybrid,
    reply,
    require_manager,
    rooms_of,
)
from voicemesh_bot.discord_front.commands.refusals import Refusal
from voicemesh_bot.discord_front.sentences import sentence_for
from voicemesh_chassis.errors import ServiceError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from voicemesh_bot.ports import VoiceCatalogue

__all__ = ("TasteCommands",)

_MOST_CHOICES = 25
"""What Discord shows at most."""

_MOST_SHOWN = 40
"""Voices that fit into a message."""

_DEFAULT = "default"

_COMPLETE_S = 2.0
"""Discord waits three seconds for suggestions."""


class TasteCommands(commands.Cog):
    """Commands about voices, languages and the bot's manners."""

    def __init__(self, voices: VoiceCatalogue) -> None:
        """Take who knows the voices that there are."""
        self._voices = voices

    @hybrid("Choose the voice that answers")
    @app_commands.describe(
        voice="its id, or default; without it I tell which one it is",
        whom="for you, or for everyone who has chosen none",
    )
    async def voice(self, ctx: Context, voice: str | None = None, whom: Whom = "me") -> None:
        """Changes or tells the voice."""
        await ctx.defer(ephemeral=True)
        if voice is None:
            await reply(ctx, await self._present(ctx, "voice"))
            return
        chosen = "" if voice.casefold() == _DEFAULT else voice
        if chosen and chosen not in await self._ids(guild_of(ctx).id):
            msg = (
                f"There is no voice {chosen[:100]!r}; `/voice` without an id tells those there are."
            )
            raise Refusal(msg)
        await _choose(ctx, whom, voice=chosen)
        named = f"by {chosen}" if chosen else "by the usual voice"
        await reply(ctx, f"I answer {_whom(whom)} {named}.")

    @voice.autocomplete("voice")
    async def _complete_voice(
        self, interaction: discord.Interaction, current: str
    ) -> list[app_commands.Choice[str]]:
        try:
            async with asyncio.timeout(_COMPLETE_S):
                ids = await self._ids(interaction.guild_id or 0)
        except (ServiceError, TimeoutError):
            ids = ()  # The command itself will say why.
        fitting = [id_ for id_ in (_DEFAULT, *ids) if current.casefold() in id_.casefold()]
        return [app_commands.Choice(name=id_[:100], value=id_) for id_ in fitting[:_MOST_CHOICES]]

    @hybrid("Say which language is spoken")
    @app_commands.describe(
        language="a code such as en or pt-BR, or default; without it I tell which one it is",
        whom="by you, or by everyone who has chosen none",
    )
    async def language(self, ctx: Context, language: str | None = None, whom: Whom = "me") -> None:
        """Changes or tells the language."""
        await ctx.defer(ephemeral=True)
        if language is None:
            await reply(ctx, await self._present(ctx, "language_code"))
            return
        chosen = "" if language.casefold() == _DEFAULT else language
        await _choose(ctx, whom, language_code=chosen)
        named = f"speak {chosen}" if chosen else "speak the usual language"
        await reply(ctx, f"I expect {_whom(whom)} to {named}.")

    @hybrid("Say by which names I am addressed among several people")
    @app_commands.describe(names="names with commas between them; none is my name in this server")
    @app_commands.default_permissions(manage_guild=True)
    async def names(self, ctx: Context, *, names: str = "") -> None:
        """Changes the bot's names."""
        require_manager(ctx)
        await ctx.defer(ephemeral=True)
        rooms, guild = rooms_of(ctx), guild_of(ctx)
        wanted = tuple(name for name in names.split(",") if name.strip())
        changed = await rooms.stores.guilds.change_guild(
            guild.id, lambda old: replace(old, names=wanted)
        )
        await rooms.refresh(guild.id)
        called = changed.names or (guild.me.display_name,)
        await reply(ctx, f"Among several people I answer to: {', '.join(called)}.")

    @hybrid("Change how I take turns in this server")
    @app_commands.describe(
        name="which timing; without it I tell all", seconds="how long; none is the usual"
    )
    @app_commands.default_permissions(manage_guild=True)
    async def timing(
        self, ctx: Context, name: str | None = None, seconds: float | None = None
    ) -> None:
        """Changes or tells the timings of the conversation."""
        require_manager(ctx)
        await ctx.defer(ephemeral=True)
        rooms, guild_id = rooms_of(ctx), guild_of(ctx).id
        if name is None:
            guild = await rooms.stores.guilds.guild(guild_id)
            await reply(ctx, _all_timings(guild.timings))
            return
        if name not in TIMINGS:
            msg = f"There is no timing {name[:50]!r}; `/timing` without a name tells all."
            raise Refusal(msg)
        if seconds is not None:
            ConversationOptions().with_timings({name: seconds})
        changed = await rooms.stores.guilds.change_guild(
            guild_id, lambda old: replace(old, timings=_with(old.timings, name, seconds))
        )
        await rooms.refresh(guild_id)
        now = changed.timings.get(name)
        await reply(ctx, f"{name} is {'as usual' if now is None else f'{now:g} s'}.")

    @timing.autocomplete("name")
    async def _complete_timing(
        self, _: discord.Interaction, current: str
    ) -> list[app_commands.Choice[str]]:
        fitting = [name for name in sorted(TIMINGS) if current.casefold() in name]
        return [app_commands.Choice(name=name, value=name) for name in fitting[:_MOST_CHOICES]]

    async def _ids(self, guild_id: int) -> tuple[str, ...]:
        return await self._voices.voice_ids(tenant=f"discord-{guild_id}")

    async def _present(self, ctx: Context, field: str) -> str:
        stores, guild_id = rooms_of(ctx).stores, guild_of(ctx).id
        guild = await stores.guilds.guild(guild_id)
        person = await stores.people.person(guild_id, ctx.author.id)
        noun = "voice" if field == "voice" else "language"
        mine, everyones = getattr(person, field), getattr(guild, field)
        lines = [
            f"Your {noun}: {mine or 'that of everyone'}.",
            f"Everyone's {noun}: {everyones or 'the usual one'}.",
        ]
        if field == "voice":
            lines.append(await self._all_voices(guild_id))
        return "\n".join(lines)[:2000]

    async def _all_voices(self, guild_id: int) -> str:
        try:
            ids = await self._ids(guild_id)
        except ServiceError as error:
            return sentence_for(error, "voice")
        shown = ", ".join(f"`{id_}`" for id_ in ids[:_MOST_SHOWN])
        return f"There are {len(ids)}: {shown}{', …' if len(ids) > _MOST_SHOWN else '.'}"


async def _choose(ctx: Context, whom: Whom, **change: Any) -> None:
    """Notes what a person, or the guild, wants."""
    rooms, guild_id = rooms_of(ctx), guild_of(ctx).id
    if whom == "everyone":
        require_manager(ctx)
        await rooms.stores.guilds.change_guild(guild_id, lambda old: replace(old, **change))
    else:
        await rooms.stores.people.change_person(
            guild_id, ctx.author.id, lambda old: replace(old, **change)
        )
    await rooms.refresh(guild_id)


def _whom(whom: Whom) -> str:
    return "you" if whom == "me" else "everyone"


def _with(timings: Mapping[str, float], name: str, seconds: float | None) -> dict[str, float]:
    kept = {key: value for key, value in timings.items() if key != name}
    return kept if seconds is None else {**kept, name: seconds}


def _all_timings(chosen: Mapping[str, float]) -> str:
    values = {name: getattr(ConversationOptions(), name) for name in sorted(TIMINGS)}
    lines = []
    for name, usual in values.items():
        least, most = BOUNDS[name]
        own = chosen.get(name)
        now = f"{usual:g} s" if own is None else f"**{own:g} s** (usually {usual:g} s)"
        lines.append(f"`{name}` {now}, {least:g} to {most:g} s")
    return "\n".join(lines)
