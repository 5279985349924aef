"""`voicemesh transcribe`."""

# No `from __future__ import annotations`: typer reads these annotations at run time.

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from voicemesh_client.cli.failures import complain, plain_failures, refuse_usage, sentence_of
from voicemesh_client.cli.options import DEFAULT_TARGETS, SttTarget, Token, connection
from voicemesh_client.cli.transcribing import Job, transcribed
from voicemesh_client.connection import Connection
from voicemesh_client.errors import InvalidArgumentError, LimitExceededError
from voicemesh_client.stt import SpeechToText
from voicemesh_client.subtitles import SubtitleFormat
from voicemesh_client.transcripts import TranscriptionOptions, TranscriptionTask

__all__ = ("transcribe",)

_ENDINGS = {
    SubtitleFormat.TEXT: ".txt",
    SubtitleFormat.SRT: ".srt",
    SubtitleFormat.VTT: ".vtt",
    SubtitleFormat.JSON: ".json",
}
_SUBTITLES = (SubtitleFormat.SRT, SubtitleFormat.VTT)
_STANDARD_INPUT = Path("-")
_LONGEST_S = 864_000.0


def _within_a_recording(seconds: float) -> float:
    if not 0 <= seconds <= _LONGEST_S:
        msg = f"{seconds:g} is not in the range from 0 to {_LONGEST_S:.0f} seconds"
        raise typer.BadParameter(msg)
    return seconds


_Files = Annotated[
    list[Path],
    # Not `exists=True`: typer 0.29 then refuses -, in spite of `allow_dash`.
    typer.Argument(metavar="FILE", help="Recordings; - reads one from standard input."),
]
_Format = Annotated[SubtitleFormat, typer.Option(metavar="FORMAT", help="text, srt, vtt or json.")]
_Output = Annotated[
    Path | None,
    typer.Option("--output", "-o", help="Where to write; a directory for several files."),
]
_Language = Annotated[str, typer.Option(help="Spoken language, such as en or ru.")]
_Translate = Annotated[bool, typer.Option("--translate", help="Write English.")]
_Model = Annotated[str, typer.Option(help="Model; see voicemesh models stt.")]
_Prompt = Annotated[str, typer.Option(help="Text that could have come before.")]
_Hotword = Annotated[list[str] | None, typer.Option(help="A word that is likely; may be repeated.")]
_Words = Annotated[
    bool | None,
    typer.Option(
        "--words/--no-words", help="Time every word; usual for srt and vtt.", show_default=False
    ),
]
_Channels = Annotated[bool, typer.Option("--channels", help="Each channel is one speaker.")]
_Resume = Annotated[
    float,
    typer.Option(
        help="Leave out what is said earlier.",
        metavar="SECONDS",
        # A range of the option's own would take so much room in the help that the names of the
        # variables no longer fit.
        callback=_within_a_recording,
        show_default=False,
    ),
]
_Json = Annotated[bool, typer.Option("--json", help="Short for --format json.")]


def transcribe(  # noqa: PLR0913 - one parameter for each option
    files: _Files,
    format: _Format = SubtitleFormat.TEXT,
    output: _Output = None,
    language: _Language = "",
    translate: _Translate = False,
    model: _Model = "",
    prompt: _Prompt = "",
    hotword: _Hotword = None,
    words: _Words = None,
    channels: _Channels = False,
    resume: _Resume = 0.0,
    as_json: _Json = False,
    stt: SttTarget = DEFAULT_TARGETS["stt"],
    token: Token = None,
) -> None:
    """Print what is said in recordings, while they are being transcribed.

    What breaks off is kept as far as it came, and the error says where to go on.

    Of several files a damaged one does not keep the others from being transcribed.
    """
    form = SubtitleFormat.JSON if as_json else format
    options = TranscriptionOptions(
        model=model,
        language_code=language,
        task=TranscriptionTask.TRANSLATE if translate else TranscriptionTask.TRANSCRIBE,
        initial_prompt=prompt,
        hotwords=tuple(hotword or ()),
        word_timestamps=form in _SUBTITLES if words is None else words,
        separate_channels=channels,
    )
    _refuse_what_cannot_be(files, form, output, resume)
    jobs = [
        Job(
            file=None if file == _STANDARD_INPUT else file,
            target=_target(file, form, output),
            form=form,
            options=options,
            resume_s=resume,
            title=str(file) if len(files) > 1 else "",
        )
        for file in files
    ]
    with plain_failures():
        if not asyncio.run(_transcribe_all(jobs, connection(stt, token))):
            raise typer.Exit(1)


def _refuse_what_cannot_be(
    files: list[Path], form: SubtitleFormat, output: Path | None, resume_s: float
) -> None:
    if len(files) > 1:
        if output is None and form in _SUBTITLES:
            refuse_usage(f"several files make several {form} files: name a directory as --output")
        if output is not None and not output.is_dir():
            refuse_usage(f"{output} is not a directory: several files need one as --output")
        if resume_s:
            refuse_usage("--resume is for one file")
        targets = [_target(file, form, output) for file in files if output is not None]
        if len(set(targets)) < len(targets):
            refuse_usage("two of the files have the same name, and would be written to the same")
    for file in files:
        if file != _STANDARD_INPUT and (file.is_dir() or not file.exists()):
            refuse_usage(f"{file} is no file" if file.is_dir() else f"{file} does not exist")
        target = _target(file, form, output)
        if target is not None and target.exists():
            if target.resolve() == file.resolve():
                refuse_usage(f"{target} would be written over the recording")
            if resume_s:
                refuse_usage(f"{target} is there already: write the rest to another file")


def _target(file: Path, form: SubtitleFormat, output: Path | None) -> Path | None:
    """The file to write; None for standard output."""
    if output is None or not output.is_dir():
        return output
    stem = "stdin" if file == _STANDARD_INPUT else file.stem
    return output / f"{stem}{_ENDINGS[form]}"


async def _transcribe_all(jobs: list[Job], service: Connection) -> bool:
    """Whether all went well; raises what would befall every file."""
    all_well = True
    async with SpeechToText(service) as stt:
        for job in jobs:
            try:
                await transcribed(job, stt)
            except (InvalidArgumentError, LimitExceededError) as error:
                if len(jobs) == 1:
                    raise
                complain(f"{job.title}: {sentence_of(error)}")
                all_well = False
    return all_well
