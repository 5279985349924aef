"""Messages to one client, numbered, and kept for when it resumes. Pure."""

from __future__ import annotations

import json
from collections import deque
from typing import TYPE_CHECKING, Any

from discordsim.dave.wire import uint
from discordsim.voice.opcodes import VoiceOpcode

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ("Outbox", "Wire", "encode")

Wire = str | bytes
"""A text or a binary frame of the websocket."""

UNNUMBERED = {VoiceOpcode.HELLO, VoiceOpcode.HEARTBEAT_ACK, VoiceOpcode.RESUMED}
"""About a connection, not about the session, and so never sent again."""

_SEQUENCES = 1 << 16


def encode(opcode: int, content: Mapping[str, Any]) -> str:
    """Return a message without a number."""
    return json.dumps({"op": opcode, "d": content})


class Outbox:
    """Numbers messages from 1 (modulo 65536) and keeps the last ones.

    Source: Discord's documentation, "Buffered Resume".
    """

    def __init__(self, kept: int) -> None:
        """Keep at most `kept` messages."""
        self._last = 0
        self._kept: deque[tuple[int, Wire]] = deque(maxlen=kept)

    def add(self, opcode: int, content: bytes | Mapping[str, Any]) -> Wire:
        """Return a message as it goes onto the websocket."""
        if not isinstance(content, bytes) and opcode in UNNUMBERED:
            return encode(opcode, content)
        self._last = (self._last + 1) % _SEQUENCES
        wire: Wire
        if isinstance(content, bytes):
            wire = uint(self._last, 2) + uint(opcode, 1) + content
        else:
            wire = json.dumps({"op": opcode, "d": content, "seq": self._last})
        self._kept.append((self._last, wire))
        return wire

    def since(self, acknowledged: int) -> list[Wire] | None:
        """Return what the client has not seen.

        Args:
            acknowledged: number of the last message it saw; -1 for none.

        Returns:
            The messages after that one, or None if not all of them are there any longer.
        """
        if acknowledged == self._last:
            return []
        wanted = (max(acknowledged, 0) + 1) % _SEQUENCES
        numbers = [number for number, _ in self._kept]
        if wanted not in numbers:
            return None
        return [wire for _, wire in list(self._kept)[numbers.index(wanted) :]]
