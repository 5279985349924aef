"""Where a transcription goes on after its call has failed, and after how long; no I/O."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from voicemesh_client.backoff import Backoff
from voicemesh_client.files import FileProgress, FileSummary
from voicemesh_client.transcripts import Segment

if TYPE_CHECKING:
    from voicemesh_client.errors import ServiceError
    from voicemesh_client.files import FileEvent

__all__ = ("Resumption",)

_LONGEST_BACK_S = 60.0
"""How far before that point the others may have to be quiet; if they never are, it is taken as it
is, and a segment that is cut there may lose or repeat a word."""


@dataclass
class Resumption:
    """What of one transcription has been told, over all of its calls.

    With mixed channels segments come in order, and the next call begins where the last one ended.
    Separate channels speak at the same time: a segment may end long before the segments that came
    before it, so the next call begins before the point up to which all channels are known to be
    done, where none of them was speaking, and what a channel has said already is left out.
    """

    offset_s: float = 0.0
    """Where the next call begins, in seconds from the start of the recording."""

    separate_channels: bool = False
    """Whether channels are transcribed by themselves."""

    retries: int = 3
    """Failures in a row that are forgiven; a new segment begins a new row."""

    _processed_s: float = -1.0
    _received_s: float = 0.0
    _resumed: bool = False
    _ends_s: dict[int, float] = field(default_factory=dict)
    _open: list[tuple[float, float]] = field(default_factory=list)
    """Begin and end of the segments that end after `offset_s`, if channels are separate."""
    _backoff: Backoff = field(init=False)

    def __post_init__(self) -> None:
        self._backoff = Backoff(self.retries)

    def fresh(self, event: FileEvent) -> FileEvent | None:
        """The event as it is to be told; None if it says nothing that has not been told."""
        match event:
            case Segment():
                return self._fresh_segment(event)
            case FileProgress():
                return self._fresh_progress(event)
            case FileSummary():
                return event

    def wait_s(self, error: ServiceError) -> float | None:
        """How long to wait before the next call, in seconds; None if there is to be none."""
        wait_s = self._backoff.wait_s(error)
        self._resumed = self._resumed or wait_s is not None
        return wait_s

    def _fresh_segment(self, segment: Segment) -> Segment | None:
        channel = segment.channel if self.separate_channels else 0
        end_s = self._ends_s.get(channel, 0.0)
        # By its middle: the second call may find a border a few milliseconds away.
        if self._resumed and (segment.start_s + segment.end_s) / 2 < end_s:
            return None
        self._backoff.succeeded()
        self._ends_s[channel] = max(end_s, segment.end_s)
        if self.separate_channels:
            self._open.append((segment.start_s, segment.end_s))
        else:
            self.offset_s = max(self.offset_s, segment.end_s)
        return segment

    def _fresh_progress(self, progress: FileProgress) -> FileProgress | None:
        if self.separate_channels:
            self.offset_s = max(self.offset_s, self._quiet_s(progress.processed_s))
            self._open = [each for each in self._open if each[1] > self.offset_s]
        processed_s = max(self._processed_s, progress.processed_s)
        received_s = max(self._received_s, progress.received_s)
        if (processed_s, received_s) == (self._processed_s, self._received_s):
            return None
        self._processed_s, self._received_s = processed_s, received_s
        return FileProgress(processed_s, received_s)

    def _quiet_s(self, before_s: float) -> float:
        """The last time at which nobody was in the middle of a segment."""
        quiet_s = before_s
        for start_s, end_s in sorted(self._open, reverse=True):
            if start_s < quiet_s < end_s:
                quiet_s = start_s
        return quiet_s if before_s - quiet_s <= _LONGEST_BACK_S else before_s
