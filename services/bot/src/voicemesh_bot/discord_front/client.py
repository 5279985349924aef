"""The bot as a member of Discord: it answers in text, obeys commands, and joins calls.

It needs no privileged intent; with the content of messages, `!name` works without a mention. Every
answer is a task that this client owns and cancels when it closes.
"""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import TYPE_CHECKING, Any

import discord
from discord import app_commands
from discord.ext import commands

from voicemesh_bot.discord_front.addressing import Incoming, question_of
from voicemesh_bot.discord_front.answers import ChannelBusyError, Question, WrittenAnswers
from voicemesh_bot.discord_front.canvas import Canvas, on_interaction, on_message
from voicemesh_bot.discord_front.commands.consent import ConsentCommands, ConsentView
from voicemesh_bot.discord_front.commands.context import reply
from voicemesh_bot.discord_front.commands.presence import PresenceCommands
from voicemesh_bot.discord_front.commands.refusals import sentence_about
from voicemesh_bot.discord_front.commands.speaking import SpeakingCommands
from voicemesh_bot.discord_front.commands.tastes import TasteCommands
from voicemesh_bot.discord_front.commands.writing import WritingCommands
from voicemesh_bot.discord_front.mentions import name_lookup, with_names
from voicemesh_bot.discord_front.rate_limits import outlive_global_limits
from voicemesh_bot.discord_front.sentences import BUSY, NOTHING_ASKED, sentence_for
from voicemesh_bot.discord_front.troubles import troubles_logged
from voicemesh_bot.discord_front.typing_sign import typing_shown
from voicemesh_chassis.errors import ServiceError
from voicemesh_chassis.logs import get_logger

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from voicemesh_bot.discord_front.rooms.room import VoiceRoom
    from voicemesh_bot.discord_front.rooms.rooms import VoiceRooms
    from voicemesh_bot.ports import VoiceCatalogue

__all__ = ("DiscordClient", "intents", "invite_link")

log = get_logger(__name__)

QUESTION_LIMIT = 2000
"""Most characters of a question to `/ask`."""


def intents(*, message_content: bool = False) -> discord.Intents:
    """Return what Discord has to tell the bot.

    Args:
        message_content: whether the content of messages that do not mention the bot is among it; a
            privilege that an application has to be given.
    """
    return discord.Intents(
        guilds=True,
        guild_messages=True,
        dm_messages=True,
        voice_states=True,
        message_content=message_content,
    )


def invite_link(application_id: int) -> str:
    """Return the address at which an administrator adds the bot to a guild, with what it needs."""
    permissions = discord.Permissions(
        view_channel=True,
        send_messages=True,
        send_messages_in_threads=True,
        read_message_history=True,
        attach_files=True,
        connect=True,
        speak=True,
        request_to_speak=True,
        use_voice_activation=True,
        set_voice_channel_status=True,
    )
    return discord.utils.oauth_url(
        application_id, permissions=permissions, scopes=("bot", "applications.commands")
    )


