"""All turns of a log in numbers: half, and 95 of 100, were no longer than this."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from voicemesh_client.replay.log import LoggedTurn

__all__ = ("Stage", "stages")

_NAMES = (
    "soft_stop",
    "stt_queue",
    "stt",
    "transcript_ready",
    "gate",
    "llm_ttft",
    "first_clause",
    "tts_ttfb",
    "tts_leading_silence",
    "first_frame_sent",
)


@dataclass(frozen=True)
class Stage:
    """How long a stage took in the turns in which it was measured."""

    name: str
    """As in the record, without the unit."""

    turns: int
    """How many these are."""

    p50_ms: float
    """Half of them took no longer."""

    p95_ms: float
    """Of 100, 95 took no longer."""


def stages(turns: Iterable[LoggedTurn]) -> list[Stage]:
    """The stages that were measured, in the order in which they come in a turn."""
    records = [turn.record for turn in turns]
    found = []
    for name in _NAMES:
        values = sorted(
            float(value)
            for record in records
            if isinstance(value := record.get(f"{name}_ms"), int | float) and math.isfinite(value)
        )
        if values:
            found.append(Stage(name, len(values), _percentile(values, 50), _percentile(values, 95)))
    return found


def _percentile(ordered: Sequence[float], percent: int) -> float:
    """The nearest rank, so that it is a value that was measured."""
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]
