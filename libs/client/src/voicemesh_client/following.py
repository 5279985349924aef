"""What of a training job's story is still to be told, over all calls that follow it; no I/O."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from voicemesh_client.training import (
    TrainingEvent,
    TrainingJob,
    TrainingJobState,
    TrainingLogLine,
    TrainingProgress,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ("Following",)


@dataclass
class Following:
    """What has been told.

    A call tells of a job what happens from its beginning on. What happened between two calls is in
    the job as the next one begins, and in the log; lines are known again by their time and text.
    """

    ended: bool = False
    """Whether the end has been told."""

    _stage: tuple[TrainingJobState, int] | None = None
    _progress: TrainingProgress | None = None
    _lines: set[TrainingLogLine] = field(default_factory=set)
    """As many as the log of a job may have, which the service bounds."""

    def begun(self, job: TrainingJob, log: Iterable[TrainingLogLine]) -> Iterator[TrainingEvent]:
        """What is new as a call begins: the lines come before the end, and after a beginning."""
        if not job.state.ended:
            yield from self.fresh(job)
        for line in log:
            yield from self.fresh(line)
        if job.progress.step:
            yield from self.fresh(job.progress)
        if job.state.ended:
            yield from self.fresh(job)

    def fresh(self, event: TrainingEvent) -> Iterator[TrainingEvent]:
        """The event, if it says something that has not been told."""
        match event:
            case TrainingJob():
                stage = (event.state, event.attempt_count)
                is_new, self._stage = stage != self._stage, stage
                self.ended = event.state.ended
            case TrainingProgress():
                is_new, self._progress = event != self._progress, event
            case TrainingLogLine():
                is_new = event not in self._lines
                self._lines.add(event)
        if is_new:
            yield event
