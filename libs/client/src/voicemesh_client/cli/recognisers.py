"""`voicemesh models stt`."""

# No `from __future__ import annotations`: typer reads these annotations at run time.

import asyncio
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from voicemesh_client.cli.failures import plain_failures
from voicemesh_client.cli.options import DEFAULT_TARGETS, SttTarget, Token, connection
from voicemesh_client.connection import Connection
from voicemesh_client.stt import SpeechToText
from voicemesh_client.transcripts import SpeechModel

__all__ = ("list_recognisers",)

_PLAIN_WIDTH = 160
_MOST_LANGUAGES = 4


def list_recognisers(stt: SttTarget = DEFAULT_TARGETS["stt"], token: Token = None) -> None:
    """Show the models that a running stt can use, as transcribe --model takes them."""
    with plain_failures():
        models = asyncio.run(_models(connection(stt, token)))
        table = Table(box=None, pad_edge=False)
        for heading in ("NAME", "LANGUAGES", "STATE", "DEVICE", "LICENCE"):
            table.add_column(heading)
        for model in models:
            table.add_row(
                model.name, _languages(model.language_codes), _state(model), model.device,
                model.license,
            )  # fmt: skip
        console = Console()
        (console if console.is_terminal else Console(width=_PLAIN_WIDTH)).print(table)


async def _models(service: Connection) -> Sequence[SpeechModel]:
    async with SpeechToText(service) as stt:
        return await stt.models()


def _languages(codes: Sequence[str]) -> str:
    if len(codes) <= _MOST_LANGUAGES:
        return ", ".join(codes)
    return f"{len(codes)} languages"


def _state(model: SpeechModel) -> str:
    state = "loaded" if model.loaded else "on demand"
    return f"{state}, default" if model.default else state
