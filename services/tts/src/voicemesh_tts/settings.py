"""The settings of tts, read from variables that begin with VOICEMESH_TTS_."""

# No `from __future__ import annotations`: pydantic evaluates these annotations at run time.

import os
import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator
from pydantic_settings import NoDecode

from voicemesh_chassis.settings import ServerSettings, ServiceSettings, service_settings_config

__all__ = (
    "ClauseSettings",
    "CloningSettings",
    "CoquiSettings",
    "KokoroSettings",
    "PiperSettings",
    "QueueSettings",
    "StreamSettings",
    "TtsSettings",
    "VoiceSettings",
)

_PART = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)
_MIB = 1024 * 1024


class ClauseSettings(BaseModel):
    """Where a text being written is cut."""

    model_config = _PART

    first_clause_letters: int = Field(default=10, ge=1, le=200)
    """The first clause may end at a comma or the like after this many letters and digits."""

    first_clause_words: int = Field(default=8, ge=2, le=100)
    """The first clause may end between two phrases after this many words, though nothing marks an
    end; it does when it is half as long again, or no more text comes for a moment."""

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

    max_waiting: int = Field(default=64, ge=0, le=10_000)
    """Callers waiting for the engine, beyond which a new text is answered RESOURCE_EXHAUSTED. The
    last quarter is kept for live callers who have nothing waiting yet."""

    wait_timeout_s: float = Field(default=30.0, gt=0, le=3600)
    """How long a clause may wait for the engine before the call is refused, in seconds."""

    turn_timeout_s: float = Field(default=60.0, gt=0, le=3600)
    """How long the engine may take for one turn, in seconds, before the call fails and the thread
    is given up."""

    max_stalled: int = Field(default=4, ge=0, le=64)
    """Threads that hang and have been replaced, at a time. When all of those in their places hang
    too, new texts are answered UNAVAILABLE."""


class VoiceSettings(BaseModel):
    """Which voices are in memory. The default voice always is."""

    model_config = _PART

    most_loaded: int = Field(default=8, ge=1, le=1000)
    """Voices in memory at once; one more takes the place of the one that was used least lately.
    Speakers of one model share its memory."""

    idle_timeout_s: float = Field(default=900.0, ge=0, le=86_400)
    """How long a voice that nobody uses stays in memory, in seconds; 0 is for ever."""

    load_timeout_s: float = Field(default=60.0, gt=0, le=3600)
    """How long a call waits for its voice to be loaded, in seconds; the load goes on."""

    load_deadline_s: float = Field(default=600.0, gt=0, le=86_400)
    """How long a load may take, in seconds, before it is given up and its thread left; the next
    call that wants the voice tries again. After 4 that still hang no other is begun."""


class CloningSettings(BaseModel):
    """Voices made of recordings; there must be an engine that can, and `data_dir`."""

    model_config = _PART

    timeout_s: float = Field(default=120.0, gt=0, le=3600)
    """How long making a voice may take, in seconds."""

    voices_per_tenant: int = Field(default=20, ge=1, le=10_000)
    """Most voices of one tenant."""


