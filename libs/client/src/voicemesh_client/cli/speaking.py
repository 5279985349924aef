"""`voicemesh say`."""

# No `from __future__ import annotations`: typer reads these annotations at run time.

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from voicemesh_client.audio import AudioEncoding, AudioFormat
from voicemesh_client.cli.failures import plain_failures, refuse_usage
from voicemesh_client.cli.options import DEFAULT_TARGETS, Token, TtsTarget, connection
from voicemesh_client.connection import Connection
from voicemesh_client.speech import Speech, SynthesisOptions
from voicemesh_client.tts import TextToSpeech

__all__ = ("say",)

_ENCODINGS = {
    ".wav": AudioEncoding.WAV,
    ".ogg": AudioEncoding.OGG_OPUS,
    ".opus": AudioEncoding.OGG_OPUS,
    ".mp3": AudioEncoding.MP3,
    ".flac": AudioEncoding.FLAC,
}


def say(
    text: Annotated[str, typer.Argument(help="What to speak; - reads standard input.")],
    output: Annotated[
        Path,
        typer.Option("--output", "-o", help="File to write; its ending chooses the format."),
    ] = Path("speech.wav"),
    voice: Annotated[str, typer.Option(help="Voice, such as piper:en_US-joe-medium.")] = "",
    rate: Annotated[float | None, typer.Option(help="How fast.", min=0.25, max=4.0)] = None,
    tts: TtsTarget = DEFAULT_TARGETS["tts"],
    token: Token = None,
) -> None:
    """Speak a text into a file."""
    encoding = _ENCODINGS.get(output.suffix.lower())
    if encoding is None:
        known = ", ".join(_ENCODINGS)
        msg = f"{output.name} must end in one of {known}"
        raise typer.BadParameter(msg, param_hint="--output")
    with plain_failures():
        words = typer.get_text_stream("stdin").read() if text == "-" else text
        if not words.strip():
            refuse_usage("the text to speak is blank")
        options = SynthesisOptions(voice=voice, speaking_rate=rate, format=AudioFormat(encoding))
        speech = asyncio.run(_say(words, options, connection(tts, token)))
        output.write_bytes(speech.audio)
        typer.echo(f"{output}: {speech.duration_s:.2f} s by {speech.voice}")


async def _say(text: str, options: SynthesisOptions, service: Connection) -> Speech:
    async with TextToSpeech(service) as tts:
        return await tts.synthesize(text, options=options)
