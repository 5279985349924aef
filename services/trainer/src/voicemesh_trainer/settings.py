"""Settings of the trainer: which model answers, and within which limits."""

# No `from __future__ import annotations`: pydantic evaluates these annotations at run time.

from pathlib import Path
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator
from pydantic_settings import SettingsConfigDict

from voicemesh_chassis.database.settings import DatabaseSettings
from voicemesh_chassis.settings import ServerSettings, ServiceSettings, service_settings_config
from voicemesh_trainer.datasets.settings import DatasetSettings
from voicemesh_trainer.training.settings import JobSettings

__all__ = (
    "EvaluationSettings",
    "JobSettings",
    "LimitSettings",
    "LocalSettings",
    "LoraSettings",
    "MemorySettings",
    "OpenAISettings",
    "StorageSettings",
    "TrainerSettings",
    "WorkerSettings",
)

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

    adapters: int = Field(default=4, ge=0, le=1024)
    """Models of tenants (this model with a LoRA adapter each) that are in memory at once; 0 is
    none. Each takes its context, about 160 MB with the default model and settings; the
    weights are shared. A model that is not in memory is loaded for the first who asks, in a second
    or two for the default model."""

    adapter_idle_s: float = Field(default=900.0, gt=0, le=1e7)
    """How long such a model stays in memory after its last answer, in seconds."""

    adapter_load_s: float = Field(default=20.0, gt=0, le=3600)
    """Longest time that a caller waits for such a model to be loaded, in seconds."""

    adapter_cache_mib: int = Field(default=32, ge=0, le=1_048_576)
    """As `prompt_cache_mib`, for each of them."""

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

    fallback: bool = False
    """Whether the machine's own model answers where the endpoint cannot: it fails, limits the rate,
    or refuses key or quota. The response names the model that answered."""

    first_words_s: float = Field(default=8.0, gt=0, le=600)
    """With `fallback`, longest wait for the first words before the machine's own model answers, in
    seconds."""

    circuit_failures: int = Field(default=5, ge=1, le=1000)
    """Failures in a row after which the endpoint is left alone for a while, and callers are refused
    (or answered by the machine's own model) at once."""

    circuit_pause_s: float = Field(default=10.0, gt=0, le=3600)
    """How long it is left alone the first time, in seconds; then one call tries it, and each failed
    try doubles the time, up to 5 minutes (or this, if it is longer)."""

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


class MemorySettings(BaseModel):
    """What people taught, and how answers use it."""

    model_config = _PART

    most_examples: int = Field(default=4, ge=0, le=32)
    """Taught questions and answers that a model is shown; 0 is none."""

    least_similarity: float = Field(default=0.25, ge=0, le=1)
    """How near a taught question must be for that: the share of words in common, rare ones
    weighing more."""

    recall_s: float = Field(default=1.0, gt=0, le=60)
    """Longest wait for memory before a model is asked without it, in seconds."""

    build_wait_s: float = Field(default=0.5, ge=0, le=60)
    """Of that, longest wait for an index that is being built (at a tenant's first question); what
    was taught for the very same question is found without it."""

    tenants: int = Field(default=64, ge=1, le=100_000)
    """Tenants whose indexes are held at once; 100,000 examples take about 60 MB."""

    response_days: float = Field(default=7.0, ge=0, le=3650)
    """Days that answers are kept with their questions, so that they can be corrected by their id;
    0 keeps none."""

    embedding_model: str = Field(default="", max_length=128)
    """Model that finds taught questions by their meaning, at the endpoint below; empty is none:
    they are found by their words."""

    embedding_url: str = Field(default="", max_length=2048)
    """Address of its OpenAI-compatible API, up to `/v1`; empty means that of OPENAI_BASE_URL, or
    OpenAI's. The key is that of OPENAI_API_KEY. What people ask is sent there."""

    embedding_s: float = Field(default=0.5, gt=0, le=60)
    """Longest wait for it when somebody asks, in seconds."""

    at_a_loss: str = Field(
        default="I have learned that what I would say is wrong, and I do not know better yet.",
        min_length=1,
        max_length=1000,
    )
    """Said where the model knows only answers that people called wrong."""


class StorageSettings(DatabaseSettings):
    """Where what must not be lost is kept."""

    service: ClassVar[str] = "trainer"

    data_dir: Path | None = None
    """Directory of the SQLite database, of files, and of work in progress, on a disk of this
    machine (SQLite's WAL does not work on network file systems). Unset means `voicemesh/trainer`
    in the user's data directory."""

    files_url: str = Field(default="", max_length=2048)
    """Where archives, adapters and checkpoints are kept: a directory, or a bucket, such as
    `s3://BUCKET/FOLDER` (needs the extra `s3`; keys and endpoint are read from the usual variables,
    AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_ENDPOINT_URL). Empty means `files` in `data_dir`.
    """

    cache_bytes: int = Field(default=8 * 1024**3, ge=0)
    """Most bytes of a bucket's files that are kept in `data_dir`, so that they need not be fetched
    again."""

    @property
    def files(self) -> str:
        """Where files are kept, with the default filled in."""
        return self.files_url or str(self.directory / "files")


class LoraSettings(BaseModel):
    """Training of the machine's own model, in a process of its own for each job."""

    model_config = _PART

    python: str = Field(default="", max_length=4096)
    """Interpreter of an environment with `voicemesh-trainer[lora]`. Empty means the service's own
    if torch is there, else `.venv-lora` in the working directory (`make lora-setup`)."""

    threads: int = Field(default=0, ge=0, le=512)
    """Processor threads of a run; 0 is as many as this process may use, at most 8. A run stands
    back behind answers, which are written at a higher priority."""

    device: str = Field(default="cpu", pattern=r"^(cpu|cuda(:\d+)?)$")
    """Where torch computes: `cpu`, `cuda`, `cuda:1`."""

    memory_mib: int = Field(default=0, ge=0, le=16_777_216)
    """Most memory of a run, in MiB; 0 is no limit. The default model takes about 5,000."""

    checkpoint_s: float = Field(default=30.0, ge=1, le=86_400)
    """Time between checkpoints, in seconds: what a lost worker's job loses at most."""


class EvaluationSettings(BaseModel):
    """Tests of models."""

    model_config = _PART

    concurrency: int = Field(default=2, ge=1, le=256)
    """Questions of one test asked at once. They wait for the same slots as everybody's."""

    runs: int = Field(default=2, ge=1, le=256)
    """Tests at once; further ones are refused."""


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

    storage: StorageSettings = StorageSettings()
    """Where what must not be lost is kept."""

    memory: MemorySettings = MemorySettings()
    """What people taught."""

    lora: LoraSettings = LoraSettings()
    """Training of the machine's own model."""

    datasets: DatasetSettings = DatasetSettings()
    """What people give to be learnt."""

    training: JobSettings = JobSettings()
    """Training jobs."""

    evaluation: EvaluationSettings = EvaluationSettings()
    """Tests of models."""

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


class WorkerSettings(TrainerSettings):
    """Settings of a worker alone: the same, from the same variables, with ports of its own."""

    server: ServerSettings = ServerSettings(port=50055, metrics_port=9105)
    """Where health and metrics are served."""
