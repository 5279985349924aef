"""`voicemesh status`."""

# No `from __future__ import annotations`: typer reads these annotations at run time.

import asyncio
import os
import re
from dataclasses import dataclass

import httpx
import typer
from rich.console import Console
from rich.table import Table

from voicemesh_client.cli.failures import complain, plain_failures, sentence_of
from voicemesh_client.cli.options import (
    DEFAULT_TARGETS,
    BotTarget,
    SttTarget,
    TrainerTarget,
    TtsTarget,
    connection,
)
from voicemesh_client.errors import ServiceError
from voicemesh_client.health import Health, check_health

__all__ = ("metrics_variable", "status")

_METRICS_PORTS = {"stt": 9101, "tts": 9102, "trainer": 9103, "bot": 9104}
_BUILD_INFO = re.compile(r'^voicemesh_build_info\{[^}]*version="([^"]*)"', re.MULTILINE)
_METRICS_TIMEOUT_S = 2.0
_UNKNOWN = "-"
_PLAIN_WIDTH = 160


@dataclass(frozen=True)
class _Row:
    name: str
    target: str
    health: Health
    version: str
    problem: str = ""


def status(
    stt: SttTarget = DEFAULT_TARGETS["stt"],
    tts: TtsTarget = DEFAULT_TARGETS["tts"],
    trainer: TrainerTarget = DEFAULT_TARGETS["trainer"],
    bot: BotTarget = DEFAULT_TARGETS["bot"],
) -> None:
    """Show which services are ready, and their versions; exits with 1 unless all are.

    A version is read from the service's metrics page: the usual one for a service at its usual
    address, else the URL in VOICEMESH_CLIENT_STT_METRICS_URL (TTS, TRAINER, BOT).
    """
    with plain_failures():
        targets = {"stt": stt, "tts": tts, "trainer": trainer, "bot": bot}
        rows = asyncio.run(_look_at(targets))
        console = Console()
        # In a pipe nothing should be cut to the 80 columns of an imagined terminal.
        (console if console.is_terminal else Console(width=_PLAIN_WIDTH)).print(_table(rows))
        for row in rows:
            if row.problem:
                complain(f"{row.name}: {row.problem}")
    if any(row.health is not Health.SERVING for row in rows):
        raise typer.Exit(1)


def _table(rows: list[_Row]) -> Table:
    table = Table("SERVICE", "ADDRESS", "HEALTH", "VERSION", box=None, pad_edge=False)
    for row in rows:
        colour = "green" if row.health is Health.SERVING else "red"
        table.add_row(row.name, row.target, f"[{colour}]{row.health}[/]", row.version)
    return table


async def _look_at(targets: dict[str, str]) -> list[_Row]:
    async with httpx.AsyncClient(timeout=_METRICS_TIMEOUT_S, trust_env=False) as http:
        rows = (_row(name, target, http) for name, target in targets.items())
        return list(await asyncio.gather(*rows))


async def _row(name: str, target: str, http: httpx.AsyncClient) -> _Row:
    try:
        health = await check_health(connection(target, None))
    except ServiceError as error:
        return _Row(name, target, Health.UNREACHABLE, _UNKNOWN, sentence_of(error))
    # Asked only then: the page is on another port, and may be that of another program.
    reached = health is not Health.UNREACHABLE
    return _Row(name, target, health, await _version(name, target, http) if reached else _UNKNOWN)


def metrics_variable(name: str) -> str:
    """The variable with the URL of a service's metrics page."""
    return f"VOICEMESH_CLIENT_{name.upper()}_METRICS_URL"


async def _version(name: str, target: str, http: httpx.AsyncClient) -> str:
    url = os.environ.get(metrics_variable(name), "")
    if not url and target == DEFAULT_TARGETS[name]:
        url = f"http://127.0.0.1:{_METRICS_PORTS[name]}/metrics"
    if not url:
        return _UNKNOWN
    try:
        page = (await http.get(url)).text
    except (httpx.HTTPError, httpx.InvalidURL):
        return _UNKNOWN
    found = _BUILD_INFO.search(page)
    return _UNKNOWN if found is None else found.group(1)
