"""Settings of the bot, from variables named `VOICEMESH_BOT_…`; see `voicemesh_chassis.settings`."""

# No `from __future__ import annotations`: pydantic evaluates these annotations at run time.

from pathlib import Path
from typing import Annotated, ClassVar, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator
from pydantic_settings import NoDecode

from voicemesh_bot.conversation import ConversationOptions
from voicemesh_chassis.database.settings import DatabaseSettings
from voicemesh_chassis.errors import InvalidArgumentError
from voicemesh_chassis.settings import (
    ServerSettings,
    ServiceSettings,
    service_settings_config,
)

__all__ = (
    "BackendSettings",
    "BotSettings",
    "ClientTlsSettings",
    "ConsoleSettings",
    "ConversationSettings",
    "DiscordSettings",
    "RecordSettings",
    "SpeechSettings",
    "StorageSettings",
)

_PART = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class ClientTlsSettings(BaseModel):
    """How to check a service, and to prove oneself to it; PEM files."""

    model_config = _PART

    ca_file: Path | None = None
    """Authorities of the service's certificate; unset means those of the system."""

    certificate_file: Path | None = None
    """The bot's own certificate chain, for mTLS."""

    key_file: Path | None = None
    """The private key of that certificate."""

    server_name: str | None = None
    """The name to expect in the service's certificate, where it is not the target's host."""


class BackendSettings(BaseModel):
    """Where a service is."""

    model_config = _PART

    target: str = Field(default="127.0.0.1:50051", min_length=1, max_length=500)
    """`host:port`, or any gRPC name; every address that it resolves to is used in turn."""

    token: SecretStr | None = None
    """Bearer token that the service asks for."""

    tls: ClientTlsSettings | None = None
    """Certificates; unset means plain text."""

    timeout_s: float = Field(default=20.0, gt=0, le=600)
    """Longest wait for an answer, or for each part of one, in seconds."""


