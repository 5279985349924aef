"""The `voicemesh` command: models, one-off calls and the state of the services.

- `options`: what several commands take, and the connection made of it.
- `failures`: one sentence and exit status 1 for everything that can go wrong.
- `recordings`: `transcribe`, each file by `transcribing`. `speaking`: `say`, by `utterance`.
  `voices`: `voices list`, `create` and `delete`. `answers`: `ask`. `services`: `status`.
- `teaching`: `teach` and `forget`. `personas`: `persona`. `datasets`, with `imports`: `datasets`.
  `jobs`, by `watching`: `train` and `jobs`. `tuned`, with `evaluating` and its `cases`: `tuned`.
  `asking` and `named`: what these share. `texts`: how texts of people are read and printed.
- `replaying`: `replay`.
- `variables`: which environment variables all of these read.
- `models` comes from `voicemesh_models.cli`; `recognisers`: `models stt`.

Exit status: 0 done, 1 failed (one sentence on standard error), 2 wrong usage.
"""

# No `from __future__ import annotations`: typer reads these annotations at run time.

from typing import Annotated

import typer

from voicemesh_client.cli.answers import ask
from voicemesh_client.cli.datasets import app as datasets
from voicemesh_client.cli.jobs import app as jobs
from voicemesh_client.cli.jobs import train
from voicemesh_client.cli.options import CaFile, Shared, Timeout, use_shared
from voicemesh_client.cli.personas import app as persona
from voicemesh_client.cli.recognisers import list_recognisers
from voicemesh_client.cli.recordings import transcribe
from voicemesh_client.cli.replaying import replay
from voicemesh_client.cli.services import status
from voicemesh_client.cli.speaking import say
from voicemesh_client.cli.teaching import forget, teach
from voicemesh_client.cli.tuned import app as tuned
from voicemesh_client.cli.version import installed_version
from voicemesh_client.cli.voices import app as voices
from voicemesh_models.cli import app as models

__all__ = ("app", "main")

app = typer.Typer(
    name="voicemesh",
    help="Talk to voicemesh services: speech to text, text to speech and answers.",
    epilog="Exit status: 0 done, 1 failed, 2 wrong usage.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
models.command("stt")(list_recognisers)
app.add_typer(models, name="models")
app.add_typer(voices, name="voices")
app.add_typer(datasets, name="datasets")
app.add_typer(jobs, name="jobs")
app.add_typer(tuned, name="tuned")
app.add_typer(persona, name="persona")
for command in (transcribe, say, ask, teach, train, forget, replay, status):
    app.command()(command)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"voicemesh {installed_version()}")
        raise typer.Exit


@app.callback()
def shared(
    ca_file: CaFile = None,
    timeout: Timeout = 30.0,
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """Talk to voicemesh services: speech to text, text to speech and answers."""
    use_shared(Shared(ca_file=ca_file, timeout_s=timeout))


def main() -> None:
    """Runs the command and ends the process."""
    app()
