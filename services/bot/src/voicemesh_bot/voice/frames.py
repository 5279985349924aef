"""What one tick of playback is made of: Opus packets of 20 ms, silence, and where they belong.

Discord takes one packet of 20 ms at 48 kHz after the other; everything here counts in such frames.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = (
    "FRAME_S",
    "FRAME_SAMPLES",
    "SILENCE",
    "SILENCES_AT_END",
    "Entry",
    "Frame",
    "PassageId",
    "PassageKind",
    "PassageState",
    "Progress",
)

FRAME_S = 0.02
"""Length of a frame in seconds."""

FRAME_SAMPLES = 960
"""Length of a frame in samples at 48 kHz."""

SILENCE = b"\xf8\xff\xfe"
"""The Opus packet by which Discord says silence."""

SILENCES_AT_END = 5
"""Frames of silence after a sound, so that listeners' decoders do not make up what would follow
(Discord's documentation, "Voice Data Interpolation")."""


class PassageKind(StrEnum):
    """Where a passage comes from; each kind has numbers of its own."""

    ANSWER = "answer"
    """An answer of the conversation, by its reply id."""
    ANNOUNCEMENT = "announcement"
    """Anything else that is said."""


@dataclass(frozen=True, slots=True)
class PassageId:
    """Names something that is said in one go."""

    kind: PassageKind
    """Where it comes from."""

    number: int
    """Rises within its kind."""


class PassageState(StrEnum):
    """How far a passage has come."""

    PLAYING = "playing"
    """More may follow."""
    DONE = "done"
    """All of it was sent."""
    CUT = "cut"
    """It was cut, or never begun; no more of it follows."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How much of a passage has been sent, exactly."""

    passage: PassageId
    """Which one."""

    frames: int
    """Frames of its sound that have been sent and are over; never falls."""

    state: PassageState
    """Whether more may follow."""

    @property
    def played_s(self) -> float:
        """Length of the sound that was sent, in seconds."""
        return self.frames * FRAME_S


class Entry(StrEnum):
    """What a frame of sound follows upon."""

    BEGINS = "begins"
    """The first frame of its passage: a stream of packets begins."""
    CONTINUES = "continues"
    """The frame before it in its own stream."""
    REJOINS = "rejoins"
    """Silence in the middle of its stream, of which the stream's encoder knew nothing."""


@dataclass(frozen=True, slots=True)
class Frame:
    """What is to be sent in one tick."""

    packet: bytes
    """The Opus packet, or `SILENCE`."""

    entry: Entry | None = None
    """What it follows upon; None for silence."""

    following: bytes | None = None
    """The next packet of the same stream; None at its end."""

    ducked: bool = False
    """Whether it should be soft."""