class ConsoleSettings(BaseModel):
    """The web page."""

    model_config = _PART

    host: str = Field(default="127.0.0.1", min_length=1, max_length=255)
    """Address to listen on. Browsers give the microphone only to pages from this machine or over
    HTTPS; anything but `127.0.0.1` lets others in, who need no password."""

    port: int = Field(default=8080, ge=0, le=65535)
    """Port of the page; 0 takes a free one."""

    max_sessions: int = Field(default=8, ge=1, le=1000)
    """Most open tabs; a further one is turned away with a sentence."""

    allowed_hosts: Annotated[tuple[str, ...], NoDecode] = ("127.0.0.1", "localhost", "[::1]")
    """Names by which the page may be called, separated by commas, without port; a request under
    another name is refused, so that no other site can reach the console through a visitor."""

    @field_validator("allowed_hosts", mode="before")
    @classmethod
    def _split_hosts(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(host.strip().lower() for host in value.split(",") if host.strip())
        return value


class SpeechSettings(BaseModel):
    """How the bot hears and speaks."""

    model_config = _PART

    language_code: str = Field(default="", max_length=35)
    """BCP-47 code of the language that people speak; empty leaves it to stt."""

    voice: str = Field(default="", max_length=200)
    """Id of a voice of tts, such as `piper:en_US-joe-medium`; empty is its default."""

    sample_rate_hertz: int = Field(default=24_000, ge=8000, le=48_000)
    """Samples a second of the voice in the console."""


class ConversationSettings(BaseModel):
    """How the bot takes its turns."""

    model_config = _PART

    barge_in_ms: int = Field(default=200, ge=0, le=5000)
    """How long a person must go on after their speech was noticed to pause the bot, in
    milliseconds. Their words end the answer, unless they only show that the person listens."""

    max_speculations: int = Field(default=3, ge=0, le=20)
    """Most answers begun in one turn before it is known to be over; 0 saves work and takes
    longer."""

    max_output_tokens: int = Field(default=256, ge=1, le=8192)
    """Longest answer in tokens of the language model."""

    max_reply_characters: int = Field(default=4000, ge=1, le=100_000)
    """Longest answer in characters."""

    max_history_turns: int = Field(default=100, ge=2, le=500)
    """Turns that the model is told; the oldest are forgotten."""

    timings: dict[str, float] = Field(default={}, max_length=64)
    """Timings in seconds that differ from the defaults, as JSON, such as `{"follow_up_s": 5}`; the
    names and bounds are those of `ConversationOptions`. A guild may choose its own."""

    @field_validator("timings")
    @classmethod
    def _check_timings(cls, value: dict[str, float]) -> dict[str, float]:
        try:
            ConversationOptions().with_timings(value)
        except InvalidArgumentError as error:
            raise ValueError(error.message) from error
        return value


class DiscordSettings(BaseModel):
    """How the bot behaves on Discord."""

    model_config = _PART

    history_turns: int = Field(default=40, ge=2, le=500)
    """Turns of a channel that the model is told; the oldest are forgotten."""

    history_channels: int = Field(default=1000, ge=1, le=100_000)
    """Channels that are remembered; the one that was quiet for longest is forgotten."""

    edit_interval_ms: int = Field(default=1200, ge=500, le=60_000)
    """Shortest time between two edits of an answer in the making, in milliseconds. Discord allows
    about one a second in a channel."""

    waiting_per_channel: int = Field(default=4, ge=1, le=100)
    """Most questions of one channel that wait for their answer; further ones are turned away."""

    concurrent_answers: int = Field(default=16, ge=1, le=1000)
    """Most answers written at once, over all channels."""

    message_content: bool = True
    """Whether to ask Discord for the content of all messages, so that `!` commands work without a
    mention; where the application may not have it, the bot goes on without."""

    voice_channels: int = Field(default=100, ge=0, le=10_000)
    """Most voice channels that the bot is in at once, one for each guild; 0 joins none."""

    announcements: bool = True
    """Whether the bot says aloud that it has come, and news about the services."""

    preroll_ms: int = Field(default=200, ge=0, le=2000)
    """Silence before the bot speaks, in milliseconds: listeners do not hear the first 100 to 200 of
    a sender. It passes while the answer is made."""

    duck_db: float = Field(default=-12.0, ge=-40.0, le=0.0)
    """Gain of the bot's voice while somebody may be interrupting it, in decibels."""

    api_uri: str = Field(default="", max_length=500)
    """Root of another REST API than Discord's own, for a simulator; empty means Discord."""

    gateway_uri: str = Field(default="", max_length=500)
    """Address of that simulator's gateway; needed with `api_uri`."""

    @model_validator(mode="after")
    def _simulate_whole(self) -> Self:
        if bool(self.api_uri) != bool(self.gateway_uri):
            msg = "API_URI and GATEWAY_URI must be set together"
            raise ValueError(msg)
        return self


class StorageSettings(DatabaseSettings):
    """Where the bot keeps what guilds and people decided, and transcripts until they expire."""

    service: ClassVar[str] = "bot"


class RecordSettings(BaseModel):
    """What is recorded of turns beside the metrics."""

    model_config = _PART

    event_log: Path | None = None
    """File to which all that happens in conversations is appended as JSON lines, for
    `voicemesh replay`; unset keeps none. People are numbers in it."""

    event_log_words: bool = False
    """Whether what people and the bot say goes into it."""

    event_log_mib: int = Field(default=64, ge=1, le=65_536)
    """Size in MiB at which it is put aside as `NAME.1`, in the place of the one before."""


class BotSettings(ServiceSettings):
    """All settings of the bot."""

    model_config = service_settings_config("VOICEMESH_BOT_")

    server: ServerSettings = ServerSettings(port=50054, metrics_port=9104)
    """Health over gRPC, and metrics."""

    console: ConsoleSettings = ConsoleSettings()
    """The web page."""

    stt: BackendSettings = BackendSettings(target="127.0.0.1:50051")
    """Where speech recognition is."""

    tts: BackendSettings = BackendSettings(target="127.0.0.1:50052")
    """Where the voice is."""

    trainer: BackendSettings = BackendSettings(target="127.0.0.1:50053")
    """Where the language model is."""

    speech: SpeechSettings = SpeechSettings()
    """How the bot hears and speaks."""

    conversation: ConversationSettings = ConversationSettings()
    """How the bot takes its turns."""

    discord: DiscordSettings = DiscordSettings()
    """How the bot answers on Discord."""

    storage: StorageSettings = StorageSettings()
    """Where the bot keeps what it must remember."""

    record: RecordSettings = RecordSettings()
    """What is recorded of turns."""

    discord_token: SecretStr | None = Field(default=None, validation_alias="DISCORD_TOKEN")
    """Token of a Discord application; unset means the console alone."""
