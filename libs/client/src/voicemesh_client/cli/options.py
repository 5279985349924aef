"""Options that several commands take, and the connection made of them.

The variables begin with `VOICEMESH_CLIENT_`: the services refuse unknown variables under their own
prefixes, so `VOICEMESH_STT_TARGET` in the environment would keep stt from starting.
"""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from voicemesh_client.connection import ClientTls, Connection

__all__ = (
    "DEFAULT_TARGETS",
    "DEFAULT_TENANT",
    "BotTarget",
    "CaFile",
    "Shared",
    "SttTarget",
    "Tenant",
    "Timeout",
    "Token",
    "TrainerTarget",
    "TtsTarget",
    "connection",
    "use_shared",
)

DEFAULT_TARGETS = {
    "stt": "127.0.0.1:50051",
    "tts": "127.0.0.1:50052",
    "trainer": "127.0.0.1:50053",
    "bot": "127.0.0.1:50054",
}
"""Where the services listen unless they are told otherwise."""

DEFAULT_TENANT = "voicemesh-cli"
"""Whose memory and models the command uses unless it is told otherwise."""

SttTarget = Annotated[
    str,
    typer.Option("--stt", envvar="VOICEMESH_CLIENT_STT_TARGET", help="Address of stt."),
]
TtsTarget = Annotated[
    str,
    typer.Option("--tts", envvar="VOICEMESH_CLIENT_TTS_TARGET", help="Address of tts."),
]
TrainerTarget = Annotated[
    str,
    typer.Option("--trainer", envvar="VOICEMESH_CLIENT_TRAINER_TARGET", help="Address of trainer."),
]
BotTarget = Annotated[
    str,
    typer.Option("--bot", envvar="VOICEMESH_CLIENT_BOT_TARGET", help="Address of the bot."),
]
Token = Annotated[
    str | None,
    typer.Option(envvar="VOICEMESH_CLIENT_TOKEN", help="Token, where the service wants one."),
]
Tenant = Annotated[str, typer.Option(help="Whose memory, datasets and models to use.")]
CaFile = Annotated[
    Path | None,
    typer.Option(
        envvar="VOICEMESH_CLIENT_CA_FILE",
        help="Talk TLS, and trust the authorities in this PEM file.",
        metavar="FILE",
        exists=True,
        dir_okay=False,
    ),
]
Timeout = Annotated[
    float,
    typer.Option(
        envvar="VOICEMESH_CLIENT_TIMEOUT",
        help="Longest wait for an answer, in seconds.",
        metavar="SECONDS",
        min=0.1,
    ),
]


@dataclass(frozen=True)
class Shared:
    """Options that stand before the command."""

    ca_file: Path | None = None
    """Authorities to trust; None means plain text."""

    timeout_s: float = 30.0
    """Longest wait, in seconds."""


_shared: ContextVar[Shared] = ContextVar("voicemesh_cli_shared")


def use_shared(shared: Shared) -> None:
    """Makes the options before the command known to the command."""
    _shared.set(shared)


def connection(target: str, token: str | None) -> Connection:
    """The connection for a command of the running program."""
    shared = _shared.get(Shared())
    tls = None if shared.ca_file is None else ClientTls(ca_file=shared.ca_file)
    return Connection(target, token=token, tls=tls, timeout_s=shared.timeout_s)
