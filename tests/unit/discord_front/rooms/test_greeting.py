"""What the bot tells of itself is what is true of the guild's settings."""

from __future__ import annotations

import pytest

from voicemesh_bot.discord_front.rooms.greeting import greeting
from voicemesh_bot.guilds import GuildVoice

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("kept_s", "words"),
    [
        (0.0, ", and not kept."),
        (1.0, "kept for 1 second."),
        (90.0, "kept for 2 minutes."),
        (3600.0, "kept for 1 hour."),
        (86_400.0, "kept for 1 day."),
        (7 * 86_400.0, "kept for 7 days."),
    ],
)
def test_it_says_how_long_words_are_kept(kept_s: float, words: str) -> None:
    made = greeting(GuildVoice(1, transcript_kept_s=kept_s), "Robin", "<#2>")
    assert made.written.endswith(words)
    assert made.written.startswith("I have joined <#2>.")
    assert made.asks_consent


def test_who_listens_to_nobody_asks_nobody() -> None:
    made = greeting(GuildVoice(1, listen=False), "Robin", "<#2>")
    assert not made.asks_consent
    assert "listen to nobody" in made.written
    assert made.spoken == "Hello, I am Robin. I do not listen here."
