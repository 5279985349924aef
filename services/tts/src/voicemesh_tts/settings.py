"""The settings of tts, read from variables that begin with VOICEMESH_TTS_."""

# No `from __future__ import annotations`: pydantic evaluates these annotations at run time.

import os
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, field_validator
from pydantic_settings import NoDecode

from voicemesh_chassis.settings import ServerSettings, ServiceSettings, service_settings_config

__all__ = (
    "ClauseSettings",
    "PiperSettings",
    "QueueSettings",
    "StreamSettings",
    "TtsSettings",
)

_PART = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)
_MIB = 1024 * 1024


class ClauseSettings(BaseModel):
    """Where a text being written is cut."""

    model_config = _PART

    first_clause_letters: int = Field(default=10, ge=1, le=200)
    """The first clause may end at a comma or the like after this many letters and digits."""

    first_clause_words: int = Field(default=8, ge=2, le=100)
    """The first clause ends after this many words, though nothing marks an end."""

    min_sentence_chars: int = Field(default=20, ge=1, le=500)
    """Later sentences shorter than this many characters are spoken with the next one."""

    max_clause_chars: int = Field(default=250, ge=40, le=1000)
    """No clause is longer than this many characters."""


class StreamSettings(BaseModel):
    """Bounds of one StreamSynthesize call."""

    model_config = _PART

    idle_timeout_s: float = Field(default=60.0, gt=0, le=3600)
    """How long a caller may send nothing while there is nothing left to speak, and may take nothing
    once all that was sent would have been heard, in seconds."""

    max_pending_chars: int = Field(default=20_000, ge=100, le=1_000_000)
    """Characters planned but not spoken, above which no more text is read for the moment; a flush
    counts as one."""

    buffer_s: float = Field(default=10.0, ge=1, le=600)
    """Sound made but not taken by the caller, above which no more is made, in seconds."""


class QueueSettings(BaseModel):
    """How callers share the engine."""

    model_config = _PART

    workers: int = Field(default=2, ge=1, le=64)
    """Clauses that are synthesised at once, each on a thread of its own."""

    max_waiting: int = Field(default=32, ge=0, le=10_000)
    """Callers waiting for the engine, beyond which a new text is answered RESOURCE_EXHAUSTED."""

    wait_timeout_s: float = Field(default=30.0, gt=0, le=3600)
    """How long a clause may wait for the engine before the call is refused, in seconds."""

    turn_timeout_s: float = Field(default=60.0, gt=0, le=3600)
    """How long the engine may take for one turn before the call fails, in seconds."""


class PiperSettings(BaseModel):
    """The Piper engine."""

    model_config = _PART

    voice_dirs: Annotated[tuple[Path, ...], NoDecode] = ()
    """Further directories of Piper voices (NAME.onnx with NAME.onnx.json), separated by `:` (`;` on
    Windows). Voices of the model directory are found by themselves."""

    threads: int = Field(default=2, ge=1, le=64)
    """Threads of ONNX Runtime for one clause."""

    noise_scale: float | None = Field(default=None, ge=0, le=2)
    """Variation of the sound; 0 makes it the same each time. Unset means the voice's own."""

    noise_w_scale: float | None = Field(default=None, ge=0, le=2)
    """Variation of the rhythm; 0 makes it the same each time. Unset means the voice's own."""

    length_scale: float | None = Field(default=None, ge=0.1, le=10)
    """Length of the sounds at speaking rate 1; above 1 is slower. Unset means the voice's own."""

    gain_db: float = Field(default=3.0, ge=-24, le=24)
    """Gain over the level the model makes, in decibels."""

    @field_validator("voice_dirs", mode="before")
    @classmethod
    def _split_paths(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(Path(part).expanduser() for part in value.split(os.pathsep) if part)
        return value


class TtsSettings(ServiceSettings):
    """Everything that can be set, frozen."""

    model_config = service_settings_config("VOICEMESH_TTS_")

    server: ServerSettings = ServerSettings(
        port=50052, metrics_port=9102, max_message_bytes=32 * _MIB
    )
    """Where and how the service listens. A whole text's audio must fit into one message."""

    default_voice: str = Field(
        default="piper:en_US-joe-medium", pattern=r"^[a-z][a-z0-9_-]*:\S+$", max_length=256
    )
    """Voice of requests that name none, `engine:name`; loaded at the start."""

    max_text_chars: int = Field(default=5_000, ge=1, le=100_000)
    """Most characters of a Synthesize text, and of one message of a stream."""

    opus_bitrate: int = Field(default=48_000, ge=6_000, le=256_000)
    """Bits a second of Opus, both in Ogg and as packets, for one channel."""

    clauses: ClauseSettings = ClauseSettings()
    """Where a text is cut."""

    stream: StreamSettings = StreamSettings()
    """Bounds of one stream."""

    queue: QueueSettings = QueueSettings()
    """How callers share the engine."""

    piper: PiperSettings = PiperSettings()
    """The Piper engine."""
