"""A bot as people write them with discord.py: it does not know that it talks to a simulator."""

from __future__ import annotations

import io
import logging
import os
from typing import Any

import discord
from discord import app_commands
from discord.ext import commands

Interaction = discord.Interaction[Any]


class Choice(discord.ui.View):
    """Two buttons and a menu."""

    @discord.ui.button(label="Yes", custom_id="yes")
    async def yes(self, interaction: Interaction, button: discord.ui.Button[Any]) -> None:
        button.disabled = True
        await interaction.response.edit_message(
            content=f"{interaction.user.display_name} said yes", view=self
        )

    @discord.ui.button(label="Later", custom_id="later")
    async def later(self, interaction: Interaction, button: discord.ui.Button[Any]) -> None:
        del button
        await interaction.response.send_message("only you see this", ephemeral=True)

    @discord.ui.select(
        custom_id="colour",
        placeholder="Colour",
        options=[discord.SelectOption(label=c) for c in ("red", "blue")],
    )
    async def colour(self, interaction: Interaction, menu: discord.ui.Select[Any]) -> None:
        await interaction.response.send_message(f"you like {menu.values[0]}")


class Survey(discord.ui.Modal, title="Survey"):
    """A form with one line."""

    answer: discord.ui.TextInput[Any] = discord.ui.TextInput(label="How was it?", max_length=20)

    async def on_submit(self, interaction: Interaction) -> None:
        await interaction.response.send_message(f"noted: {self.answer.value}")


class Everything(commands.Bot):
    """Answers to `!` and to slash commands."""

    def __init__(self) -> None:
        super().__init__("!", intents=discord.Intents.all())

    async def setup_hook(self) -> None:
        self.add_view(Choice(timeout=None))
        self.tree.add_command(config)
        await self.tree.sync()

    async def on_resumed(self) -> None:
        logging.warning("resumed")

    async def on_raw_reaction_add(self, payload: discord.RawReactionActionEvent) -> None:
        if self.user is None or payload.user_id == self.user.id:
            return
        channel = self.get_channel(payload.channel_id)
        if isinstance(channel, discord.TextChannel):
            message = await channel.fetch_message(payload.message_id)
            await message.add_reaction(payload.emoji)

    async def on_message_edit(self, before: discord.Message, after: discord.Message) -> None:
        if not after.author.bot:
            await after.channel.send(f"was {before.content!r}, is {after.content!r}")

    async def on_message_delete(self, message: discord.Message) -> None:
        if not message.author.bot:
            await message.channel.send(f"gone: {message.content!r}")

    async def on_voice_state_update(
        self, member: discord.Member, before: discord.VoiceState, after: discord.VoiceState
    ) -> None:
        if not member.bot and before.channel != after.channel:
            where = after.channel.name if after.channel else "nowhere"
            channel = discord.utils.get(member.guild.text_channels, name="general")
            assert channel is not None
            await channel.send(f"{member.display_name} is in {where}")


bot = Everything()
config = app_commands.Group(name="config", description="Settings", guild_only=True)


@config.command(description="Choose a number")
@app_commands.describe(number="which")
async def level(interaction: Interaction, number: app_commands.Range[int, 1, 5]) -> None:
    await interaction.response.send_message(f"level {number}", ephemeral=True)


@bot.tree.command(description="Answer after a while")
async def slow(interaction: Interaction, text: str) -> None:
    await interaction.response.defer(thinking=True)
    await interaction.edit_original_response(content=f"first {text}")
    await interaction.followup.send(f"then {text}")


@bot.tree.command(description="Say who that is")
async def who(
    interaction: Interaction, person: discord.Member, file: discord.Attachment | None = None
) -> None:
    size = len(await file.read()) if file else 0
    await interaction.response.send_message(
        f"{person.display_name}, {size} bytes", file=discord.File(io.BytesIO(b"about"), "about.txt")
    )


@bot.tree.command(description="Pick a fruit")
async def fruit(interaction: Interaction, name: str) -> None:
    await interaction.response.send_message(name)


@fruit.autocomplete("name")
async def fruits(interaction: Interaction, current: str) -> list[app_commands.Choice[str]]:
    del interaction
    found = [name for name in ("apple", "apricot", "pear") if name.startswith(current)]
    return [app_commands.Choice(name=name.title(), value=name) for name in found]


@bot.tree.command(description="Open a form")
async def survey(interaction: Interaction) -> None:
    await interaction.response.send_modal(Survey())


@bot.tree.command(description="Never answers")
async def silent(interaction: Interaction) -> None:
    del interaction


@bot.tree.context_menu(name="Shout")
async def shout(interaction: Interaction, message: discord.Message) -> None:
    await interaction.response.send_message(message.content.upper())


@bot.command()
async def ask(context: commands.Context[Any]) -> None:
    await context.send("Shall we?", view=Choice(timeout=None))


@bot.command()
async def grow(context: commands.Context[Any]) -> None:
    message = await context.reply("one")
    await message.edit(content="one two")
    await message.edit(content="one two three")


@bot.command()
async def read(context: commands.Context[Any]) -> None:
    async with context.typing():
        texts = [(await file.read()).decode() for file in context.message.attachments]
    await context.send(" and ".join(texts))


@bot.command()
async def history(context: commands.Context[Any]) -> None:
    texts = [message.content async for message in context.channel.history(limit=3)]
    await context.send(" < ".join(texts))


@bot.command()
async def thread(context: commands.Context[Any]) -> None:
    opened = await context.message.create_thread(name="talk")
    await opened.send("in here")


@bot.command()
async def long(context: commands.Context[Any]) -> None:
    try:
        await context.send("x" * 2001)
    except discord.HTTPException as error:
        await context.send(f"{error.status} {error.code}: {error.text}")


@bot.command()
async def secret(context: commands.Context[Any]) -> None:
    assert context.guild is not None
    channel = discord.utils.get(context.guild.text_channels, name="secret")
    assert channel is not None
    try:
        await channel.send("psst")
    except discord.Forbidden as error:
        await context.send(f"{error.status} {error.code}: {error.text}")


@bot.command()
async def members(context: commands.Context[Any]) -> None:
    assert context.guild is not None
    names = sorted(member.display_name for member in context.guild.members if not member.bot)
    await context.send(", ".join(names))


bot.run(os.environ["DISCORD_TOKEN"], log_level=logging.WARNING)
