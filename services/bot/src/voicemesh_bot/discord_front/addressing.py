"""Whether a message is for the bot, and what it asks.

Pure. Without the privileged message-content intent Discord delivers the content of direct messages
and of messages that mention the bot, and of no others.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ("Incoming", "question_of")


@dataclass(frozen=True, slots=True)
class Incoming:
    """A message, as far as it matters to whom it is addressed."""

    content: str
    """As written, with mentions as `<@id>`."""

    author_is_bot: bool
    """Whether a bot or a webhook wrote it, this one included."""

    direct: bool
    """Whether it is a direct message."""

    mentions_bot: bool
    """Whether it mentions this bot by name or replies to it with a ping; not by @everyone."""


def question_of(message: Incoming, bot_id: int) -> str | None:
    """Return what a message asks the bot, or None if it is not for the bot.

    The text may be empty: somebody said the bot's name and nothing else.
    """
    if message.author_is_bot or not (message.direct or message.mentions_bot):
        return None
    # Only the spaces around the name go: those within code have a meaning.
    without_name = re.sub(rf"[ \t]*<@!?{bot_id}>[ \t]*", " ", message.content)
    return without_name.strip(" \t,:;\n")
