"""The bot answers whoever speaks to it, and nobody else."""

from __future__ import annotations

import pytest

from voicemesh_bot.discord_front.addressing import Incoming, question_of

pytestmark = pytest.mark.unit

BOT = 42


@pytest.mark.parametrize(
    ("content", "direct", "mentions", "question"),
    [
        ("what is the time?", True, False, "what is the time?"),
        ("<@42> what is the time?", False, True, "what is the time?"),
        ("<@!42>, what is the time?", False, True, "what is the time?"),
        ("hey <@42> what is this", False, True, "hey what is this"),
        ("tell <@7> about it, <@42>", False, True, "tell <@7> about it"),
        ("<@42>", False, True, ""),
        ("<@42> why?\n```\nif x:\n    y()\n```", False, True, "why?\n```\nif x:\n    y()\n```"),
        ("what is the time?", False, False, None),
        ("@everyone hello", False, False, None),
    ],
)
def test_a_message_asks_the_bot(
    content: str, direct: bool, mentions: bool, question: str | None
) -> None:
    message = Incoming(content, author_is_bot=False, direct=direct, mentions_bot=mentions)

    assert question_of(message, BOT) == question


def test_another_bot_is_never_answered() -> None:
    message = Incoming("<@42> hi", author_is_bot=True, direct=True, mentions_bot=True)

    assert question_of(message, BOT) is None
