"""`voicemesh-demo`: the services on free ports, one spoken turn, and what came of it.

Exit status: 0 the question was understood and so was the answer's voice, 1 not, or something was
missing or failed (said on standard error), 2 wrong usage.
"""

# No `from __future__ import annotations`: typer reads these annotations at run time.

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from voicemesh_client import Connection, ServiceError, SpeechToText, TextToSpeech, Trainer
from voicemesh_launcher.announcements import Announcements
from voicemesh_launcher.demo.chart import draw_chart
from voicemesh_launcher.demo.dialogue import Conversation, DemoError, hold_conversation
from voicemesh_launcher.demo.recording import Recording, recorded_question
from voicemesh_launcher.demo.report import judge, show
from voicemesh_launcher.fleet import Fleet
from voicemesh_launcher.log_directory import new_log_dir
from voicemesh_launcher.preflight import check_installed, check_models
from voicemesh_launcher.programs import (
    LaunchError,
    Program,
    read_programs,
    token_of,
    with_free_ports,
)
from voicemesh_launcher.unknown_variables import unknown_variables

__all__ = ("app", "main")

app = typer.Typer(pretty_exceptions_enable=False, add_completion=False)
_PLAIN_WIDTH = 120


@app.command(epilog="Exit status: 0 all was understood, 1 not or something failed, 2 wrong usage.")
def demo(
    output_dir: Annotated[
        Path,
        typer.Option(
            help="Existing directory for reply.wav and demo.png.",
            exists=True,
            file_okay=False,
            writable=True,
        ),
    ] = Path(),
) -> None:
    """Ask the services a recorded question and hear the answer.

    Starts stt, tts, trainer and bot on free ports, so it can run beside `voicemesh-run`, speaks a
    recorded question to them in real time, and shows the answer and where the time went.
    """
    console = Console()
    if not console.is_terminal:
        console = Console(width=_PLAIN_WIDTH)
    for sentence in unknown_variables(os.environ):
        typer.echo(sentence, err=True)
    try:
        programs = with_free_ports(read_programs(), everywhere=True)
        check_installed(programs)
        check_models(_environ())
        question = recorded_question()
        conversation = asyncio.run(_converse(programs, question))
    except (LaunchError, DemoError, ServiceError, OSError) as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from error
    except KeyboardInterrupt as error:
        raise typer.Exit(130) from error
    verdict = judge(conversation, question.text)
    typer.echo()
    show(conversation, verdict, console)
    _write_files(conversation, output_dir)
    if verdict.sentence:
        typer.echo(f"error: {verdict.sentence}", err=True)
        raise typer.Exit(1)


def _write_files(conversation: Conversation, output_dir: Path) -> None:
    wav, chart = output_dir / "reply.wav", output_dir / "demo.png"
    wav.write_bytes(conversation.wav)
    draw_chart(conversation.timeline, chart)
    typer.echo(f"\nwrote {wav} and {chart}")


async def _converse(programs: tuple[Program, ...], question: Recording) -> Conversation:
    async with _running(programs):
        services = {
            program.name: Connection(
                program.endpoints["grpc"].address, token=token_of(program.name)
            )
            for program in programs
        }
        async with (
            SpeechToText(services["stt"]) as stt,
            Trainer(services["trainer"]) as trainer,
            TextToSpeech(services["tts"]) as tts,
        ):
            typer.echo("speaking the question in real time")
            return await hold_conversation(question, stt, trainer, tts)


@asynccontextmanager
async def _running(programs: tuple[Program, ...]) -> AsyncIterator[None]:
    """Runs the services around the block."""
    log_dir = new_log_dir()
    announcements = Announcements(programs, log_dir, typer.echo, tells_of_stops=False)
    fleet = Fleet(programs, log_dir, announcements, environ=_environ())
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, fleet.stop)
    running = asyncio.create_task(fleet.run(), name="services")
    ready = asyncio.create_task(fleet.all_ready.wait())
    try:
        await asyncio.wait({running, ready}, return_when=asyncio.FIRST_COMPLETED)
        if running.done():
            msg = f"the services did not start; their logs are in {log_dir}"
            raise LaunchError(msg)
        yield
    finally:
        ready.cancel()
        fleet.stop()
        await running


def _environ() -> dict[str, str]:
    """The person's settings, but for what reaches beyond this machine."""
    environ = {key: value for key, value in os.environ.items() if key != "DISCORD_TOKEN"}
    environ.setdefault("VOICEMESH_TRAINER_BACKEND", "local")
    return environ


def main() -> None:
    """Runs the command and ends the process."""
    app()
