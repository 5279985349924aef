"""Settings that every service has, and the one way to load them.

Each service has one frozen subclass of `ServiceSettings`, built only in its `__main__`. Values
come from the environment alone: `VOICEMESH_STT_SERVER__PORT` sets `server.port` of stt. What is
not a known name is refused, because a misspelt limit that is silently ignored is worse than none.
"""

# No `from __future__ import annotations`: pydantic evaluates these annotations at run time.

import os
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict, SettingsError

from voicemesh_chassis.last_words import tell_reason, wants_json
from voicemesh_chassis.logs import configure_logging
from voicemesh_chassis.refusals import (
    refusal_sentence,
    unknown_names,
    unknown_sentence,
    unreadable_sentence,
)

__all__ = (
    "LogSettings",
    "ServerSettings",
    "ServiceSettings",
    "TlsSettings",
    "load_settings",
    "service_name",
    "service_settings_config",
)

EX_CONFIG = 78
"""Exit status of a start that a setting forbids, after sysexits.h."""

_PART = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)
_MIB = 1024 * 1024


class TlsSettings(BaseModel):
    """Certificates of the gRPC port; PEM files, read once at start."""

    model_config = _PART

    certificate_file: Path
    """The server's certificate chain, its own certificate first."""

    key_file: Path
    """The private key of the certificate, not encrypted."""

    client_ca_file: Path | None = None
    """Authorities of client certificates. If set, only callers with such a certificate are let in
    (mTLS)."""


class ServerSettings(BaseModel):
    """The listening side of a service."""

    model_config = _PART

    host: str = Field(default="127.0.0.1", min_length=1, max_length=255)
    """Address to listen on; `0.0.0.0` is every interface."""

    port: int = Field(default=0, ge=0, le=65535)
    """Port of gRPC; 0 takes a free one."""

    metrics_port: int = Field(default=0, ge=0, le=65535)
    """Port of HTTP `/metrics`, `/healthz` and `/readyz`; 0 takes a free one."""

    max_message_bytes: int = Field(default=4 * _MIB, ge=1024, le=512 * _MIB)
    """Largest message taken or sent, in bytes."""

    max_concurrent: int = Field(default=64, ge=1, le=100_000)
    """Admission capacity: the sum of the weights of the calls served at once. Calls beyond it are
    answered RESOURCE_EXHAUSTED at once."""

    drain_timeout_s: float = Field(default=30.0, ge=0, le=3600)
    """How long open calls may go on after SIGTERM, in seconds."""

    write_timeout_s: float = Field(default=900.0, gt=0, le=3600)
    """How long a streamed message may wait for a caller who does not read, in seconds, before the
    call ends with DEADLINE_EXCEEDED and its place is free. gRPC may ask for the next 4 MiB only
    when a caller has read the last, so this must cover 4 MiB at the pace of a slow one."""

    stop_timeout_s: float = Field(default=10.0, gt=0, le=600)
    """How long the service may take to release what it holds after the drain, in seconds."""

    max_connection_age_s: float = Field(default=300.0, ge=1, le=86_400)
    """After this long, in seconds, a client is told to connect anew, so that it finds new replicas.
    Calls in progress are not cut."""

    tls: TlsSettings | None = None
    """Certificates; unset means plain text."""

    auth_tokens: Annotated[tuple[SecretStr, ...], NoDecode] = ()
    """Tokens that let a caller in, separated by commas; empty lets everyone in. Sent as
    `authorization: Bearer TOKEN` or `x-api-key: TOKEN`."""

    reflection: bool = True
    """Whether the server describes its API to tools such as `buf curl`."""

    @field_validator("auth_tokens", mode="before")
    @classmethod
    def _split_tokens(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(token.strip() for token in value.split(",") if token.strip())
        return value

    @field_validator("auth_tokens")
    @classmethod
    def _check_tokens(cls, tokens: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
        # Header values are printable ASCII; a token that cannot be sent would lock everyone out.
        for token in tokens:
            secret = token.get_secret_value()
            if not secret or not all("!" <= character <= "~" for character in secret):
                msg = "a token must be printable ASCII without spaces"
                raise ValueError(msg)
        return tokens


class LogSettings(BaseModel):
    """What is written to standard error."""

    model_config = _PART

    format: Literal["console", "json"] = "console"
    """`json` for machines, one object a line; `console` for people."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    """Least severity that is written. Libraries are heard from `warning` on, unless `debug`."""


def service_settings_config(env_prefix: str) -> SettingsConfigDict:
    """The `model_config` of a service's settings, read from variables with that prefix."""
    return SettingsConfigDict(
        env_prefix=env_prefix,
        env_nested_delimiter="__",
        # An empty variable, as compose files give for an unset one, means the default.
        env_ignore_empty=True,
        # So that a service's default port survives when only another field is set.
        nested_model_default_partial_update=True,
        frozen=True,
        extra="forbid",
        use_attribute_docstrings=True,
    )


class ServiceSettings(BaseSettings):
    """What the chassis needs to know; each service subclasses it with its own fields."""

    model_config = service_settings_config("VOICEMESH_")

    server: ServerSettings = ServerSettings()
    """Where and how the service listens."""

    log: LogSettings = LogSettings()
    """How the service logs."""


S = TypeVar("S", bound=ServiceSettings)


def service_name(settings_class: type[ServiceSettings]) -> str:
    """The service's short name by its prefix: `stt` for `VOICEMESH_STT_`."""
    prefix = str(settings_class.model_config.get("env_prefix", ""))
    return prefix.removeprefix("VOICEMESH_").strip("_").lower() or "service"


def load_settings(cls: type[S]) -> S:
    """The settings in the environment; ends the process if they cannot be used.

    Raises:
        SystemExit: with status 78, after one sentence on standard error that says what is
            wrong, where, and how to mend it.
    """
    sentence = None
    try:
        if unknown := unknown_names(cls, os.environ):
            sentence = unknown_sentence(cls, unknown)
        else:
            return cls()
    except ValidationError as error:
        sentence = refusal_sentence(cls, error)
    except SettingsError as error:
        sentence = unreadable_sentence(cls, error)
    as_json = wants_json(cls)
    if as_json:
        configure_logging(LogSettings(format="json"), service_name(cls))
    tell_reason(sentence, as_json=as_json)
    raise SystemExit(EX_CONFIG)
