"""`voicemesh persona show` and `set`."""

# No `from __future__ import annotations`: typer reads these annotations at run time.

from pathlib import Path
from typing import Annotated

import typer

from voicemesh_client.cli.asking import asked, time_of
from voicemesh_client.cli.failures import plain_failures, refuse_usage
from voicemesh_client.cli.options import (
    DEFAULT_TARGETS,
    DEFAULT_TENANT,
    Tenant,
    Token,
    TrainerTarget,
)
from voicemesh_client.cli.texts import put, text_of
from voicemesh_client.personas import Persona
from voicemesh_client.trainer import Trainer

__all__ = ("app",)

app = typer.Typer(help="Show and change who the assistant is.", no_args_is_help=True)


@app.command()
def show(
    tenant: Tenant = DEFAULT_TENANT,
    trainer: TrainerTarget = DEFAULT_TARGETS["trainer"],
    token: Token = None,
) -> None:
    """Show what the assistant is told about itself."""
    with plain_failures():
        _print(asked(Trainer, trainer, token, lambda it: it.get_persona(tenant=tenant)))


@app.command("set")
def set_persona(
    name: Annotated[str | None, typer.Option(help="What it is called; '' for the default.")] = None,
    prompt: Annotated[str | None, typer.Option(help="Its instruction; '' likewise.")] = None,
    prompt_file: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="File of it.", exists=True, dir_okay=False),
    ] = None,
    tenant: Tenant = DEFAULT_TENANT,
    trainer: TrainerTarget = DEFAULT_TARGETS["trainer"],
    token: Token = None,
) -> None:
    """Change what the assistant is told about itself; what is not named stays as it is."""
    if prompt is not None and prompt_file is not None:
        refuse_usage("--prompt and --prompt-file are two ways to say the same: use one")
    if name is None and prompt is None and prompt_file is None:
        refuse_usage("nothing is to be changed: name --name, --prompt or --prompt-file")
    with plain_failures():
        told = text_of(prompt_file, "persona.system_prompt") if prompt_file is not None else prompt
        _print(asked(Trainer, trainer, token, lambda it: _changed(it, tenant, name, told)))


async def _changed(trainer: Trainer, tenant: str, name: str | None, prompt: str | None) -> Persona:
    old = await trainer.get_persona(tenant=tenant)
    new = Persona(
        name=old.name if name is None else name,
        system_prompt=old.system_prompt if prompt is None else prompt,
    )
    return await trainer.set_persona(new, tenant=tenant)


def _print(persona: Persona) -> None:
    put(f"name:    {persona.name or '(the default)'}")
    put(f"changed: {time_of(persona.update_time) or 'never'}")
    put(f"prompt:  {persona.system_prompt or '(the default)'}")
