"""What a bot was sent, numbered, so that it can resume after a broken connection."""

from __future__ import annotations

import json
import secrets
from collections import deque
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from discordsim.gateway.connection import Connection
    from discordsim.gateway.dispatches import Viewer

__all__ = ("Session",)

_BACKLOG = 5000


class Session:
    """One login of a bot. Outlives its connections."""

    def __init__(self, viewer: Viewer) -> None:
        """Begin at sequence number 0."""
        self.id = secrets.token_hex(16)
        self.viewer = viewer
        self.connection: Connection | None = None
        self.presence: dict[str, Any] | None = None
        """What the bot last said about its status and activity."""
        self._sequence = 0
        self._backlog: deque[tuple[int, str]] = deque(maxlen=_BACKLOG)

    def dispatch(self, name: str, data: dict[str, Any]) -> None:
        """Number an event and send it, now or when the bot resumes."""
        self._sequence += 1
        text = json.dumps({"op": 0, "t": name, "s": self._sequence, "d": data})
        self._backlog.append((self._sequence, text))
        if self.connection is not None:
            self.connection.send_text(text)

    def missed_since(self, sequence: int) -> tuple[str, ...] | None:
        """Return what came after a sequence number, or None if that is no longer known."""
        if sequence > self._sequence:
            return None
        if self._backlog and sequence < self._backlog[0][0] - 1:
            return None
        return tuple(text for number, text in self._backlog if number > sequence)
