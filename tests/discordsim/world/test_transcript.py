"""The transcript reads like a story and stays bounded."""

from __future__ import annotations

from typing import Any

import pytest

from discordsim import MessageFlag, Transcript
from discordsim.domain import InteractionKind
from discordsim.narration import sentence_of
from discordsim.world.callbacks import CallbackType
from discordsim.world.messages import Draft

pytestmark = pytest.mark.unit


def test_lines_have_their_times_and_only_the_last_are_kept() -> None:
    now = [10.0]
    shown: list[str] = []
    transcript = Transcript(
        clock=lambda: now[0], capacity=3, echo=lambda line: shown.append(line.text)
    )
    for number in range(5):
        now[0] += 0.5
        transcript.write(f"line {number}\nmore")

    assert transcript.render(last=2).splitlines() == [
        "… 1 lines before …",
        "    2.000  line 3⏎more",
        "    2.500  line 4⏎more",
    ]
    assert len(shown) == 5


def test_a_very_long_line_is_cut() -> None:
    transcript = Transcript()

    transcript.write("x" * 5000)

    assert transcript.render().endswith("… (5000 characters)")
    assert len(transcript.render()) < 2100


def test_what_happens_reads_like_a_story(place: Any) -> None:
    world, text = place.world, place.text
    message = world.messages.write(place.ann.id, text, Draft("hello\nworld"))
    world.messages.react(message, place.ben.id, "👍")
    use = world.interactions.use(
        InteractionKind.COMMAND,
        place.bot.id,
        place.ann.id,
        text,
        {"name": "ask", "options": [{"name": "text", "value": "why"}]},
    )
    flags = int(MessageFlag.EPHEMERAL)
    world.interactions.answer(use, text, CallbackType.DEFERRED_MESSAGE, {"flags": flags})
    world.interactions.follow_up(use, text, Draft("because"))
    world.calls.enter(place.ann.id, place.voice, "session")
    world.calls.change(place.guild.id, place.ann.id, self_mute=True)
    world.calls.set_status(place.voice, "chatting")
    world.calls.leave(place.guild.id, place.ann.id)
    world.messages.delete(message)

    story = [sentence_of(world, event) for event in place.events]

    assert story == [
        "Ann writes in #general: 'hello\\nworld'",
        "Ben reacts with 👍 to Ann's 'hello\\nworld'",
        "Ann uses /ask text='why' in #general",
        "Bot is thinking in #general, for Ann only",
        "Bot will answer later",
        "Bot changes the message in #general, for Ann only: 'because'",
        "Ann joins Bench",
        "Ann is muted in Bench",
        "the status of Bench is now 'chatting'",
        "Ann leaves Bench",
        "Ann's message in #general is deleted: 'hello\\nworld'",
    ]
