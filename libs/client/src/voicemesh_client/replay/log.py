"""Reads an event log of the bot.

Lines of kinds that are not known here, of a later release, are left alone, and so is a last line
that is not complete because the bot is writing it.
"""

from __future__ import annotations

import json
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

__all__ = ("EventLogError", "LoggedTurn", "read_turns")

_FORMAT = "voicemesh-turns/1"
_MOST_LINE_CHARACTERS = 1_000_000
_MOST_EVENTS = 5_000
"""Of a session before a turn's record; a turn with a long answer has some hundreds."""

_BEFORE_S = 10.0


class EventLogError(ValueError):
    """The file is no event log, or one of a release with another format."""


@dataclass(frozen=True)
class LoggedTurn:
    """One turn, and all that happened in its session until its record was written."""

    session: str
    """The session."""

    record: Mapping[str, Any]
    """Its record: the line of kind `turn`."""

    events: tuple[Mapping[str, Any], ...]
    """Lines of the session up to then, oldest first; each has `t_s` and `kind`."""

    @property
    def is_answered(self) -> bool:
        """Whether the bot answered."""
        return self.record.get("outcome") is not None

    def name(self) -> str:
        """What people call it: who, which turn, how it ended."""
        turn = self.record.get("turn")
        which = f"turn {turn}" if turn else "a written message"
        outcome = self.record.get("outcome") or "not answered"
        return f"speaker {self.record.get('speaker')}, {which}: {outcome}"


def read_turns(path: Path) -> list[LoggedTurn]:
    """All turns of a log, in the order in which they ended.

    Args:
        path: the file; also one that became full and was put aside.

    Raises:
        OSError: if it cannot be read.
        EventLogError: if it is no event log; the message says which line is wrong.
    """
    sessions: dict[str, deque[Mapping[str, Any]]] = {}
    turns: list[LoggedTurn] = []
    with path.open(encoding="utf-8", errors="replace") as file:
        for line in _lines(file):
            session = str(line.get("session", ""))
            if line["kind"] == "session":
                if line.get("format") != _FORMAT:
                    msg = f"its format is {line.get('format')}, and this program reads {_FORMAT}"
                    raise EventLogError(msg)
                continue
            events = sessions.setdefault(session, deque(maxlen=_MOST_EVENTS))
            if line["kind"] == "turn":
                turns.append(LoggedTurn(session, line, tuple(_window(line, events))))
            else:
                events.append(line)
    return turns


def _lines(file: Iterable[str]) -> Iterator[dict[str, Any]]:
    number, broken = 0, 0
    for number, text in enumerate(file, start=1):
        if broken:
            break
        line = _object(text)
        if line is not None:
            yield line
        elif text.strip():
            broken = number
    if broken and (broken < number or broken == 1):
        msg = f"line {broken} is not one of an event log"
        raise EventLogError(msg)


def _object(text: str) -> dict[str, Any] | None:
    """The line; None if it is none."""
    if len(text) > _MOST_LINE_CHARACTERS:
        return None
    try:
        line = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(line, dict) or not isinstance(line.get("kind"), str):
        return None
    timed = isinstance(line.get("t_s"), int | float)
    return line if timed or line["kind"] == "session" else None


def _window(
    record: Mapping[str, Any], events: Sequence[Mapping[str, Any]]
) -> Iterator[Mapping[str, Any]]:
    """The events from a while before the turn began, as others may have been speaking then."""
    turn = (record.get("speaker"), record.get("turn"))
    began_s = record["t_s"]
    for event in reversed(events):
        if (event.get("speaker"), event.get("turn")) == turn:
            began_s = event["t_s"]
            # Written messages are all of turn 0: the latest is meant.
            if event["kind"] == ("speech_started" if turn[1] else "message"):
                break
    yield from (event for event in events if event["t_s"] >= began_s - _BEFORE_S)
