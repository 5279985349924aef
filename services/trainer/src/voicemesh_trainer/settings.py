"""Settings of the trainer: which model answers, and within which limits."""

# No `from __future__ import annotations`: pydantic evaluates these annotations at run time.

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator
from pydantic_settings import SettingsConfigDict

from voicemesh_chassis.settings import ServerSettings, ServiceSettings, service_settings_config

__all__ = ("LimitSettings", "LocalSettings", "OpenAISettings", "TrainerSettings")

_PART = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class LocalSettings(BaseModel):
    """The machine's own model, run by llama.cpp inside the service."""

    model_config = _PART

    model: str = Field(default="gemma-3-270m", pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$")
    """Name of a model in the model directory (`voicemesh models list`)."""

    model_file: Path | None = None
    """A GGUF file to use instead of a model of the model directory; `model` then only names it."""

    style: Literal["auto", "lines", "chat"] = "auto"
    """How conversations are put to the model. `lines`: a transcript to continue, for base models.
    `chat`: the model's own chat template. `auto`: `chat` if the file has a template."""

    context_tokens: int = Field(default=2048, ge=1024, le=1_048_576)
    """Tokens that prompt and answer may have together; older turns are left out. Memory grows with
    it, times `slots`."""

    slots: int = Field(default=2, ge=1, le=64)
    """Answers written at once."""

    threads: int = Field(default=0, ge=0, le=512)
    """Processor threads that write; 0 chooses: one for a file under 512 MiB, else as many as this
    process may use, at most 8. Threads of llama.cpp wait for each other at every step, so a small
    model is hardly faster with two, and far slower when something else wants a processor."""

    prompt_threads: int = Field(default=0, ge=0, le=512)
    """Processor threads that read prompts; 0 leaves one to the other services, at most 8."""

    gpu_layers: int = Field(default=0, ge=0, le=9999)
    """Layers to run on a GPU, if llama.cpp was built for one; 9999 is all."""

    prompt_cache_mib: int = Field(default=256, ge=0, le=1_048_576)
    """Memory for the prompts of conversations that hold no slot at the moment, in MiB; 0 is none.
    A conversation that is found there need not be read again."""

    temperature: float = Field(default=0.0, ge=0, le=2)
    """Randomness where a request does not say; 0 takes the likeliest token."""

    top_p: float = Field(default=0.95, gt=0, le=1)
    """Nucleus where a request does not say."""

    repeat_penalty: float = Field(default=1.06, ge=1, le=2)
    """Penalty for the last 48 tokens, against repetition; 1 is none."""


class OpenAISettings(BaseModel):
    """A model behind OpenAI's API or one compatible with it."""

    model_config = _PART

    model: str = Field(default="gpt-4.1-mini", min_length=1, max_length=128)
    """Name of the model, as the endpoint calls it."""

    context_tokens: int = Field(default=16_384, ge=1024, le=2_097_152)
    """Tokens (as estimated here) that prompt and answer may have together; a bound on costs."""

    temperature: float | None = Field(default=None, ge=0, le=2)
    """Randomness where a request does not say; unset leaves it to the provider."""

    connect_timeout_s: float = Field(default=5.0, gt=0, le=120)
    """Longest wait for a connection, in seconds."""

    read_timeout_s: float = Field(default=20.0, gt=0, le=600)
    """Longest silence before and within an answer, in seconds."""

    attempts: int = Field(default=3, ge=1, le=10)
    """Tries for one answer, as long as nothing of it has come."""

    concurrency: int = Field(default=32, ge=1, le=1024)
    """Answers asked for at once."""

    token_limit_field: Literal["auto", "max_completion_tokens", "max_tokens"] = "auto"  # noqa: S105
    """Name of the field that limits an answer. `auto`: the newer `max_completion_tokens` for
    OpenAI's own address, the older `max_tokens` for any other."""


class LimitSettings(BaseModel):
    """Bounds of every answer, whichever model writes it."""

    model_config = _PART

    generation_s: float = Field(default=60.0, gt=0, le=3600)
    """Longest time for a whole answer, in seconds."""

    silence_s: float = Field(default=30.0, gt=0, le=3600)
    """Longest wait for the model's next sign of life, in seconds."""

    waiting: int = Field(default=8, ge=0, le=1024)
    """Callers that may wait for a slot; further ones are refused at once."""

    wait_s: float = Field(default=5.0, gt=0, le=600)
    """Longest wait for a slot, in seconds; then the caller is refused."""


class TrainerSettings(ServiceSettings):
    """All settings of the trainer, from `VOICEMESH_TRAINER_…` and two usual names."""

    model_config = SettingsConfigDict(
        **{**service_settings_config("VOICEMESH_TRAINER_"), "populate_by_name": True}
    )

    server: ServerSettings = ServerSettings(port=50053, metrics_port=9103)
    """Where and how the service listens."""

    backend: Literal["auto", "local", "openai"] = "auto"
    """What answers. `local`: the machine's own model. `openai`: an endpoint; what people say is
    sent there. `auto`: `openai` if OPENAI_API_KEY or OPENAI_BASE_URL is set, else `local`."""

    local: LocalSettings = LocalSettings()
    """The machine's own model."""

    openai: OpenAISettings = OpenAISettings()
    """The model of an endpoint."""

    limits: LimitSettings = LimitSettings()
    """Bounds of every answer."""

    openai_api_key: SecretStr | None = Field(default=None, validation_alias="OPENAI_API_KEY")
    """Key of the endpoint. Endpoints of one's own may want none."""

    openai_base_url: str | None = Field(
        default=None, validation_alias="OPENAI_BASE_URL", max_length=2048
    )
    """Address of the endpoint's API, up to `/v1`; unset means OpenAI's."""

    @field_validator("openai_base_url")
    @classmethod
    def _check_url(cls, url: str | None) -> str | None:
        if url is not None and not url.startswith(("http://", "https://")):
            msg = "an address begins with http:// or https://"
            raise ValueError(msg)
        return url

    @field_validator("openai_api_key")
    @classmethod
    def _check_key(cls, key: SecretStr | None) -> SecretStr | None:
        # It is sent in a header, which takes nothing else.
        if key is not None and not all("!" <= each <= "~" for each in key.get_secret_value()):
            msg = "a key is printable ASCII without spaces"
            raise ValueError(msg)
        return key

    @property
    def chosen_backend(self) -> Literal["local", "openai"]:
        """What answers, with `auto` decided."""
        if self.backend == "auto":
            return "openai" if self.openai_api_key or self.openai_base_url else "local"
        return self.backend
