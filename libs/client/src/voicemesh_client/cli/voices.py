"""`voicemesh voices list`, `create` and `delete`."""

# No `from __future__ import annotations`: typer reads these annotations at run time.

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from voicemesh_client.cli.failures import plain_failures, refuse_usage
from voicemesh_client.cli.options import DEFAULT_TARGETS, Token, TtsTarget, connection
from voicemesh_client.cli.texts import harmless, put
from voicemesh_client.connection import Connection
from voicemesh_client.tts import TextToSpeech
from voicemesh_client.voices import Voice, VoiceGender

__all__ = ("app",)

_PLAIN_WIDTH = 160
_MOST_LANGUAGES = 4

app = typer.Typer(
    help="Show the voices of a running tts; make and delete cloned ones.", no_args_is_help=True
)

_Owner = Annotated[str, typer.Option(help="Whom the voice belongs to.")]


@app.command("list")
def list_voices(
    language: Annotated[str, typer.Option(help="Only voices of this language.")] = "",
    tenant: Annotated[str, typer.Option(help="Also the cloned voices of this tenant.")] = "",
    tts: TtsTarget = DEFAULT_TARGETS["tts"],
    token: Token = None,
) -> None:
    """Show who can speak, as say --voice takes them."""
    with plain_failures():
        found = asyncio.run(_voices(language, tenant, connection(tts, token)))
        table = Table(box=None, pad_edge=False)
        for heading in ("VOICE", "NAME", "LANGUAGES", "GENDER", "HERTZ", "STATE", "LICENCE"):
            table.add_column(heading)
        for voice in found:
            table.add_row(
                voice.id, escape(harmless(voice.display_name)), _languages(voice.language_codes),
                _gender(voice), str(voice.sample_rate_hertz), _state(voice), escape(voice.license),
            )  # fmt: skip
        console = Console()
        (console if console.is_terminal else Console(width=_PLAIN_WIDTH)).print(table)


@app.command()
def create(  # noqa: PLR0913 - one parameter for each option
    recording: Annotated[
        Path,
        typer.Argument(
            metavar="FILE", help="6 to 30 s of one person speaking.", exists=True, dir_okay=False
        ),
    ],
    tenant: _Owner,
    name: Annotated[str, typer.Option(help="Name for people.")],
    language: Annotated[str, typer.Option(help="Language spoken in the recording, such as en.")],
    consent: Annotated[
        bool, typer.Option("--consent", help="The person recorded agreed to it.")
    ] = False,
    tts: TtsTarget = DEFAULT_TARGETS["tts"],
    token: Token = None,
) -> None:
    """Make a voice that sounds like a person who was recorded, and agreed to it."""
    if not consent:
        refuse_usage("a voice is cloned only if the person recorded agreed: say so with --consent")
    with plain_failures():
        made = asyncio.run(
            _created(recording.read_bytes(), tenant, name, language, connection(tts, token))
        )
        put(made.id)


@app.command()
def delete(
    voice: Annotated[str, typer.Argument(help="Voice; see voicemesh voices list --tenant.")],
    tenant: _Owner,
    tts: TtsTarget = DEFAULT_TARGETS["tts"],
    token: Token = None,
) -> None:
    """Delete a cloned voice, with its recording."""
    with plain_failures():
        asyncio.run(_deleted(voice, tenant, connection(tts, token)))
        put(f"{voice} is deleted")


async def _voices(language: str, tenant: str, service: Connection) -> Sequence[Voice]:
    async with TextToSpeech(service) as tts:
        return await tts.voices(language_code=language, tenant=tenant)


async def _created(
    recording: bytes, tenant: str, name: str, language: str, service: Connection
) -> Voice:
    async with TextToSpeech(service) as tts:
        return await tts.create_voice(
            recording,
            tenant=tenant,
            display_name=name,
            language_code=language,
            speaker_consents=True,
        )


async def _deleted(voice: str, tenant: str, service: Connection) -> None:
    async with TextToSpeech(service) as tts:
        await tts.delete_voice(voice, tenant=tenant)


def _languages(codes: Sequence[str]) -> str:
    if len(codes) <= _MOST_LANGUAGES:
        return ", ".join(codes)
    return f"{len(codes)} languages"


def _gender(voice: Voice) -> str:
    return "" if voice.gender is VoiceGender.UNKNOWN else str(voice.gender)


def _state(voice: Voice) -> str:
    states = ["loaded" if voice.loaded else "on demand"]
    if voice.default:
        states.append("default")
    if voice.tenant:
        states.append(f"of {voice.tenant}")
    return ", ".join(states)
