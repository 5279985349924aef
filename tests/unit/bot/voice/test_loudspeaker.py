"""How what is to be said gets to the line, and what was heard gets back."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing

import pytest
import pytest_asyncio

from voicemesh_bot.voice.ducking import Ducker
from voicemesh_bot.voice.errors import QueueFullError
from voicemesh_bot.voice.frames import SILENCE, PassageId, PassageKind, PassageState, Progress
from voicemesh_bot.voice.loudspeaker import Loudspeaker
from voicemesh_bot.voice.player import Player, PlayerOptions

pytestmark = pytest.mark.unit

OPTIONS = PlayerOptions(preroll_s=0.0, expectation_s=0.1, report_s=0.02, most_announcements=2)
ANSWER = PassageId(PassageKind.ANSWER, 1)
NEWS = PassageId(PassageKind.ANNOUNCEMENT, 1)


class HandCrankedLine:
    """A line that takes a packet whenever the test says so."""

    def __init__(self, *, connected: bool = True) -> None:
        self.connected = connected
        self.opened = 0
        self.tried = asyncio.Event()
        self.taken: list[bytes] = []
        self._read: Callable[[], bytes] | None = None
        self._closed: Callable[[], None] | None = None

    def is_open(self) -> bool:
        return self._read is not None

    def open(self, read: Callable[[], bytes], closed: Callable[[], None]) -> bool:
        assert not self.is_open()
        self.tried.set()
        if not self.connected:
            return False
        self.opened += 1
        self._closed, self._read = closed, read
        return True

    def take(self, count: int = 1) -> None:
        for _ in range(count):
            assert self._read is not None
            packet = self._read()
            if not packet:
                self.fail()
                return
            self.taken.append(packet)

    def take_all(self) -> None:
        while self.is_open():
            self.take()

    def fail(self) -> None:
        closed, self._read, self._closed = self._closed, None, None
        assert closed is not None
        closed()

    @property
    def heard(self) -> list[bytes]:
        return [packet for packet in self.taken if packet != SILENCE]


async def settle() -> None:
    """Lets the event loop take in what the line's thread has told it."""
    await asyncio.sleep(0)


@pytest_asyncio.fixture
async def speaker() -> AsyncIterator[Loudspeaker]:
    made = Loudspeaker(Player(OPTIONS), Ducker(None), retry_s=0.01)
    yield made
    await made.aclose()


async def test_the_line_is_open_only_while_something_is_said(speaker: Loudspeaker) -> None:
    line = HandCrankedLine()
    speaker.attach(line)
    assert not line.is_open()
    speaker.play(ANSWER, [b"a", b"b"])
    assert line.is_open()
    speaker.end(ANSWER)
    line.take_all()
    assert line.taken == [b"a", b"b", *[SILENCE] * 5]
    await settle()
    assert line.opened == 1


async def test_what_comes_while_the_line_is_closing_opens_it_again(speaker: Loudspeaker) -> None:
    line = HandCrankedLine()
    speaker.attach(line)
    speaker.play(ANSWER, [b"a", b"b"])
    speaker.end(ANSWER)
    line.take_all()
    speaker.play(NEWS, [b"n", b"m"])  # The loop has not been told yet that the line is closed.
    speaker.end(NEWS)
    assert not line.is_open()
    await settle()
    line.take_all()
    assert line.heard == [b"a", b"b", b"n", b"m"]


async def test_an_answer_that_is_expected_opens_the_line(speaker: Loudspeaker) -> None:
    speaker.expect()  # Nobody is connected: forgotten.
    line = HandCrankedLine()
    speaker.attach(line)
    assert not line.is_open()
    speaker.expect()
    line.take(3)
    assert line.taken == [SILENCE] * 3


async def test_progress_comes_as_it_changes_and_ends_with_the_passage(
    speaker: Loudspeaker,
) -> None:
    line = HandCrankedLine()
    speaker.attach(line)
    speaker.play(ANSWER, [b"a", b"b", b"c"])
    speaker.end(ANSWER)
    async with aclosing(speaker.progress()) as news:
        line.take(2)
        assert await anext(news) == Progress(ANSWER, 1, PassageState.PLAYING)
        line.take(2)
        assert await anext(news) == Progress(ANSWER, 3, PassageState.DONE)


async def test_whoever_reads_progress_late_gets_the_latest_of_each_passage(
    speaker: Loudspeaker,
) -> None:
    line = HandCrankedLine()
    speaker.attach(line)
    for passage in (ANSWER, NEWS):
        speaker.play(passage, [b"a", b"b", b"c"])
        speaker.end(passage)
    line.take_all()
    await settle()
    async with aclosing(speaker.progress()) as news:
        told = [await anext(news), await anext(news)]
    assert told == [Progress(each, 3, PassageState.DONE) for each in (ANSWER, NEWS)]


async def test_a_passage_can_be_waited_for(speaker: Loudspeaker) -> None:
    line = HandCrankedLine()
    speaker.attach(line)
    end = speaker.begin(NEWS)
    speaker.play(NEWS, [b"a", b"b", b"c"])
    line.take(3)
    assert not end.done()
    speaker.cut(NEWS)
    line.take_all()
    assert await end == Progress(NEWS, 2, PassageState.CUT)


