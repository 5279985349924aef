"""Plays what one guild hears, frame by frame: answers and announcements, one after the other.

Pure: time is the number of times that `next_frame` was called, once every 20 ms while the line is
open. The line is whatever carries frames to the listeners; it is open only while something is said
or about to be, because a bot that sends is shown as speaking. The rules:

* A line that opens begins with silence, as listeners do not hear its first 100 to 200 ms. `expect`
  opens it before there is sound, so that the silence costs no time.
* Passages play in the order in which they were first heard of; one without sound yet does not keep
  back one that has some, and none begins before the one that is playing has ended.
* A passage that has no sound when it is due goes on as silence, up to a limit, and then the line
  closes until there is sound.
* A frame counts as sent when the next one is asked for: only then its 20 ms are over. If the line
  is lost in between, the frame is played again on the next line.
* The last packet known is kept back until the one after it is known or the passage has ended, so
  that whoever makes sound softer always knows what follows.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from voicemesh_bot.voice.errors import QueueFullError
from voicemesh_bot.voice.frames import (
    FRAME_S,
    SILENCE,
    SILENCES_AT_END,
    Entry,
    Frame,
    PassageId,
    PassageKind,
    PassageState,
    Progress,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ("Player", "PlayerCounts", "PlayerOptions")


@dataclass(frozen=True, slots=True)
class PlayerOptions:
    """How a player behaves.

    Raises:
        ValueError: a value is out of bounds; names it.
    """

    preroll_s: float = 0.2
    """Silence at the start of a line, 0 to 2 seconds."""

    expectation_s: float = 3.0
    """How long a line is kept open for sound that is expected, 0 to 30 seconds."""

    hold_s: float = 10.0
    """How long a line is kept open within a passage that has no sound for now, or is paused, 0 to
    60 seconds."""

    report_s: float = 0.1
    """Progress of a passage is told this often, 0.02 to 1 seconds; its first frame, its end and
    every silence within it are told at once."""

    most_announcements: int = 16
    """Announcements that may wait or play at the same time, 1 to 1000."""

    most_passage_s: float = 1800.0
    """Sound kept for one passage, 1 to 7200 seconds; what is more is dropped."""

    def __post_init__(self) -> None:
        """Checks the bounds."""
        bounds = {
            "preroll_s": (0.0, 2.0),
            "expectation_s": (0.0, 30.0),
            "hold_s": (0.0, 60.0),
            "report_s": (FRAME_S, 1.0),
            "most_announcements": (1, 1000),
            "most_passage_s": (1.0, 7200.0),
        }
        for name, (least, most) in bounds.items():
            if not least <= getattr(self, name) <= most:
                msg = f"{name} must be {least} to {most}, not {getattr(self, name)}"
                raise ValueError(msg)


@dataclass(slots=True)
class PlayerCounts:
    """What a player has done so far; each number only rises."""

    frames: int = 0
    """Frames of sound sent."""

    underruns: int = 0
    """Times that a passage had no sound when it was due."""

    lines_lost: int = 0
    """Times that a line was lost while it was open."""

    frames_dropped: int = 0
    """Frames beyond `PlayerOptions.most_passage_s`."""


@dataclass(slots=True)
class _Passage:
    """One passage and how far it has come."""

    id: PassageId
    packets: deque[bytes] = field(default_factory=deque)
    received: int = 0
    given: int = 0
    sent: int = 0
    told: int = -1
    ended: bool = False
    paused: bool = False
    was_cut: bool = False
    broken: bool = False  # silence came since its last frame

    @property
    def is_ready(self) -> bool:
        known = len(self.packets) > 1 or (self.ended and bool(self.packets))
        return known and not self.paused


class Player:
    """The state of one guild's playback; not to be used from two threads at once."""

    def __init__(self, options: PlayerOptions | None = None) -> None:
        self._options = options or PlayerOptions()
        self._queue: dict[PassageId, _Passage] = {}
        self._current: _Passage | None = None
        self._pending: tuple[_Passage, bytes] | None = None  # given, its time not yet over
        self._newest: dict[PassageKind, int] = {}
        self._progress: dict[PassageId, Progress] = {}
        self._open = False
        self._ducked = False
        self._preroll_left = 0
        self._tail_left = 0
        self._expected_left = 0
        self._hold_left = 0
        self._report_frames = max(1, round(self._options.report_s / FRAME_S))
        self.counts = PlayerCounts()

    @property
    def wants_line(self) -> bool:
        """Whether a line should be opened, because there is something to say or expected."""
        return not self._open and (self._ready() is not None or self._expected_left > 0)

    @property
    def is_idle(self) -> bool:
        """Whether everything has been said and the line is closed."""
        return not self._queue and not self._open and self._expected_left == 0

    # What is to be said

    def expect(self) -> None:
        """Opens the line for sound that will come within `PlayerOptions.expectation_s`."""
        self._expected_left = _frames(self._options.expectation_s)

    def begin(self, passage: PassageId) -> None:
        """Gives a passage its place in the queue; does nothing if it has one, or had one.

        Raises:
            QueueFullError: too many announcements wait already.
        """
        if passage in self._queue or passage.number <= self._newest.get(passage.kind, -1):
            return
        if passage.kind is PassageKind.ANNOUNCEMENT:
            waiting = sum(each.kind is PassageKind.ANNOUNCEMENT for each in self._queue)
            if waiting >= self._options.most_announcements:
                msg = f"{waiting} announcements wait already"
                raise QueueFullError(msg)
        self._newest[passage.kind] = passage.number
        self._queue[passage] = _Passage(passage)

    def append(self, passage: PassageId, packets: Iterable[bytes]) -> None:
        """Takes the next packets of a passage; those of one that is over are dropped.

        Raises:
            QueueFullError: as `begin`, which is called for a new passage.
        """
        self.begin(passage)
        found = self._queue.get(passage)
        if found is None or found.ended:
            return
        most = _frames(self._options.most_passage_s)
        for packet in packets:
            if found.received >= most:
                self.counts.frames_dropped += 1
                continue
            found.received += 1
            found.packets.append(packet)

    def end(self, passage: PassageId) -> None:
        """Says that a passage has no more packets than it was given."""
        if (found := self._queue.get(passage)) is not None:
            found.ended = True
            self._retire(found)

    def cut(self, passage: PassageId) -> None:
        """Forgets what of a passage has not been sent; its last progress says how much was."""
        found = self._queue.pop(passage, None)
        if found is None:
            return
        found.was_cut = True
        found.packets.clear()
        if self._current is found:
            self._current = None
            self._fall_silent()
        self._close_book(found)

    def cut_all(self) -> None:
        """Forgets everything that has not been sent, and what was expected."""
        self._expected_left = 0
        for passage in tuple(self._queue):
            self.cut(passage)

    def pause(self, passage: PassageId) -> None:
        """Holds a passage where it is; what comes of it meanwhile is kept."""
        found = self._queue.get(passage)
        if found is not None and not found.paused:
            found.paused = True
            if self._current is found:
                self._hold_left = _frames(self._options.hold_s)
                self._fall_silent()

    def resume(self, passage: PassageId) -> None:
        """Goes on with a passage after a pause."""
        if (found := self._queue.get(passage)) is not None:
            found.paused = False
            self._hold_left = _frames(self._options.hold_s)

    def duck(self, ducked: bool) -> None:
        """Makes what follows soft, or loud again."""
        self._ducked = ducked

    # The line

    def next_frame(self) -> Frame | None:
        """What to send now, 20 ms after the frame before; None closes the line."""
        self._confirm()
        ready = self._ready()
        if self._tail_left == 0 and ready is None and not self._holds():
            self._close()
            return None
        if not self._open:
            self._open, self._preroll_left = True, _frames(self._options.preroll_s)
        self._expected_left = max(0, self._expected_left - 1)
        if self._tail_left > 0:
            self._tail_left -= 1
        elif self._preroll_left > 0:
            self._preroll_left -= 1
        elif ready is not None:
            return self._sound(ready)
        elif self._current is not None:
            self._hold_left -= 1
        return self._silence()

    def line_lost(self) -> None:
        """Notes that the line could not be opened, or ended by itself; no sound is lost by it."""
        self._expected_left = 0
        if not self._open:
            return
        self.counts.lines_lost += 1
        pending, self._pending = self._pending, None
        if pending is not None:
            passage, packet = pending
            if passage.was_cut:
                self._close_book(passage)
            else:
                passage.given -= 1
                passage.packets.appendleft(packet)
        self._close()

    def take_progress(self) -> tuple[Progress, ...]:
        """What has changed since the last call, at most one for each passage."""
        taken = tuple(self._progress.values())
        self._progress.clear()
        return taken

    def _ready(self) -> _Passage | None:
        """The passage whose sound is due and there."""
        if self._current is not None:
            return self._current if self._current.is_ready else None
        return next((passage for passage in self._queue.values() if passage.is_ready), None)

    def _holds(self) -> bool:
        """Whether an open line stays so without sound."""
        if self._expected_left > 0:
            return True
        return self._open and self._current is not None and self._hold_left > 0

    def _sound(self, passage: _Passage) -> Frame:
        entry = Entry.REJOINS if passage.broken else Entry.CONTINUES
        if passage.given == 0:
            entry, self._expected_left = Entry.BEGINS, 0
        packet = passage.packets.popleft()
        following = passage.packets[0] if passage.packets else None
        self._current, self._pending = passage, (passage, packet)
        passage.given += 1
        passage.broken = False
        self._hold_left = _frames(self._options.hold_s)
        return Frame(packet, entry, following, self._ducked)

    def _silence(self) -> Frame:
        if (current := self._current) is not None:
            if not current.broken and not current.paused:
                self.counts.underruns += 1
            current.broken = True
            self._tell(current)
        return Frame(SILENCE)

    def _confirm(self) -> None:
        if self._pending is None:
            return
        (passage, _), self._pending = self._pending, None
        passage.sent += 1
        self.counts.frames += 1
        if passage.was_cut:
            self._close_book(passage)
        elif not self._retire(passage) and (passage.sent - 1) % self._report_frames == 0:
            self._tell(passage)

    def _retire(self, passage: _Passage) -> bool:
        """Takes a passage off the queue if all of it has been sent."""
        if not passage.ended or passage.packets or passage.sent < passage.given:
            return False
        del self._queue[passage.id]
        if self._current is passage:
            self._current = None
            self._fall_silent()
        self._tell(passage, PassageState.DONE)
        return True

    def _close_book(self, passage: _Passage) -> None:
        """Tells the end of a passage that was cut, once its last frame is over."""
        if self._pending is None or self._pending[0] is not passage:
            self._tell(passage, PassageState.CUT)

    def _tell(self, passage: _Passage, state: PassageState = PassageState.PLAYING) -> None:
        if state is not PassageState.PLAYING or passage.told != passage.sent:
            passage.told = passage.sent
            self._progress[passage.id] = Progress(passage.id, passage.sent, state)

    def _fall_silent(self) -> None:
        """What is sent next is the end of a sound."""
        if self._open:
            self._tail_left = SILENCES_AT_END

    def _close(self) -> None:
        self._open = False
        self._tail_left = self._preroll_left = self._expected_left = 0
        if self._current is not None:
            self._current.broken = True


def _frames(seconds: float) -> int:
    return round(seconds / FRAME_S)
