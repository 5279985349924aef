"""A player in motion: what the event loop wants said reaches the thread that sends packets.

The thread only ever waits for the other side to note something down; making packets softer, which
takes longer, is done on the thread itself.
"""

from __future__ import annotations

import asyncio
import itertools
import threading
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from voicemesh_bot.voice.frames import PassageState

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterable

    from voicemesh_bot.voice.ducking import Ducker
    from voicemesh_bot.voice.frames import PassageId, Progress
    from voicemesh_bot.voice.player import Player
    from voicemesh_bot.voice.ports import Line

__all__ = ("Loudspeaker",)

_RETRY_S = 0.25
"""Pause before a line that was lost, or could not be opened, is tried again."""

_STALLED_S = 1.0
"""Without being asked for a packet for so long, nobody is connected."""


class Loudspeaker:
    """What one guild hears of the bot; outlives the lines that it is heard over.

    All methods are for the event loop in which it was made, and none but `aclose` and `progress`
    waits.

    Args:
        player: decides what is sent; belongs to this object from now on.
        ducker: makes packets softer; belongs to this object from now on.
        retry_s: pause before a line is tried again, in seconds.
    """

    def __init__(self, player: Player, ducker: Ducker, *, retry_s: float = _RETRY_S) -> None:
        self._player = player
        self._ducker = ducker
        self._retry_s = retry_s
        self._loop = asyncio.get_running_loop()
        self._noting = threading.Lock()  # around the player; never held for long
        self._rendering = threading.Lock()  # around the ducker; never taken by the loop
        self._line: Line | None = None
        self._numbers = itertools.count(1)
        self._reading: int | None = None  # the opening of the line that packets are read by
        self._ended: int | None = None  # the last one that had no more packets
        self._read_at_s = 0.0  # when packets were last asked for
        self._retry: asyncio.TimerHandle | None = None
        self._news: dict[PassageId, Progress] = {}
        self._has_news = asyncio.Event()
        self._ends: dict[PassageId, asyncio.Future[Progress]] = {}

    # The line

    def attach(self, line: Line) -> None:
        """Goes on over another line, in place of the one before; what was being said goes on."""
        self.detach()
        self._line = line
        self._open_if_wanted()

    def detach(self) -> None:
        """Leaves the line; what is still to be said waits for the next one."""
        self._line, self._reading = None, None
        if self._retry is not None:
            self._retry.cancel()
            self._retry = None
        self._note(self._player.line_lost)

    async def aclose(self) -> None:
        """Forgets everything and leaves the line."""
        self._note(self._player.cut_all)
        self.detach()
        for end in self._ends.values():
            end.cancel()
        self._ends.clear()

    # What is to be said; see `Player`

    def expect(self) -> None:
        """Opens the line, because an answer is on its way."""
        if self._line is not None:
            self._note(self._player.expect)

    def begin(self, passage: PassageId) -> asyncio.Future[Progress]:
        """Gives a new passage its place in the queue.

        Returns:
            Its last progress, once it is over; cancelled with this object.

        Raises:
            QueueFullError: too many announcements wait already.
        """
        self._note(partial(self._player.begin, passage))
        end: asyncio.Future[Progress] = self._loop.create_future()
        return self._ends.setdefault(passage, end)

    def play(self, passage: PassageId, packets: Iterable[bytes]) -> None:
        """Plays packets after those that were given before of the same passage.

        Raises:
            QueueFullError: too many announcements wait already.
        """
        self._note(partial(self._player.append, passage, tuple(packets)))

    def end(self, passage: PassageId) -> None:
        """Says that a passage has no more packets."""
        self._note(partial(self._player.end, passage))

    def cut(self, passage: PassageId) -> None:
        """Silences a passage at the next frame and forgets what is left of it."""
        self._note(partial(self._player.cut, passage))

    def give_up(self, passage: PassageId) -> None:
        """Forgets what is left of a passage if nobody hears it now; else it is said to its end.

        For what is not worth saying any more once the connection is back.
        """
        stalled = self._loop.time() - self._read_at_s > _STALLED_S
        if self._reading is None or stalled:
            self.cut(passage)

    def cut_all(self) -> None:
        """Silences everything."""
        self._note(self._player.cut_all)

    def pause(self, passage: PassageId) -> None:
        """Silences a passage at the next frame and keeps what is left of it."""
        self._note(partial(self._player.pause, passage))

    def resume(self, passage: PassageId) -> None:
        """Goes on with a passage after a pause."""
        self._note(partial(self._player.resume, passage))

    def duck(self, ducked: bool) -> None:
        """Makes what is said soft, or loud again."""
        self._note(partial(self._player.duck, ducked))

    async def progress(self) -> AsyncGenerator[Progress, None]:
        """How far passages have come, as it changes; for one consumer.

        One that does not keep up gets the latest of each passage and misses those before.
        """
        while True:
            await self._has_news.wait()
            self._has_news.clear()
            news, self._news = self._news, {}
            for each in news.values():
                yield each

    # The event loop's side

    def _note(self, change: Callable[[], object]) -> None:
        with self._noting:
            change()
            news = self._player.take_progress()
        self._publish(news)
        self._open_if_wanted()

    def _publish(self, news: Iterable[Progress]) -> None:
        for each in news:
            self._news[each.passage] = each
            self._has_news.set()
            if each.state is not PassageState.PLAYING:
                end = self._ends.pop(each.passage, None)
                if end is not None and not end.done():
                    end.set_result(each)

    def _open_if_wanted(self) -> None:
        if self._line is None or self._reading is not None or self._retry is not None:
            return
        with self._noting:
            wanted = self._player.wants_line
        if not wanted:
            return
        number = self._reading = next(self._numbers)
        self._read_at_s = self._loop.time()
        if not self._line.open(partial(self._read, number), partial(self._closed, number)):
            self._lose_line()

    def _line_closed(self, number: int) -> None:
        if number != self._reading:
            return
        if number != self._ended:
            self._lose_line()
        else:
            self._reading = None
            self._open_if_wanted()

    def _lose_line(self) -> None:
        """Tries again after a pause, as whoever connects does not say when that is done."""
        self._reading = None
        self._retry = self._loop.call_later(self._retry_s, self._try_again)
        self._note(self._player.line_lost)

    def _try_again(self) -> None:
        self._retry = None
        self._open_if_wanted()

    # The line's side

    def _read(self, number: int) -> bytes:
        with self._rendering:
            with self._noting:
                if number != self._reading:
                    return b""
                self._read_at_s = self._loop.time()
                frame = self._player.next_frame()
                news = self._player.take_progress()
                if frame is None:
                    self._ended = number
            if news:
                self._tell(self._publish, news)
            return b"" if frame is None else self._ducker.render(frame)

    def _closed(self, number: int) -> None:
        self._tell(self._line_closed, number)

    def _tell(self, action: Callable[..., None], *arguments: object) -> None:
        with suppress(RuntimeError):  # The loop is closed: the bot has ended before its line.
            self._loop.call_soon_threadsafe(action, *arguments)