class PiperSettings(BaseModel):
    """The Piper engine."""

    model_config = _PART

    voice_dirs: Annotated[tuple[Path, ...], NoDecode] = ()
    """Further directories of Piper voices (NAME.onnx with NAME.onnx.json), separated by `:` (`;` on
    Windows). Voices of the model directory are found by themselves."""

    threads: int = Field(default=2, ge=1, le=64)
    """Threads for one clause."""

    runtime: Literal["auto", "openvino", "onnxruntime"] = "auto"
    """What makes sound of frames, which is most of the work. auto is OpenVINO where it is installed
    and works, and ONNX Runtime elsewhere."""

    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    """How exactly OpenVINO does that. auto is bfloat16, which takes half the time, if the processor
    works with it; what it leaves out is 40 dB below the voice."""

    noise_scale: float | None = Field(default=None, ge=0, le=2)
    """Variation of the sound; 0 makes it the same each time. Unset means the voice's own."""

    noise_w_scale: float | None = Field(default=None, ge=0, le=2)
    """Variation of the rhythm; 0 makes it the same each time. Unset means the voice's own."""

    length_scale: float | None = Field(default=None, ge=0.1, le=10)
    """Length of the sounds at speaking rate 1; above 1 is slower. Unset means the voice's own."""

    @field_validator("voice_dirs", mode="before")
    @classmethod
    def _split_paths(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(Path(part).expanduser() for part in value.split(os.pathsep) if part)
        return value


class KokoroSettings(BaseModel):
    """The Kokoro engine. Its model and voices in the model directory are found by themselves."""

    model_config = _PART

    model: Path | None = None
    """Another ONNX export of Kokoro-82M, with its vocab.json or config.json beside it. Unset means
    that of the model directory."""

    voice_files: Annotated[tuple[Path, ...], NoDecode] = ()
    """Files of further voices, such as voices-v1.0.bin of kokoro-onnx, separated by `:` (`;` on
    Windows)."""

    blends: Annotated[tuple[str, ...], NoDecode] = ()
    """Blends that are listed with the voices, separated by commas or blanks, such as
    `jf_alpha*0.7+jf_gongitsune*0.3`. Requests may name any other."""

    languages: Annotated[tuple[str, ...], NoDecode] = ()
    """BCP-47 codes of languages that espeak-ng can read and Kokoro was not trained on, separated by
    commas or blanks, such as `de-DE`: its voices then speak them as well as they can."""

    threads: int = Field(default=2, ge=1, le=64)
    """Threads of ONNX Runtime for one clause."""

    @field_validator("blends", "languages", mode="before")
    @classmethod
    def _split_names(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(value.replace(",", " ").split())
        return value

    @field_validator("languages")
    @classmethod
    def _check_languages(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for code in value:
            if not re.fullmatch(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*", code):
                msg = f"{code!r} is not a BCP-47 language code such as de-DE"
                raise ValueError(msg)
        return value

    @field_validator("voice_files", mode="before")
    @classmethod
    def _split_paths(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(Path(part).expanduser() for part in value.split(os.pathsep) if part)
        return value


class CoquiSettings(BaseModel):
    """The coqui engine: coqui-tts with torch (the extra `coqui`)."""

    model_config = _PART

    models: Annotated[tuple[str, ...], NoDecode] = ()
    """Published models by coqui's names, separated by commas or blanks, such as
    `tts_models/en/vctk/vits`."""

    model_dirs: Annotated[tuple[Path, ...], NoDecode] = ()
    """Directories with config.json and model.pth, or of such directories, separated by `:` (`;` on
    Windows)."""

    home: Path | None = None
    """Where published models lie, in `tts/`. Unset means `coqui` in the model directory."""

    download: bool = False
    """Whether the published models that are named and are not there are fetched at the start."""

    accept_cpml: bool = False
    """Whether you accept the Coqui Public Model License (no commercial use), without which XTTS
    models are not offered."""

    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Where models run; `auto` takes a GPU if there is one."""

    threads: int = Field(default=2, ge=1, le=64)
    """Threads of torch on the CPU, for all models together."""

    cloning_model: str = Field(default="", max_length=256)
    """Name of the XTTS model that clones voices. Unset means the first one."""

    chunk_tokens: int = Field(default=20, ge=4, le=200)
    """Tokens, of 46 ms each, that XTTS makes before it gives the sound of them."""

    noise_scale: float | None = Field(default=None, ge=0, le=2)
    """Variation of the sound of VITS; 0 makes it the same each time. Unset means the model's."""

    noise_w_scale: float | None = Field(default=None, ge=0, le=2)
    """Variation of the rhythm of VITS; 0 makes it the same each time. Unset means the model's."""

    @field_validator("models", mode="before")
    @classmethod
    def _split_names(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(value.replace(",", " ").split())
        return value

    @field_validator("models")
    @classmethod
    def _check_names(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for name in value:
            if not re.fullmatch(r"tts_models/[\w-]+/[\w-]+/[\w.-]+", name):
                msg = f"{name!r} is not a model of coqui's, such as tts_models/en/vctk/vits"
                raise ValueError(msg)
        return value

    @field_validator("model_dirs", mode="before")
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

    cache_bytes: int = Field(default=64 * _MIB, ge=0, le=16 * 1024 * _MIB)
    """Memory for clauses that have been spoken, as they are often spoken again; 0 keeps none. A
    minute at 22,050 Hz takes 5 MiB."""

    loudness_lufs: float = Field(default=-19.0, ge=-40, le=0)
    """How loud every voice is made, in LUFS (ITU-R BS.1770), measured when it is loaded; 0 leaves
    each as its model makes it."""

    data_dir: Path | None = None
    """Directory of what belongs to tenants: `TENANT/pronunciations.toml`, and the cloned voices,
    which are made there. Unset means that tenants have neither. Replicas may share it."""

    clauses: ClauseSettings = ClauseSettings()
    """Where a text is cut."""

    stream: StreamSettings = StreamSettings()
    """Bounds of one stream."""

    queue: QueueSettings = QueueSettings()
    """How callers share the engine."""

    voices: VoiceSettings = VoiceSettings()
    """Which voices are in memory."""

    cloning: CloningSettings = CloningSettings()
    """Voices made of recordings."""

    piper: PiperSettings = PiperSettings()
    """The Piper engine."""

    kokoro: KokoroSettings = KokoroSettings()
    """The Kokoro engine."""

    coqui: CoquiSettings = CoquiSettings()
    """The coqui engine."""
