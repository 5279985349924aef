"""`voicemesh-run`: the four services on this machine, until Ctrl-C.

Exit status: 0 stopped by the person, 1 something was missing or failed (said on standard error),
2 wrong usage.
"""

# No `from __future__ import annotations`: typer reads these annotations at run time.

import asyncio
import os
import signal
from pathlib import Path
from typing import Annotated

import typer

from voicemesh_launcher.announcements import Announcements
from voicemesh_launcher.fleet import Fleet
from voicemesh_launcher.log_directory import new_log_dir
from voicemesh_launcher.preflight import (
    check_installed,
    check_models,
    check_ports,
)
from voicemesh_launcher.programs import LaunchError, Program, read_programs, with_free_ports
from voicemesh_launcher.unknown_variables import unknown_variables

__all__ = ("app", "main")

app = typer.Typer(pretty_exceptions_enable=False, add_completion=False)


@app.command(epilog="Exit status: 0 stopped, 1 something was missing or failed, 2 wrong usage.")
def run(
    log_dir: Annotated[
        Path | None,
        typer.Option(help="Existing directory for the log files.", exists=True, file_okay=False),
    ] = None,
    model_check: Annotated[
        bool,
        typer.Option(help="Whether to look for the models first; the services look too."),
    ] = True,
) -> None:
    """Run stt, tts, trainer and bot on this machine until Ctrl-C.

    Ports and everything else are set by the services' own variables, such as
    VOICEMESH_STT_SERVER__PORT; port 0 takes a free one.
    """
    for sentence in unknown_variables(os.environ):
        typer.echo(sentence, err=True)
    try:
        programs = with_free_ports(read_programs(), everywhere=False)
        check_installed(programs)
        if model_check:
            check_models()
        asyncio.run(check_ports(programs))
        directory = log_dir or new_log_dir()
    except LaunchError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
    raise typer.Exit(asyncio.run(_run(programs, directory)))


async def _run(programs: tuple[Program, ...], log_dir: Path) -> int:
    console = next(program for program in programs if "console" in program.endpoints)
    address = console.endpoints["console"].address
    announcements = Announcements(
        programs,
        log_dir,
        typer.echo,
        last_line=f"\nThe console is at http://{address} - press Ctrl-C to stop.",
    )
    typer.echo(f"logs in {log_dir}")
    fleet = Fleet(programs, log_dir, announcements)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, fleet.stop)
    return await fleet.run()


def main() -> None:
    """Runs the command and ends the process."""
    app()