async def test_too_many_announcements_are_refused(speaker: Loudspeaker) -> None:
    for number in (1, 2):
        speaker.begin(PassageId(PassageKind.ANNOUNCEMENT, number))
    with pytest.raises(QueueFullError):
        speaker.begin(PassageId(PassageKind.ANNOUNCEMENT, 3))
    speaker.play(ANSWER, [b"a"])


async def test_another_line_goes_on_where_the_one_before_was_lost(speaker: Loudspeaker) -> None:
    first, second = HandCrankedLine(), HandCrankedLine()
    speaker.attach(first)
    speaker.play(ANSWER, [b"a", b"b", b"c", b"d"])
    speaker.end(ANSWER)
    first.take(2)
    speaker.attach(second)
    assert first.is_open()  # discord.py's thread may wait for a minute for its old connection.
    second.take(2)
    first.take_all()
    second.take_all()
    assert first.heard == [b"a", b"b"]
    assert second.heard == [b"b", b"c", b"d"]
    await settle()
    assert not second.is_open()
    assert second.opened == 1


async def test_a_line_that_fails_is_tried_again_until_it_opens(speaker: Loudspeaker) -> None:
    line = HandCrankedLine()
    speaker.attach(line)
    speaker.play(ANSWER, [b"a", b"b"])
    speaker.end(ANSWER)
    line.take()
    line.connected = False
    line.fail()
    for connected in (False, False, True):
        line.connected = connected
        line.tried.clear()
        async with asyncio.timeout(10):
            await line.tried.wait()
        assert line.is_open() is connected
    line.take_all()
    assert line.heard == [b"a", b"a", b"b"]


async def test_without_a_line_passages_wait(speaker: Loudspeaker) -> None:
    speaker.play(ANSWER, [b"a", b"b"])
    speaker.end(ANSWER)
    line = HandCrankedLine(connected=False)
    speaker.attach(line)
    speaker.detach()
    line.connected = True
    speaker.attach(line)
    line.take_all()
    assert line.heard == [b"a", b"b"]


async def test_what_nobody_hears_can_be_given_up_and_what_is_heard_goes_on(
    speaker: Loudspeaker,
) -> None:
    speaker.play(NEWS, [b"n", b"m"])
    speaker.give_up(NEWS)
    line = HandCrankedLine()
    speaker.attach(line)
    assert not line.is_open()
    speaker.play(ANSWER, [b"a", b"b"])
    speaker.end(ANSWER)
    line.take()
    speaker.give_up(ANSWER)
    line.take_all()
    assert line.heard == [b"a", b"b"]


async def test_a_line_that_takes_no_packets_is_heard_by_nobody(
    speaker: Loudspeaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = HandCrankedLine()
    speaker.attach(line)
    speaker.play(ANSWER, [b"a", b"b", b"c"])
    line.take()
    loop = asyncio.get_running_loop()
    now_s = loop.time() + 5
    with monkeypatch.context() as patch:
        patch.setattr(loop, "time", lambda: now_s)
        speaker.give_up(ANSWER)
    line.take_all()
    assert line.heard == [b"a"]


async def test_the_end_silences_everything_and_cancels_who_waits(speaker: Loudspeaker) -> None:
    line = HandCrankedLine()
    speaker.attach(line)
    end = speaker.begin(NEWS)
    speaker.play(NEWS, [b"a", b"b", b"c"])
    line.take()
    await speaker.aclose()
    line.take_all()
    await settle()
    assert line.heard == [b"a"]
    assert end.cancelled() or end.done()


async def test_a_line_that_outlives_the_event_loop_reads_to_its_end() -> None:
    line = HandCrankedLine()

    async def once() -> Loudspeaker:
        speaker = Loudspeaker(Player(OPTIONS), Ducker(None))
        speaker.attach(line)
        speaker.play(ANSWER, [b"a", b"b"])
        speaker.end(ANSWER)
        return speaker

    thread = threading.Thread(target=lambda: asyncio.run(once()))
    thread.start()
    await asyncio.to_thread(thread.join)
    line.take_all()
    assert line.heard == [b"a", b"b"]


async def test_two_threads_at_once_get_every_packet_once(speaker: Loudspeaker) -> None:
    """Notes of the loop and the reading of a fast line never lose or double a packet."""
    line = HandCrankedLine()
    speaker.attach(line)
    packets = [f"{index}".encode() for index in range(700)]
    speaker.play(ANSWER, packets[:2])
    stop = threading.Event()

    def read() -> None:
        while not stop.is_set() and packets[-1] not in line.taken[-1:]:
            if line.is_open():
                line.take()

    reader = threading.Thread(target=read)
    reader.start()
    try:
        for start in range(2, len(packets), 7):
            speaker.play(ANSWER, packets[start : start + 7])
            speaker.duck(start % 2 == 0)
            await asyncio.sleep(0)
        speaker.end(ANSWER)
        joining = asyncio.create_task(asyncio.to_thread(reader.join))
        async with asyncio.timeout(30):
            await joining
    finally:
        stop.set()
    assert line.heard == packets
