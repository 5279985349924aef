"""From a conversation to captions that people see."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
import pytest_asyncio

from voicemesh_bot.conversation.commands import (
    Command,
    Outcome,
    ShowMessage,
    ShowPartial,
    ShowReplyEnd,
    ShowSilence,
)
from voicemesh_bot.conversation.events import Arrived, Event, Tick
from voicemesh_bot.transcripts.caption_feed import CaptionFeed
from voicemesh_bot.transcripts.captions import CaptionOptions

pytestmark = pytest.mark.unit


@dataclass
class Wall:
    """Remembers what it shows; slow on demand."""

    pages: dict[int, str] = field(default_factory=dict)
    edits: int = 0
    open: asyncio.Event = field(default_factory=asyncio.Event)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def show(self, page: int, content: str) -> None:
        await self.open.wait()
        self.edits += 1
        self.pages[page] = content
        self.changed.set()

    async def reads(self, text: str) -> None:
        """Waits until all of it reads so."""
        async with asyncio.timeout(10):
            while "\n".join(self.pages.values()) != text:
                self.changed.clear()
                await self.changed.wait()


@dataclass
class Room:
    """A feed that runs, and its wall."""

    wall: Wall = field(default_factory=Wall)

    def __post_init__(self) -> None:
        self.feed = CaptionFeed(self.wall, "Ada", CaptionOptions(interval_s=0.01))
        self.wall.open.set()

    def happen(self, *commands: Command, event: Event | None = None) -> None:
        self.feed.note(event or Tick(), commands, now_s=0.0)


@pytest_asyncio.fixture
async def room() -> AsyncIterator[Room]:
    """A room with one person in it."""
    made = Room()
    made.happen(event=Arrived("7", "Ann"))
    running = asyncio.create_task(made.feed.run())
    yield made
    running.cancel()
    await asyncio.wait({running})
    assert running.cancelled()


async def test_certain_words_of_people_and_heard_words_of_the_bot_are_shown(room: Room) -> None:
    room.happen(ShowPartial("7", 1, "good morning", "every"))
    await room.wall.reads("**Ann:** good morning")
    room.happen(ShowMessage(1, "7", "Good morning everyone.", spoken=True, turn_id=1))
    room.happen(ShowReplyEnd(1, Outcome.INTERRUPTED, "Hello"))
    await room.wall.reads("**Ann:** Good morning everyone.\n**Ada:** Hello")


async def test_what_was_written_is_no_caption(room: Room) -> None:
    room.happen(ShowMessage(1, "7", "typed", spoken=False))
    room.happen(ShowReplyEnd(1, Outcome.FAILED, ""))
    room.happen(ShowMessage(2, "8", "spoken", spoken=True, turn_id=1))

    await room.wall.reads("**8:** spoken")


async def test_noise_disappears(room: Room) -> None:
    room.happen(ShowPartial("7", 1, "mhm", ""))
    await room.wall.reads("**Ann:** mhm")
    room.happen(ShowSilence("7", 1))
    await room.wall.reads("")


async def test_a_slow_wall_gets_the_latest_words_and_not_all_that_came_before(room: Room) -> None:
    room.wall.open.clear()
    for count in range(1, 200):
        room.happen(ShowPartial("7", 1, "word " * count, ""))
        await asyncio.sleep(0)
    room.wall.open.set()

    await room.wall.reads(
        "**Ann:** "
        + " ".join(["word"] * 78)
        + "\n**Ann:** "
        + " ".join(["word"] * 78)
        + "\n**Ann:** "
        + " ".join(["word"] * 43)
    )
    assert room.wall.edits <= 3
