"""An answer as it stands in Discord: one message, or several when it is long.

Pages that changed are edited and new ones are sent, so that a growing answer costs as few requests
as it can. Nobody is pinged; the client's allowed mentions see to that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    import discord

__all__ = ("Canvas", "on_interaction", "on_message")


class Canvas:
    """Shows pages of one answer. Not safe for two tasks at once."""

    def __init__(self, send: Callable[[str, bool], Awaitable[discord.Message]]) -> None:
        """Send new pages by `send(content, first)`, which returns the message for later edits."""
        self._send = send
        self._shown: list[tuple[discord.Message, str]] = []

    async def show(self, pages: Sequence[str]) -> None:
        """Make what is visible equal `pages`, which extend what was shown before.

        Raises:
            discord.HTTPException: Discord refused, for example because the channel is gone.
        """
        for index, content in enumerate(pages):
            if index == len(self._shown):
                self._shown.append((await self._send(content, index == 0), content))
            elif self._shown[index][1] != content:
                message = await self._shown[index][0].edit(content=content)
                self._shown[index] = (message, content)

    async def say(self, sentence: str) -> None:
        """Show one more message below what is visible.

        Raises:
            discord.HTTPException: Discord refused.
        """
        await self.show((*(content for _, content in self._shown), sentence))


def on_message(question: discord.Message) -> Canvas:
    """A canvas that replies to `question` and goes on below it."""

    async def send(content: str, first: bool) -> discord.Message:
        if first:
            return await question.reply(content, mention_author=False)
        return await question.channel.send(content)

    return Canvas(send)


def on_interaction(interaction: discord.Interaction) -> Canvas:
    """A canvas that answers a deferred slash command; it lasts 15 minutes, Discord's own limit."""

    async def send(content: str, first: bool) -> discord.Message:
        del first
        return await interaction.followup.send(content, wait=True)

    return Canvas(send)
