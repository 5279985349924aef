"""The bot as a member of Discord: it answers mentions, direct messages and `/ask` in text.

It needs no privileged intent. Every answer is a task that this client owns and cancels when it
closes.
"""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import TYPE_CHECKING, Any

import aiohttp
import discord
from discord import app_commands

from voicemesh_bot.discord_front.addressing import Incoming, question_of
from voicemesh_bot.discord_front.answers import ChannelBusyError, Question, WrittenAnswers
from voicemesh_bot.discord_front.canvas import Canvas, on_interaction, on_message
from voicemesh_bot.discord_front.mentions import name_lookup, with_names
from voicemesh_bot.discord_front.sentences import BUSY, NOTHING_ASKED, sentence_for
from voicemesh_bot.discord_front.typing_sign import typing_shown
from voicemesh_chassis.errors import ServiceError
from voicemesh_chassis.logs import get_logger

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

__all__ = ("DiscordClient", "intents", "invite_link")

log = get_logger(__name__)

QUESTION_LIMIT = 2000
"""Most characters of a question to `/ask`."""


def intents() -> discord.Intents:
    """Return what Discord has to tell the bot: guilds, and messages without privileged content."""
    return discord.Intents(guilds=True, guild_messages=True, dm_messages=True)


def invite_link(application_id: int) -> str:
    """Return the address at which an administrator adds the bot to a guild, with what it needs."""
    permissions = discord.Permissions(
        view_channel=True,
        send_messages=True,
        send_messages_in_threads=True,
        read_message_history=True,
    )
    return discord.utils.oauth_url(
        application_id, permissions=permissions, scopes=("bot", "applications.commands")
    )


class DiscordClient(discord.Client):
    """Answers people in text. Start it with `login.run_client`."""

    def __init__(self, answers: WrittenAnswers) -> None:
        """Answer by `answers`; nothing connects before the client is started."""
        super().__init__(intents=intents(), allowed_mentions=discord.AllowedMentions.none())
        self._written = answers
        self._answers: set[asyncio.Task[None]] = set()
        self._leaving = False
        self.tree = app_commands.CommandTree(self)
        self.tree.add_command(_ask_command(self))

    async def setup_hook(self) -> None:
        """Register the slash commands, once for each login."""
        await self.tree.sync()

    async def on_ready(self) -> None:
        """Say where people can be invited from; runs after each full connect."""
        if self.application_id is not None:
            log.info(
                "discord ready", guilds=len(self.guilds), invite=invite_link(self.application_id)
            )

    async def on_message(self, message: discord.Message) -> None:
        """Answer a message that is for the bot."""
        if self.user is None or message.is_system():
            return
        incoming = Incoming(
            content=message.content,
            author_is_bot=message.author.bot or message.webhook_id is not None,
            direct=message.guild is None,
            mentions_bot=self.user in message.mentions,
        )
        text = question_of(incoming, self.user.id)
        if text is None:
            return
        canvas = on_message(message)
        if not text:
            await self._guarded(lambda: canvas.show((NOTHING_ASKED,)), canvas)
            return
        question = Question(
            tenant=tenant_of(message.guild, message.author),
            channel_id=message.channel.id,
            speaker=message.author.display_name,
            text=with_names(text, name_lookup(message.guild, message.mentions)),
        )
        await self.respond(question, canvas, typing_shown(message.channel.typing))

    async def respond(
        self,
        question: Question,
        canvas: Canvas,
        meanwhile: AbstractAsyncContextManager[None] | None = None,
    ) -> None:
        """Show the answer to `question`, or one sentence that says why there is none.

        Args:
            question: what is asked.
            canvas: where to show the answer.
            meanwhile: entered for as long as the answer is made.
        """
        if self._leaving:
            return

        async def answer() -> None:
            async with meanwhile or nullcontext():
                await self._written.answer(question, canvas)

        task = asyncio.ensure_future(self._guarded(answer, canvas))
        self._answers.add(task)
        task.add_done_callback(self._answers.discard)
        await task

    async def close(self) -> None:
        """Stop all answers and leave Discord."""
        self._leaving = True
        for task in tuple(self._answers):
            task.cancel()
        await asyncio.gather(*self._answers, return_exceptions=True)
        await super().close()

    async def _guarded(self, action: Callable[[], Awaitable[Any]], canvas: Canvas) -> None:
        """Do something on Discord; what goes wrong becomes a sentence, or a line in the log."""
        try:
            try:
                await action()
            except ChannelBusyError:
                await canvas.say(BUSY)
            except ServiceError as error:
                log.warning("answer failed", reason=error.reason, code=error.code)
                await canvas.say(sentence_for(error))
        except discord.HTTPException as error:
            # The channel is gone, or the bot may not write there: nobody is left to be told.
            log.warning("discord refused", status=error.status, discord_code=error.code)
        except (aiohttp.ClientError, OSError) as error:
            # TimeoutError is one of these. discord.py has tried several times.
            log.warning("discord cannot be reached", error=type(error).__name__)


def tenant_of(guild: discord.Guild | None, author: discord.User | discord.Member) -> str:
    """Whose memory counts: the guild's, or the person's own in direct messages."""
    return f"discord-{guild.id}" if guild is not None else f"discord-dm-{author.id}"


def _ask_command(client: DiscordClient) -> app_commands.Command[Any, ..., None]:
    @app_commands.command(name="ask", description="Ask me something")
    @app_commands.describe(question="What you want to know")
    async def ask(
        interaction: discord.Interaction,
        question: app_commands.Range[str, 1, QUESTION_LIMIT],
    ) -> None:
        # Discord wants a first response within 3 seconds; the model may take longer.
        await interaction.response.defer(thinking=True)
        canvas = on_interaction(interaction)
        if not question.strip() or interaction.channel_id is None:
            await canvas.say(NOTHING_ASKED)
            return
        asked = Question(
            tenant=tenant_of(interaction.guild, interaction.user),
            channel_id=interaction.channel_id,
            speaker=interaction.user.display_name,
            text=with_names(question.strip(), name_lookup(interaction.guild)),
        )
        await client.respond(asked, canvas)

    return ask
