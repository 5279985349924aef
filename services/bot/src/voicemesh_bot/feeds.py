"""Bounded ways from a session to the services: sound to hear and text to speak.

Neither blocks the session. Sound that nobody takes is dropped, oldest first, because late sound is
worth nothing; text is joined, so that its bound is the answer's length.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, TypeAlias

from voicemesh_bot.domain import FinishTurn, OpusPacket

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

__all__ = ("PACKET_RATE_HERTZ", "AudioFeed", "Sound", "TextFeed")

Sound: TypeAlias = bytes | OpusPacket
"""Samples, or a packet of 20 ms that stands for some."""

PACKET_RATE_HERTZ = 48_000
"""Samples a second that packets stand for."""

PACKET_BYTES = PACKET_RATE_HERTZ // 50 * 2
"""Size of the samples that a packet stands for."""


class AudioFeed:
    """Sound of one speaker on its way to speech recognition."""

    def __init__(self, *, most_bytes: int) -> None:
        """Keep at most so many bytes of samples; a packet counts as much as its samples would."""
        self._most_bytes = most_bytes
        self._bytes = 0
        self._items: deque[Sound | FinishTurn] = deque()
        self._filled = asyncio.Event()
        self.dropped_bytes = 0

    def put(self, item: Sound | FinishTurn) -> None:
        """Appends sound or the end of a turn, at the cost of the oldest sound."""
        if isinstance(item, FinishTurn) and self._items and self._items[-1] == item:
            return  # It says nothing new, and has no size by which to be bounded.
        self._items.append(item)
        self._bytes += _size(item)
        while self._bytes > self._most_bytes:
            size = _size(self._items.popleft())
            self._bytes -= size
            self.dropped_bytes += size
        self._filled.set()

    def clear(self) -> None:
        """Drops all."""
        self.dropped_bytes += self._bytes
        self._items.clear()
        self._bytes = 0
        self._filled.clear()

    async def wait(self) -> None:
        """Returns as soon as there is sound."""
        while not self._items:
            self._filled.clear()
            await self._filled.wait()

    async def items(self, *, idle_s: float) -> AsyncGenerator[Sound | FinishTurn, None]:
        """Sound and ends of turns in order, until there is none for `idle_s` seconds."""
        while True:
            try:
                async with asyncio.timeout(idle_s):
                    await self.wait()
            except TimeoutError:
                return
            item = self._items.popleft()
            self._bytes -= _size(item)
            yield item


class TextFeed:
    """Text of one answer on its way to the voice."""

    def __init__(self) -> None:
        self._text = ""
        self._ended = False
        self._changed = asyncio.Event()

    def put(self, text: str) -> None:
        """Appends text."""
        self._text += text
        self._changed.set()

    def end(self) -> None:
        """Says that no more comes."""
        self._ended = True
        self._changed.set()

    async def pieces(self) -> AsyncGenerator[str, None]:
        """The text in pieces as large as have come together, until its end."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            text, self._text = self._text, ""
            if text:
                yield text
            elif self._ended:
                return
            if self._ended:
                self._changed.set()


def _size(item: Sound | FinishTurn) -> int:
    match item:
        case bytes():
            return len(item)
        case OpusPacket():
            return PACKET_BYTES
        case _:
            return 0
