"""`voicemesh say`."""

# No `from __future__ import annotations`: typer reads these annotations at run time.

import asyncio
import math
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from voicemesh_client.audio import AudioEncoding, AudioFormat
from voicemesh_client.cli.failures import complain, plain_failures, refuse_usage
from voicemesh_client.cli.options import DEFAULT_TARGETS, Token, TtsTarget, connection
from voicemesh_client.cli.texts import put, text_on_standard_input
from voicemesh_client.cli.utterance import STANDARD_STREAM, Saying, said
from voicemesh_client.speech import Pronunciation, SynthesisOptions

__all__ = ("say",)


class _Form(StrEnum):
    """Formats that `say` can write."""

    WAV = "wav"
    OGG = "ogg"
    MP3 = "mp3"
    FLAC = "flac"


_ENCODINGS = {
    _Form.WAV: AudioEncoding.WAV,
    _Form.OGG: AudioEncoding.OGG_OPUS,
    _Form.MP3: AudioEncoding.MP3,
    _Form.FLAC: AudioEncoding.FLAC,
}
_ENDINGS = {
    ".wav": _Form.WAV,
    ".ogg": _Form.OGG,
    ".opus": _Form.OGG,
    ".mp3": _Form.MP3,
    ".flac": _Form.FLAC,
}

_Text = Annotated[str, typer.Argument(help="What to speak; - reads standard input.")]
_Output = Annotated[
    Path,
    typer.Option(
        "--output",
        "-o",
        help="File to write; its ending chooses the format. - is standard output, as it is spoken.",
    ),
]
_Format = Annotated[
    _Form | None,
    typer.Option(metavar="FORMAT", help="wav, ogg, mp3 or flac, whatever the ending."),
]
_Voice = Annotated[str, typer.Option(help="Voice; see voicemesh voices list.")]
_Language = Annotated[str, typer.Option(help="Language of the text, such as en.")]
_Rate = Annotated[float | None, typer.Option(metavar="TIMES", help="How fast, 0.25 to 4.")]
_Pitch = Annotated[
    float | None, typer.Option(metavar="SEMITONES", help="How much higher, -20 to 20.")
]
_Volume = Annotated[float | None, typer.Option(metavar="DB", help="How much louder, -96 to 16.")]
_Silence = Annotated[
    float, typer.Option(metavar="SECONDS", help="Silence before the first sound, up to 2.")
]
_Ssml = Annotated[bool, typer.Option("--ssml", help="The text is SSML: <speak>...</speak>.")]
_Pronounce = Annotated[
    list[str] | None,
    typer.Option(
        metavar="WRITTEN=SPOKEN",
        help="How a word is read, such as nginx=engine-ex; /IPA/ between slashes. Repeatable.",
    ),
]
_Tenant = Annotated[str, typer.Option(help="Whose voices and pronunciations to use.")]
_Words = Annotated[bool, typer.Option("--words", help="Print when each word is spoken.")]


def say(  # noqa: PLR0913 - one parameter for each option
    text: _Text,
    output: _Output = Path("speech.wav"),
    format: _Format = None,
    voice: _Voice = "",
    language: _Language = "",
    rate: _Rate = None,
    pitch: _Pitch = None,
    volume: _Volume = None,
    silence: _Silence = 0.0,
    ssml: _Ssml = False,
    pronounce: _Pronounce = None,
    tenant: _Tenant = "",
    words: _Words = False,
    tts: TtsTarget = DEFAULT_TARGETS["tts"],
    token: Token = None,
) -> None:
    """Speak a text into a file, or to standard output while it is still being written."""
    if words and output == STANDARD_STREAM:
        refuse_usage("--words needs standard output, which the audio takes: name a file")
    if not math.isfinite(silence):
        refuse_usage("--silence is a number of seconds, up to 2")
    options = SynthesisOptions(
        voice=voice,
        language_code=language,
        format=AudioFormat(_ENCODINGS[format or _form_of(output)]),
        speaking_rate=rate,
        pitch_semitones=pitch,
        volume_gain_db=volume,
        tenant=tenant,
        word_timings=words,
        leading_silence_s=silence,
        pronunciations=tuple(map(_pronunciation, pronounce or ())),
    )
    with plain_failures():
        saying = Saying(_read(text, output, ssml=ssml), output, options, ssml)
        spoken = asyncio.run(said(saying, connection(tts, token)))
        if output == STANDARD_STREAM:
            return
        put(f"{output}: {spoken.duration_s:.2f} s by {spoken.voice}")
        for word in spoken.words:
            put(f"{word.start_s:.3f}\t{word.end_s:.3f}\t{word.word}")
    if words and not spoken.words:
        complain(f"{spoken.voice} does not tell when its words are spoken")
        raise typer.Exit(1)


def _read(text: str, output: Path, *, ssml: bool) -> str | None:
    """The whole text; None for one that is to be spoken while it comes on standard input."""
    if text != str(STANDARD_STREAM):
        whole = text
    elif output == STANDARD_STREAM and not ssml:
        return None
    else:
        whole = text_on_standard_input("text")
    if not whole.strip():
        refuse_usage("the text to speak is blank")
    return whole


def _form_of(output: Path) -> _Form:
    if output == STANDARD_STREAM:
        return _Form.WAV
    form = _ENDINGS.get(output.suffix.lower())
    if form is None:
        known = ", ".join(_ENDINGS)
        msg = f"{output.name} must end in one of {known}, or --format say what it is"
        raise typer.BadParameter(msg, param_hint="--output")
    return form


def _pronunciation(given: str) -> Pronunciation:
    written, equals, spoken = (part.strip() for part in given.partition("="))
    if not (written and equals and spoken):
        msg = f"{given!r} must be WRITTEN=SPOKEN, such as nginx=engine-ex"
        raise typer.BadParameter(msg, param_hint="--pronounce")
    phonemes = spoken.removeprefix("/").removesuffix("/")
    if len(phonemes) == len(spoken) - 2:
        return Pronunciation(written, phonemes, phonemes=True)
    return Pronunciation(written, spoken)
