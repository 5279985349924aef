"""Settings of the speech-to-text service, read from `VOICEMESH_STT_…`."""

# No `from __future__ import annotations`: pydantic evaluates these annotations at run time.

from itertools import pairwise
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator
from pydantic_settings import NoDecode

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

    soft_stop_s: float | None = Field(default=None, ge=0.032, le=2)
    """Silence after which words are made ready in case the turn is over, in seconds; unset means
    0.096, and sooner, down to 0.032, while the model is slow."""

    complete_silence_s: float = Field(default=0.4, ge=0.1, le=10)
    """Silence that ends a turn that sounds complete, in seconds."""

    unsure_silence_s: float = Field(default=0.6, ge=0.1, le=10)
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
        port=50051, metrics_port=9101, max_message_bytes=32 * _MIB, max_concurrent=160
    )
    """Where and how the service listens."""

    model: str = Field(default="whisper-tiny.en", min_length=1)
    """Name of a model in the catalogue, or path of a CTranslate2 Whisper directory, whose last
    part is then the model's name."""

    models: Annotated[tuple[str, ...], NoDecode] = ()
    """Names of models in the catalogue, or paths as for `model`, separated by commas, that requests
    may name besides `model` and `warm_models`. Empty means every Whisper model that is in the
    models directory."""

    warm_models: Annotated[tuple[str, ...], NoDecode] = ()
    """Names or paths, separated by commas, of models that are loaded before the service is ready
    and stay loaded, as `model` does. The others are loaded when a request names them."""

    max_loaded_models: int = Field(default=3, ge=1, le=64)
    """Most models in memory, those that stay loaded included. For one more, that which has been
    out of use for longest is unloaded; if all are in use, callers are told to come back."""

    model_idle_timeout_s: float = Field(default=300.0, ge=0, le=604_800)
    """How long a model may be out of use before it is unloaded, in seconds; 0 means for ever."""

    model_load_timeout_s: float = Field(default=120.0, gt=0, le=3600)
    """Longest time that a call waits for its model to be loaded, in seconds. The load itself goes
    on, for whoever asks next."""

    model_load_deadline_s: float = Field(default=600.0, gt=0, le=86_400)
    """Longest time that a load may take, in seconds, before it is given up and its thread left; the
    next call that names the model tries again. After 4 that still hang no other is begun."""

    end_of_turn_model: str = Field(default="smart-turn-v3.2", min_length=1)
    """Name of the model that judges whether a turn sounds complete; `none` means that words and
    timing alone decide, as they do if the model is not in the models directory."""

    models_dir: Path | None = None
    """Directory of pulled models; unset means VOICEMESH_MODELS_DIR, or the user's data
    directory."""

    device: Literal["auto", "cpu", "cuda"] = "auto"
    """What the model runs on; `auto` is a GPU if there is one."""

    compute_type: Literal["auto", "int8", "int8_float16", "float16", "float32"] = "auto"
    """Arithmetic of the model; `auto` is int8 on a CPU and float16 on a GPU."""

    workers: int = Field(default=0, ge=0, le=256)
    """Batches that a model works on at once; 0 means as many as pays on this machine."""

    threads: int = Field(default=0, ge=0, le=256)
    """Threads of each worker on a CPU; 0 means as many as pays for the size of the model."""

    max_batch: int = Field(default=0, ge=0, le=64)
    """Most jobs in a batch of a model; 0 means 8 on a CPU and 16 on a GPU."""

    min_context_s: float = Field(default=10.0, ge=10, le=30)
    """Shortest audio context given to the model, in seconds. Short contexts are what makes short
    utterances fast; 30 gives it always the whole of Whisper's own."""

    audio_threads: int = Field(default=2, ge=1, le=64)
    """Threads for decoding and voice activity: so many for all live streams together, and as many
    for all recordings."""

    beam_size: int = Field(default=5, ge=1, le=10)
    """Width of the beam search where a request does not say it."""

    queue_bound: int = Field(default=128, ge=1, le=10_000)
    """Most jobs that wait for the models; beyond it callers are told to come back."""

    max_queue_wait_s: float = Field(default=10.0, gt=0, le=600)
    """Longest wait for the model, as far as it can be foreseen, at which further recordings are
    taken on, in seconds."""

    max_live_wait_s: float = Field(default=1.0, gt=0, le=60)
    """Longest wait for the model at which further live streams are taken on, in seconds."""

    job_timeout_s: float = Field(default=30.0, gt=0, le=600)
    """Longest time from asking the model to its words on a live stream, in seconds."""

    max_audio_s: float = Field(default=1800.0, ge=1, le=14_400)
    """Most audio in one `Transcribe`, decoded, in seconds; channels kept apart add up."""

    recording_timeout_s: float = Field(default=600.0, gt=0, le=14_400)
    """Longest time that one `Transcribe` may take, in seconds."""

    max_file_bytes: int = Field(default=4096 * _MIB, ge=1, le=1 << 40)
    """Most bytes of one `TranscribeFile` upload. It is kept on disk while the call lasts."""

    max_file_audio_s: float = Field(default=86_400.0, ge=1, le=864_000)
    """Most audio in one `TranscribeFile`, in seconds."""

    max_files: int = Field(default=8, ge=1, le=256)
    """Most `TranscribeFile` calls at the same time, a thread each; others are told to come
    back."""

    file_timeout_s: float = Field(default=14_400.0, gt=0, le=86_400)
    """Longest time that one `TranscribeFile` may take, upload included, in seconds."""

    spool_dir: Path | None = None
    """Directory for uploads of `TranscribeFile` while they last; unset means the system's for
    temporary files."""

    stream_idle_timeout_s: float = Field(default=60.0, ge=0.1, le=3600)
    """Longest time without audio on a live stream, or an upload, in seconds."""

    partial_interval_s: float = Field(default=0.3, ge=0.1, le=10)
    """Least audio between two partials of a turn, in seconds."""

    drain_turn_s: float = Field(default=10.0, ge=0, le=3600)
    """How long an open turn of a live stream may go on after SIGTERM, in seconds; then it is
    finished with what was said. So long a `TranscribeFile` may go on too; then its caller is told
    to resume it elsewhere. Below `server.drain_timeout_s`, or they are cut."""

    turn: TurnSettings = TurnSettings()
    """Turn detection."""

    @field_validator("models", "warm_models", mode="before")
    @classmethod
    def _split_names(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(name.strip() for name in value.split(",") if name.strip())
        return value
