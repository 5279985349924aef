"""Who can speak."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime  # noqa: TC003 - dataclass readers resolve it at run time
from enum import StrEnum

__all__ = ("Voice", "VoiceGender")


class VoiceGender(StrEnum):
    """The gender a voice sounds like."""

    UNKNOWN = "unknown"
    """Not known."""

    FEMALE = "female"
    """A woman's voice."""

    MALE = "male"
    """A man's voice."""

    NEUTRAL = "neutral"
    """Neither, or both."""


@dataclass(frozen=True, slots=True)
class Voice:
    """Somebody who can speak."""

    id: str
    """What `SynthesisOptions.voice` takes, such as `piper:en_US-joe-medium`."""

    display_name: str
    """Name for people."""

    language_codes: tuple[str, ...]
    """BCP-47 codes of the languages it speaks."""

    gender: VoiceGender
    """The speaker's gender, where it is known."""

    sample_rate_hertz: int
    """The rate the engine makes, in samples a second."""

    engine: str
    """The engine, such as `piper`."""

    license: str
    """SPDX identifier or name of the voice's licence."""

    loaded: bool
    """Whether it is in memory and speaks at once."""

    default: bool
    """Whether requests that name no voice get it."""

    tenant: str
    """The tenant it belongs to, if it was cloned; else empty."""

    create_time: datetime | None
    """When it was cloned, in UTC, if it was."""
