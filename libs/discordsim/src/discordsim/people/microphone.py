"""A person's microphone: speech goes out in Discord's own time.

One packet every 20 ms while there is speech, then five packets of silence, then nothing at all.
"""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from discordsim.people.encryption import SILENCE
from discordsim.people.speech import FRAME_S, FRAME_SAMPLES, SAMPLE_RATE_HERTZ, Speech

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ("Microphone", "Shot", "Utterance")

_SILENCE_FRAMES = 5


@dataclass(frozen=True, slots=True)
class Shot:
    """One packet, numbered, on its way out."""

    opus: bytes = field(repr=False)
    sequence: int
    timestamp: int
    marker: bool


@dataclass(frozen=True, slots=True)
class Utterance:
    """What was said, and when. Times are those of `time.monotonic`."""

    speech: Speech
    sent_times: tuple[float, ...] = field(repr=False)
    """When each packet of speech left; fewer than the speech has if it was broken off."""
    unsent: int
    """Packets that could not be sent: the person was in no call, or not yet in its group."""

    @property
    def is_whole(self) -> bool:
        """Whether it was said to its end, and all of it was sent."""
        return len(self.sent_times) == len(self.speech.packets) and not self.unsent

    @property
    def started_time(self) -> float:
        """When the first packet left.

        Raises:
            IndexError: none did.
        """
        return self.sent_times[0]

    @property
    def last_voiced_time(self) -> float:
        """When the last packet with voice left; its sound ends 20 ms later.

        Raises:
            IndexError: no packet left.
        """
        return self.sent_times[min(self.speech.last_voiced, len(self.sent_times) - 1)]


class Microphone:
    """Speaks, one thing at a time."""

    def __init__(self, send: Callable[[Shot], bool], announce: Callable[[bool], None]) -> None:
        """Begin in silence.

        Args:
            send: sends a packet; False if that is not possible at present.
            announce: says that speech begins or has ended.
        """
        self._send = send
        self._announce = announce
        self._turn = asyncio.Lock()
        self._hushed = False
        self._sequence = secrets.randbelow(1 << 16)
        self._timestamp = secrets.randbelow(1 << 32)
        self._next_time = 0.0  # when the next packet would be due if speech had gone on
        self.is_speaking = False
        """Whether something is being said."""

    async def speak(self, speech: Speech) -> Utterance:
        """Say something, after whatever is being said.

        Returns:
            When each packet left; after `hush`, of those that did.
        """
        async with self._turn:
            return await self._speak(speech)

    def hush(self) -> None:
        """Break off what is being said; five packets of silence follow."""
        self._hushed = self.is_speaking

    async def _speak(self, speech: Speech) -> Utterance:
        loop = asyncio.get_running_loop()
        self._hushed = False
        self.is_speaking = True
        self._announce(True)
        due = self._catch_up(loop.time())
        times: list[float] = []
        unsent = 0
        left = _SILENCE_FRAMES
        try:
            for index, opus in enumerate(speech.packets):
                await _until(due)
                if self._hushed:
                    break
                unsent += not self._shoot(opus, marker=not index)
                times.append(loop.time())
                due += FRAME_S
            while left:
                await _until(due)
                self._shoot(SILENCE)
                left -= 1
                due += FRAME_S
        finally:
            # Who waits may have given up; listeners still have to hear that speech is over.
            for _ in range(left):
                self._shoot(SILENCE)
            self._next_time = due
            self.is_speaking = False
            self._announce(False)
        return Utterance(speech, tuple(times), unsent)

    def _catch_up(self, now: float) -> float:
        """Lets the clock of the packets run on through silence; returns when to begin."""
        if now < self._next_time:
            return self._next_time
        if self._next_time:
            pause = (now - self._next_time) * SAMPLE_RATE_HERTZ
            frames = round(pause / FRAME_SAMPLES)
            self._timestamp = (self._timestamp + frames * FRAME_SAMPLES) & 0xFFFFFFFF
        return now

    def _shoot(self, opus: bytes, *, marker: bool = False) -> bool:
        sent = self._send(Shot(opus, self._sequence, self._timestamp, marker))
        if sent:  # what was never sent must not look lost
            self._sequence = (self._sequence + 1) & 0xFFFF
        self._timestamp = (self._timestamp + FRAME_SAMPLES) & 0xFFFFFFFF
        return sent


async def _until(time: float) -> None:
    """Sleeps up to a time of the loop; a loop that is late makes up for it, as sound cards do."""
    await asyncio.sleep(max(0.0, time - asyncio.get_running_loop().time()))
