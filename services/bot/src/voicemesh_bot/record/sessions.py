"""Gives each session an observer that records its turns."""

from __future__ import annotations

import itertools
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from voicemesh_bot.record.lines import FORMAT, LineWriter, record_line
from voicemesh_bot.record.recorder import Speakers, TurnRecorder

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from voicemesh_bot.conversation.commands import Command
    from voicemesh_bot.conversation.events import Event
    from voicemesh_bot.record.metrics import TurnMetrics
    from voicemesh_bot.record.turns import TurnRecord

__all__ = ("SessionRecords",)


class SessionRecords:
    """Makes observers; all sessions of a process share the metrics and the event log."""

    def __init__(
        self,
        metrics: TurnMetrics,
        write: Callable[[Mapping[str, Any]], None] | None = None,
        *,
        words: bool = False,
        now: Callable[[], float] = time.time,
    ) -> None:
        """Takes where records go.

        Args:
            metrics: count every turn.
            write: takes a line of the event log, such as `EventLog.write`; None keeps none.
            words: whether lines have what is said.
            now: seconds since 1970.
        """
        self._metrics = metrics
        self._write = write
        self._words = words
        self._now = now
        self._numbers = itertools.count(1)

    def observer(self, front: str) -> SessionRecord:
        """An observer for a new session.

        Args:
            front: where it takes place, such as `console` or `discord`.
        """
        began = datetime.fromtimestamp(self._now(), UTC).isoformat(timespec="milliseconds")
        # Of a process that was started again, numbers begin anew; with the time they are distinct.
        session = f"{began}#{next(self._numbers)}"
        write = self._write
        if write is None:
            return SessionRecord(self._metrics)
        writer = LineWriter(speakers := Speakers(), words=self._words)
        write({"kind": "session", "format": FORMAT, "session": session, "front": front})
        return SessionRecord(
            self._metrics, speakers, writer, lambda line: write({"session": session, **line})
        )


class SessionRecord:
    """An `Observer` that records one session."""

    def __init__(
        self,
        metrics: TurnMetrics,
        speakers: Speakers | None = None,
        writer: LineWriter | None = None,
        write: Callable[[Mapping[str, Any]], None] | None = None,
    ) -> None:
        self._metrics = metrics
        self._writer = writer
        self._write = write
        self._now_s = 0.0
        self._recorder = TurnRecorder(self._take, speakers or Speakers())

    def note(self, event: Event, commands: Sequence[Command], now_s: float) -> None:
        """See `ports.Observer.note`."""
        self._now_s = now_s
        if self._writer is not None:
            for line in self._writer.lines(event, commands):
                self._put(line)
        self._recorder.note(event, commands, now_s)

    def _take(self, record: TurnRecord) -> None:
        self._metrics.count(record)
        if self._writer is not None:
            self._put(record_line(record))

    def _put(self, line: Mapping[str, Any]) -> None:
        if self._write is not None:
            self._write({"t_s": round(self._now_s, 4), **line})
