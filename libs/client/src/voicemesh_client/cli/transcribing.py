"""One recording of `voicemesh transcribe`: how it is sent, and where its words go."""

from __future__ import annotations

import asyncio
import sys
from contextlib import ExitStack, aclosing, contextmanager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, TextIO

from rich.console import Console

from voicemesh_client.cli.failures import complain
from voicemesh_client.errors import ServiceError
from voicemesh_client.files import FileProgress, FileSummary
from voicemesh_client.subtitles import SubtitleFormat, renderer
from voicemesh_client.transcripts import Segment, Transcript

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterator
    from pathlib import Path

    from rich.status import Status

    from voicemesh_client.stt import SpeechToText
    from voicemesh_client.transcripts import TranscriptionOptions

__all__ = ("Job", "transcribed")

_SMALL_BYTES = 1 << 20
"""A recording up to here is sent in one message: one answer is sooner there than a stream, and the
service joins it with those of others. It must be short enough for the answer to come in time."""


@dataclass(frozen=True)
class Job:
    """One recording and what is wanted of it."""

    file: Path | None
    """Where it is; None for standard input."""

    target: Path | None
    """Where its words go; None for standard output."""

    form: SubtitleFormat
    """How they are written."""

    options: TranscriptionOptions
    """How it is recognised."""

    resume_s: float
    """Speech before this time is left out, in seconds."""

    title: str
    """Its name where there are several; empty if it is the only one."""


async def transcribed(job: Job, stt: SpeechToText) -> None:
    """Writes what is said, piece by piece, as it comes.

    Raises:
        OSError: if a file cannot be read or written.
        ServiceError: as the service answers; what came before it has been written.
    """
    separate = job.options.separate_channels
    rendering = renderer(job.form, channels=separate)
    about: FileSummary | Transcript | None = None
    done_s = 0.0
    with _output(job) as write, _shown(job) as status:
        try:
            async with aclosing(_events(job, stt)) as events:
                async for event in events:
                    match event:
                        case Segment():
                            done_s = done_s if separate else max(done_s, event.end_s)
                            write(rendering.segment(event))
                        case FileProgress():
                            # Of channels, each may be ahead of what the others have yet to say.
                            done_s = event.processed_s if separate else done_s
                            if status is not None:
                                status.update(_progress(job, event))
                        case _:
                            about = event
        except (ServiceError, asyncio.CancelledError):
            if done_s:
                write(rendering.finish())
                complain(f"the words stop at {done_s:.3f} s; --resume {done_s:.3f} goes on there")
            raise
        write(rendering.finish(about))


async def _events(
    job: Job, stt: SpeechToText
) -> AsyncGenerator[Segment | FileProgress | FileSummary | Transcript, None]:
    if job.file is not None and job.file.is_file() and not job.resume_s:
        audio = await asyncio.to_thread(_beginning, job.file)
        if len(audio) <= _SMALL_BYTES:
            heard = await stt.transcribe(audio, options=job.options)
            for segment in heard.segments:
                yield segment
            yield heard
            return
    source: Path | BinaryIO = sys.stdin.buffer if job.file is None else job.file
    upload = stt.transcribe_file(source, options=job.options, resume_s=job.resume_s)
    async with aclosing(upload) as events:
        async for event in events:
            yield event


def _beginning(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_SMALL_BYTES + 1)


@contextmanager
def _output(job: Job) -> Iterator[Callable[[str], None]]:
    """Writes text at once, since others may wait for it; a file is opened with its first words.

    A recording that cannot be transcribed leaves what was in the file as it was.
    """
    with ExitStack() as open_files:
        output: TextIO | None = None

        def write(text: str) -> None:
            nonlocal output
            if output is None:
                output = _opened(job, open_files)
            output.write(text)
            output.flush()

        yield write


def _opened(job: Job, open_files: ExitStack) -> TextIO:
    if job.target is not None:
        return open_files.enter_context(job.target.open("w", encoding="utf-8", newline="\n"))
    if job.title and job.form is SubtitleFormat.TEXT:
        sys.stdout.write(f"==> {job.title} <==\n")
    return sys.stdout


@contextmanager
def _shown(job: Job) -> Iterator[Status | None]:
    """A line that tells how far it is, if somebody looks and the words are not in its way."""
    console = Console(stderr=True)
    is_free = job.target is not None or not sys.stdout.isatty()
    line = console.status(_name(job)) if console.is_terminal and is_free else nullcontext()
    with line as status:
        yield status


def _progress(job: Job, progress: FileProgress) -> str:
    of = f" of {_clock(progress.received_s)}" if progress.received_s else ""
    return f"{_name(job)}: {_clock(progress.processed_s)}{of} transcribed"


def _name(job: Job) -> str:
    return "standard input" if job.file is None else job.file.name


def _clock(seconds: float) -> str:
    minutes, second = divmod(int(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{second:02}"
