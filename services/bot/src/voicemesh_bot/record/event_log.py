"""The event log: JSON lines appended to a file by a thread, so that no conversation waits.

One file for all sessions of a process. When it is full it becomes `NAME.1`, in the place of the one
before, so at most two are kept.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections import deque
from typing import TYPE_CHECKING, Any

from voicemesh_chassis.logs import get_logger

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

__all__ = ("EventLog",)

_logger = get_logger(__name__)

_MOST_WAITING = 10_000
_PAUSE_S = 0.25
_AGAIN_S = 5.0


class EventLog:
    """Writes lines to a file; `run` it as a task."""

    def __init__(self, path: Path, *, most_bytes: int = 64 * 1024 * 1024) -> None:
        """Takes the file, and how large it may grow before another is begun."""
        self._path = path
        self._most_bytes = most_bytes
        self._waiting: deque[Mapping[str, Any]] = deque()
        self._lost = 0
        self._news = asyncio.Event()
        self._writing: asyncio.Task[bool] | None = None

    def write(self, line: Mapping[str, Any]) -> None:
        """Takes a line; never waits. If the disk is too slow, the oldest lines are lost."""
        if len(self._waiting) == _MOST_WAITING:
            self._waiting.popleft()
            self._lost += 1
        self._waiting.append(line)
        self._news.set()

    async def run(self) -> None:
        """Writes until cancelled, and then what is left."""
        try:
            while True:
                await self._news.wait()
                self._news.clear()
                pause_s = _PAUSE_S if await self._flush() else _AGAIN_S
                await asyncio.sleep(pause_s)
        finally:
            await self._flush()

    async def _flush(self) -> bool:
        lines, self._waiting = list(self._waiting), deque[Any]()
        lost, self._lost = self._lost, 0
        if lost:
            _logger.warning("lines of the event log are lost", lines=lost)
        if self._writing is not None:
            # Who was cancelled left a thread at work; lines are to stay in order.
            await asyncio.wait({self._writing})
        if not lines:
            return True
        self._writing = asyncio.create_task(self._write(lines), name="event log")
        return await asyncio.shield(self._writing)

    async def _write(self, lines: list[Mapping[str, Any]]) -> bool:
        try:
            await asyncio.to_thread(_append, self._path, lines, self._most_bytes)
        except OSError as error:
            _logger.warning("event log cannot be written", error=type(error).__name__)
            return False
        return True


def _append(path: Path, lines: Iterable[Mapping[str, Any]], most_bytes: int) -> None:
    text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Nobody else's business, whether or not there are words in it.
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with open(descriptor, "ab") as file:
        file.write(text.encode())
        size = file.tell()
    if size >= most_bytes:
        path.replace(path.with_name(path.name + ".1"))
