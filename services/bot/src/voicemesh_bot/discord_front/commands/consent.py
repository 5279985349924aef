"""Who may be listened to: `consent`, and the buttons under the bot's greeting."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import discord
from discord import app_commands
from discord.ext import commands

from voicemesh_bot.discord_front.commands.arguments import YesNo
from voicemesh_bot.discord_front.commands.context import Context, guild_of, hybrid, reply, rooms_of
from voicemesh_bot.discord_front.commands.refusals import sentence_about
from voicemesh_bot.discord_front.troubles import troubles_logged
from voicemesh_chassis.database import DatabaseUnavailableError, StorageFullError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Coroutine

    from voicemesh_bot.discord_front.rooms.rooms import VoiceRooms
    from voicemesh_bot.guilds import Consent

__all__ = ("ConsentCommands", "ConsentView")

_GIVEN = "Thank you. I listen to you in this server's voice channels from now on."
_GIVEN_ONCE = "Thank you. I listen to you until I leave this voice channel."
_REFUSED = "I do not listen to you. What you said before goes when its time is over."
_UNDECIDED = "You have not agreed, so I do not listen to you."


class ConsentView(discord.ui.View):
    """Two buttons that work for as long as the message is there, also after a restart.

    The rooms are found through the client, so one view without arguments serves all messages.
    """

    def __init__(self) -> None:
        """Make one; register it once with `Client.add_view`."""
        super().__init__(timeout=None)

    @discord.ui.button(
        label="You may listen to me",
        style=discord.ButtonStyle.success,
        custom_id="voicemesh:consent:yes",
    )
    async def agree(
        self, interaction: discord.Interaction[Any], _: discord.ui.Button[ConsentView]
    ) -> None:
        """Somebody agrees."""
        await self._take(interaction, given=True)

    @discord.ui.button(
        label="Do not listen to me",
        style=discord.ButtonStyle.secondary,
        custom_id="voicemesh:consent:no",
    )
    async def refuse(
        self, interaction: discord.Interaction[Any], _: discord.ui.Button[ConsentView]
    ) -> None:
        """Somebody does not, or no more."""
        await self._take(interaction, given=False)

    async def on_error(
        self,
        interaction: discord.Interaction[Any],
        error: Exception,
        item: discord.ui.Item[Any],
        /,
    ) -> None:
        """Says what went wrong."""
        del item
        await _tell(interaction, sentence_about(error))

    async def _take(self, interaction: discord.Interaction[Any], *, given: bool) -> None:
        if interaction.guild_id is None:
            raise commands.NoPrivateMessage
        rooms: VoiceRooms = interaction.client.rooms
        async with _while_decided(interaction.response.defer(ephemeral=True, thinking=True)):
            await _decide(rooms, interaction.guild_id, interaction.user.id, given=given)
        await _tell(interaction, _GIVEN if given else _REFUSED)


class ConsentCommands(commands.Cog):
    """The command, for those who see no buttons."""

    @hybrid("Say whether I may listen to you")
    @app_commands.describe(
        answer="yes or no; without it I tell you what holds",
        remember="whether a yes holds beyond this stay in the voice channel",
    )
    async def consent(
        self,
        ctx: Context,
        answer: YesNo = "",
        remember: bool = True,
    ) -> None:
        """Takes a person's decision, or tells it."""
        rooms, guild_id = rooms_of(ctx), guild_of(ctx).id
        if not answer:
            await ctx.defer(ephemeral=True)
            known = await rooms.stores.consents.consent(guild_id, ctx.author.id)
            await reply(ctx, _present(known), view=ConsentView())
            return
        given = answer == "yes"
        async with _while_decided(ctx.defer(ephemeral=True)):
            await _decide(rooms, guild_id, ctx.author.id, given=given, remembered=remember)
        if given:
            await reply(ctx, _GIVEN if remember else _GIVEN_ONCE)
        else:
            await reply(ctx, _REFUSED)


async def _decide(
    rooms: VoiceRooms, guild_id: int, user_id: int, *, given: bool, remembered: bool = True
) -> None:
    try:
        await rooms.stores.consents.decide(guild_id, user_id, given=given, remembered=remembered)
    except (DatabaseUnavailableError, StorageFullError):
        if not given:
            # It cannot be noted: at least nobody is heard until the database is back.
            await rooms.refresh(guild_id)
        raise
    await rooms.refresh(guild_id)


@asynccontextmanager
async def _while_decided(defer: Coroutine[Any, Any, object]) -> AsyncIterator[None]:
    """Asks Discord for patience while a decision is noted; the database may take more than 3 s.

    The decision waits for nothing of Discord's, and holds also if Discord does not take the answer.
    """

    async def ask() -> None:
        with troubles_logged("an answer about consent"):
            await defer

    asking = asyncio.create_task(ask(), name="consent")
    try:
        yield
    finally:
        await asking


async def _tell(interaction: discord.Interaction[Any], sentence: str) -> None:
    """Answers who pressed a button, and nobody else."""
    with troubles_logged("an answer about consent"):
        if interaction.response.is_done():
            await interaction.followup.send(sentence, ephemeral=True)
        else:
            await interaction.response.send_message(sentence, ephemeral=True)


def _present(consent: Consent | None) -> str:
    if consent is None:
        return _UNDECIDED
    if not consent.given:
        return _REFUSED
    return "You have agreed: I listen to you." if consent.remembered else _GIVEN_ONCE