class DiscordClient(commands.Bot):
    """Answers people in text, obeys their commands, and joins their calls.

    Start it with `login.stay_connected`.

    Attributes:
        rooms: the voice rooms of this login, which end with it.
        voices: knows which voices people can choose.
    """

    def __init__(
        self,
        answers: WrittenAnswers,
        rooms: VoiceRooms,
        voices: VoiceCatalogue,
        *,
        message_content: bool = False,
    ) -> None:
        """Make a client that connects when it is started.

        Args:
            answers: what answers in text.
            rooms: what answers aloud.
            voices: knows which voices people can choose.
            message_content: whether Discord is asked for the content of all messages.
        """
        super().__init__(
            command_prefix=_prefixes,
            intents=intents(message_content=message_content),
            allowed_mentions=discord.AllowedMentions.none(),
            help_command=None,
            case_insensitive=True,
            strip_after_prefix=True,
        )
        self.rooms = rooms
        self.voices = voices
        self._written = answers
        self._answers: set[asyncio.Task[None]] = set()
        self._leaving = False
        self.tree.add_command(_ask_command(self))
        self.tree.error(_on_tree_error)
        outlive_global_limits(self)

    async def setup_hook(self) -> None:
        """Register commands and buttons, once for each login."""
        for cog in (
            PresenceCommands(),
            SpeakingCommands(),
            TasteCommands(self.voices),
            WritingCommands(),
            ConsentCommands(),
        ):
            await self.add_cog(cog)
        self.add_view(ConsentView())
        await self.tree.sync()

    async def on_ready(self) -> None:
        """Say where people can be invited from; runs after each full connect."""
        if self.application_id is not None:
            log.info(
                "discord ready", guilds=len(self.guilds), invite=invite_link(self.application_id)
            )
        self.rooms.note_ready(self.guilds)

    async def on_guild_available(self, guild: discord.Guild) -> None:
        """Go where a guild wants the bot that was away."""
        self.rooms.note_ready((guild,))

    async def on_guild_remove(self, guild: discord.Guild) -> None:
        """Leave what is left of a guild."""
        self.rooms.note_guild_removed(guild.id)

    async def on_voice_state_update(
        self, member: discord.Member, before: discord.VoiceState, after: discord.VoiceState
    ) -> None:
        """Take in who is in which voice channel."""
        self.rooms.note_voice_state(member, before, after)

    async def on_member_update(self, _: discord.Member, after: discord.Member) -> None:
        """Take in what somebody is called."""
        self.rooms.note_member(after)

    async def on_command_error(
        self, context: commands.Context[Any], error: commands.CommandError, /
    ) -> None:
        """Say in one sentence why a command was not carried out."""
        with troubles_logged("a refusal"):
            await reply(context, sentence_about(error))

    async def on_message(self, message: discord.Message) -> None:
        """Obey a command, or answer a message that is for the bot."""
        if self.user is None or message.is_system():
            return
        if not message.author.bot and message.webhook_id is None:
            context = await self.get_context(message)
            if context.valid:
                await self.invoke(context)
                return
        await self._answer(message, self.user)

    async def _answer(self, message: discord.Message, me: discord.ClientUser) -> None:
        incoming = Incoming(
            content=message.content,
            author_is_bot=message.author.bot or message.webhook_id is not None,
            direct=message.guild is None,
            mentions_bot=me in message.mentions,
        )
        text = question_of(incoming, me.id)
        if text is None:
            return
        canvas = on_message(message)
        if not text:
            await self._guarded(lambda: canvas.show((NOTHING_ASKED,)), canvas)
            return
        named = with_names(text, name_lookup(message.guild, message.mentions))
        room = self._room_of(message.author)
        if room is not None and isinstance(message.author, discord.Member):
            await room.ask(message.author, named, message.channel)
            return
        question = Question(
            tenant=tenant_of(message.guild, message.author),
            channel_id=message.channel.id,
            speaker=message.author.display_name,
            text=named,
        )
        await self.respond(question, canvas, typing_shown(message.channel.typing))

    def _room_of(self, author: discord.User | discord.Member) -> VoiceRoom | None:
        """The voice room in which somebody is."""
        if not isinstance(author, discord.Member):
            return None
        room = self.rooms.room(author.guild.id)
        return room if room is not None and author.id in room.channel.voice_states else None

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
        await self.rooms.aclose()
        for task in tuple(self._answers):
            task.cancel()
        await asyncio.gather(*self._answers, return_exceptions=True)
        await super().close()

    async def _guarded(self, action: Callable[[], Awaitable[Any]], canvas: Canvas) -> None:
        """Do something on Discord; what goes wrong becomes a sentence, or a line in the log."""
        with troubles_logged("an answer"):
            try:
                await action()
            except ChannelBusyError:
                await canvas.say(BUSY)
            except ServiceError as error:
                log.warning("answer failed", reason=error.reason, code=error.code)
                await canvas.say(sentence_for(error))


def tenant_of(guild: discord.Guild | None, author: discord.User | discord.Member) -> str:
    """Whose memory counts: the guild's, or the person's own in direct messages."""
    return f"discord-{guild.id}" if guild is not None else f"discord-dm-{author.id}"


def _prefixes(bot: commands.Bot, _: discord.Message) -> list[str]:
    """`!`, also after a mention: that is what Discord shows a bot without further rights."""
    if bot.user is None:
        return ["!"]
    return ["!", *(f"<@{mark}{bot.user.id}>{gap}!" for mark in ("", "!") for gap in ("", " "))]


async def _on_tree_error(
    interaction: discord.Interaction[Any], error: app_commands.AppCommandError
) -> None:
    """Say in one sentence why a slash command was not carried out."""
    sentence = sentence_about(error)
    with troubles_logged("a refusal"):
        if interaction.response.is_done():
            await interaction.followup.send(sentence, ephemeral=True)
        else:
            await interaction.response.send_message(sentence, ephemeral=True)


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
