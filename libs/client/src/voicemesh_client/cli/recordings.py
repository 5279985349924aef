"""`voicemesh transcribe`."""

# No `from __future__ import annotations`: typer reads these annotations at run time.

import asyncio
import dataclasses
import json
from pathlib import Path
from typing import Annotated

import typer

from voicemesh_client.cli.failures import plain_failures
from voicemesh_client.cli.options import DEFAULT_TARGETS, SttTarget, Token, connection
from voicemesh_client.connection import Connection
from voicemesh_client.stt import SpeechToText
from voicemesh_client.transcripts import Transcript, TranscriptionOptions

__all__ = ("transcribe",)


def transcribe(
    file: Annotated[Path, typer.Argument(help="The recording.", exists=True, dir_okay=False)],
    language: Annotated[str, typer.Option(help="Spoken language, such as en or ru.")] = "",
    model: Annotated[str, typer.Option(help="Recognition model.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Segments and times as JSON.")] = False,
    stt: SttTarget = DEFAULT_TARGETS["stt"],
    token: Token = None,
) -> None:
    """Print what is said in a recording."""
    with plain_failures():
        options = TranscriptionOptions(model=model, language_code=language)
        heard = asyncio.run(_transcribe(file.read_bytes(), options, connection(stt, token)))
        if as_json:
            typer.echo(json.dumps(dataclasses.asdict(heard), ensure_ascii=False, indent=2))
        else:
            typer.echo(heard.text)


async def _transcribe(
    audio: bytes, options: TranscriptionOptions, service: Connection
) -> Transcript:
    async with SpeechToText(service) as stt:
        return await stt.transcribe(audio, options=options)
