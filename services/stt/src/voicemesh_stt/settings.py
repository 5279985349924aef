"""Settings of the speech-to-text service, read from `VOICEMESH_STT_…`."""

# No `from __future__ import annotations`: pydantic evaluates these annotations at run time.

from itertools import pairwise
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from voicemesh_chassis.refusals import ContradictionError
from voicemesh_chassis.settings import ServerSettings, ServiceSettings, service_settings_config

__all__ = ("SttSettings", "TurnSettings")

_MIB = 1024 * 1024


class TurnSettings(BaseModel):
    """When a turn of a live stream begins and ends, unless the stream's config says otherwise."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    start_threshold: float = Field(default=0.5, ge=0.05, le=0.95)
    """Voice probability that opens a turn. The end threshold is 0.15 below it."""

    pre_roll_s: float = Field(default=0.3, ge=0, le=2)
    """Audio kept from before the voice began, in seconds."""

    min_speech_s: float = Field(default=0.2, ge=0, le=2)
    """Shortest voice that opens a turn, in seconds."""

    soft_stop_s: float = Field(default=0.096, ge=0.032, le=2)
    """Silence after which words are made ready in case the turn is over, in seconds."""

    complete_silence_s: float = Field(default=0.4, ge=0.1, le=10)
    """Silence that ends a turn that sounds complete, in seconds."""

    unsure_silence_s: float = Field(default=0.7, ge=0.1, le=10)
    """Silence that ends a turn that may go on, in seconds; at least `complete_silence_s`."""

    incomplete_silence_s: float = Field(default=1.5, ge=0.1, le=10)
    """Silence that ends a turn that sounds incomplete, in seconds; at least `unsure_silence_s`."""

    max_turn_s: float = Field(default=30.0, ge=1, le=120)
    """Longest turn, in seconds; a longer one is cut."""

    @model_validator(mode="after")
    def _check_order(self) -> Self:
        gates = ("complete_silence_s", "unsure_silence_s", "incomplete_silence_s")
        for shorter, longer in pairwise(gates):
            if getattr(self, longer) < getattr(self, shorter):
                raise ContradictionError(self, longer, "must be at least", shorter)
        return self


class SttSettings(ServiceSettings):
    """Everything that can be set."""

    model_config = service_settings_config("VOICEMESH_STT_")

    server: ServerSettings = ServerSettings(
        port=50051, metrics_port=9101, max_message_bytes=32 * _MIB
    )
    """Where and how the service listens."""

    model: str = Field(default="whisper-tiny.en", min_length=1)
    """Name of a model in the catalogue, or path of a CTranslate2 Whisper directory, whose last
    part is then the model's name."""

    models_dir: Path | None = None
    """Directory of pulled models; unset means VOICEMESH_MODELS_DIR, or the user's data
    directory."""

    device: Literal["auto", "cpu", "cuda"] = "auto"
    """What the model runs on; `auto` is a GPU if there is one."""

    compute_type: Literal["auto", "int8", "int8_float16", "float16", "float32"] = "auto"
    """Arithmetic of the model; `auto` is int8 on a CPU and float16 on a GPU."""

    threads: int = Field(default=0, ge=0, le=256)
    """Threads of the model on a CPU; 0 means one a core, at most 4."""

    audio_threads: int = Field(default=2, ge=1, le=64)
    """Threads for decoding and voice activity: so many for all live streams together, and as many
    for all recordings."""

    beam_size: int = Field(default=5, ge=1, le=10)
    """Width of the beam search where a request does not say it."""

    queue_bound: int = Field(default=128, ge=1, le=10_000)
    """Most jobs that wait for the model; beyond it callers are told to come back."""

    job_timeout_s: float = Field(default=30.0, gt=0, le=600)
    """Longest time from asking the model to its words on a live stream, in seconds."""

    max_audio_s: float = Field(default=1800.0, ge=1, le=14_400)
    """Most audio in one `Transcribe`, decoded, in seconds; channels kept apart add up."""

    recording_timeout_s: float = Field(default=600.0, gt=0, le=14_400)
    """Longest time that one `Transcribe` may take, in seconds."""

    stream_idle_timeout_s: float = Field(default=60.0, ge=0.1, le=3600)
    """Longest time without audio on a live stream, in seconds."""

    partial_interval_s: float = Field(default=0.3, ge=0.1, le=10)
    """Least audio between two partials of a turn, in seconds."""

    turn: TurnSettings = TurnSettings()
    """Turn detection."""
