"""A conversation's commands about sound, and what it is told back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress

import pytest
import pytest_asyncio

from voicemesh_bot.conversation.commands import (
    BeginReply,
    DuckAudio,
    EndAudio,
    FrontCommand,
    Outcome,
    PauseAudio,
    PlayAudio,
    ResumeAudio,
    ShowReplyEnd,
    ShowReplyStart,
    ShowSilence,
    StopAudio,
)
from voicemesh_bot.conversation.events import Event, Played, Tick
from voicemesh_bot.discord_front.spoken import SpokenAnswers
from voicemesh_bot.domain import VoiceAudio
from voicemesh_bot.voice.ducking import Ducker
from voicemesh_bot.voice.frames import SILENCE, PassageId, PassageKind
from voicemesh_bot.voice.loudspeaker import Loudspeaker
from voicemesh_bot.voice.player import Player, PlayerOptions

pytestmark = pytest.mark.unit


class Line:
    """A line whose packets the test takes."""

    def __init__(self) -> None:
        self.read: Callable[[], bytes] | None = None

    def open(self, read: Callable[[], bytes], closed: Callable[[], None]) -> bool:
        del closed
        self.read = read
        return True

    def hear(self, count: int) -> list[str]:
        assert self.read is not None
        taken = [self.read() for _ in range(count)]
        return ["." if packet == SILENCE else packet.decode() for packet in taken]


class Room:
    """Spoken answers over a line, and the events that they post."""

    def __init__(self) -> None:
        options = PlayerOptions(preroll_s=0.02, report_s=0.02)
        self.speaker = Loudspeaker(Player(options), Ducker(None))
        self.line = Line()
        self.speaker.attach(self.line)
        self.answers = SpokenAnswers(self.speaker)
        self.posted: asyncio.Queue[Event] = asyncio.Queue()

    def do(self, *commands: FrontCommand) -> None:
        for command in commands:
            self.answers.carry_out(command)

    async def posts(self) -> list[Event]:
        """What has been posted by the time that the first of it is there."""
        async with asyncio.timeout(10):
            first = await self.posted.get()
        return [first, *(self.posted.get_nowait() for _ in range(self.posted.qsize()))]


@pytest_asyncio.fixture
async def room() -> AsyncIterator[Room]:
    made = Room()
    reporting = asyncio.create_task(made.answers.report(made.posted.put))
    yield made
    reporting.cancel()
    with suppress(asyncio.CancelledError):
        await reporting
    await made.speaker.aclose()


def sound(letters: str) -> VoiceAudio:
    packets = tuple(letter.encode() for letter in letters)
    return VoiceAudio(b"", 48_000, 0.02 * len(packets), (0, 1), True, packets)


async def test_an_answer_finds_the_line_open_and_reports_what_was_heard(room: Room) -> None:
    room.do(ShowReplyStart(1, 1))
    assert room.line.hear(2) == [".", "."]
    room.do(PlayAudio(1, sound("abc")), EndAudio(1, 0.06))
    assert room.line.hear(3) == ["a", "b", "c"]
    assert await room.posts() == [Played(1, 0.04)]
    assert room.line.hear(1) == ["."]
    assert await room.posts() == [Played(1, 0.06)]


async def test_an_answer_that_is_begun_on_a_guess_opens_the_line(room: Room) -> None:
    room.answers.note(Tick(), [DuckAudio(True)], 1.0)
    assert room.line.read is None
    room.answers.note(Tick(), [BeginReply(1, ())], 1.0)
    assert room.line.hear(2) == [".", "."]


async def test_stop_silences_and_tells_exactly_what_was_sent(room: Room) -> None:
    room.do(PlayAudio(1, sound("abcdef")))
    assert room.line.hear(4) == [".", "a", "b", "c"]
    room.do(StopAudio(1))
    assert room.line.hear(2) == [".", "."]
    assert (await room.posts())[-1] == Played(1, 0.06)


async def test_a_pause_holds_and_goes_on(room: Room) -> None:
    room.do(PlayAudio(1, sound("abcdef")))
    room.line.hear(3)
    room.do(PauseAudio(1))
    assert room.line.hear(6) == ["."] * 6
    room.do(ResumeAudio(1))
    assert room.line.hear(2) == ["c", "d"]


async def test_ducking_is_passed_on(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    ducked: list[bool] = []
    monkeypatch.setattr(room.speaker, "duck", ducked.append)
    room.do(DuckAudio(True), DuckAudio(False))
    assert ducked == [True, False]


async def test_an_answer_that_is_over_is_said_to_its_end_while_somebody_hears_it(
    room: Room,
) -> None:
    over = ShowReplyEnd(1, Outcome.COMPLETE, "all of it")
    room.do(PlayAudio(1, sound("abc")), EndAudio(1, 0.06))
    room.line.hear(2)
    room.do(over)
    assert room.line.hear(3) == ["b", "c", "."]


async def test_an_answer_that_is_over_is_not_said_to_whoever_comes_later(room: Room) -> None:
    room.speaker.detach()
    room.do(PlayAudio(1, sound("abc")), EndAudio(1, 0.06))
    room.do(ShowReplyEnd(1, Outcome.COMPLETE, "all of it"))
    later = Line()
    room.speaker.attach(later)
    assert later.read is None


async def test_announcements_and_what_is_for_the_eye_are_not_reported(room: Room) -> None:
    news = PassageId(PassageKind.ANNOUNCEMENT, 1)
    room.speaker.play(news, [b"n", b"m"])
    room.speaker.end(news)
    room.do(ShowSilence("ann"))
    assert room.line.hear(9) == [".", "n", "m", *["."] * 5, ""]
    room.do(PlayAudio(1, sound("ab")), EndAudio(1, 0.04))
    room.speaker.attach(room.line)
    room.line.hear(3)
    assert {type(event) for event in await room.posts()} == {Played}
