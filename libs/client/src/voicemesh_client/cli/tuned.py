"""`voicemesh tuned`: the models of a tenant."""

# No `from __future__ import annotations`: typer reads these annotations at run time.

from typing import Annotated

import typer

from voicemesh_client.cli.asking import asked, show_table, time_of
from voicemesh_client.cli.evaluating import evaluate
from voicemesh_client.cli.failures import plain_failures
from voicemesh_client.cli.options import (
    DEFAULT_TARGETS,
    DEFAULT_TENANT,
    Tenant,
    Token,
    TrainerTarget,
)
from voicemesh_client.cli.texts import put
from voicemesh_client.evaluation import Model, ModelChange, ModelState
from voicemesh_client.models import Models

__all__ = ("app",)

app = typer.Typer(
    help="The models that may answer: list, test, promote, roll back.", no_args_is_help=True
)
app.command()(evaluate)

_Model = Annotated[str, typer.Argument(help="Model; see voicemesh tuned list.")]
_Author = Annotated[str, typer.Option(help="Who asks, for the record.")]


@app.command("list")
def list_models(
    tenant: Tenant = DEFAULT_TENANT,
    trainer: TrainerTarget = DEFAULT_TARGETS["trainer"],
    token: Token = None,
) -> None:
    """Show the models that may answer, as ask --model takes them."""

    async def work(models: Models) -> list[Model]:
        return [model async for model in models.list(tenant=tenant)]

    with plain_failures():
        found = asked(Models, trainer, token, work)
        show_table(
            ("MODEL", "STATE", "BACKEND", "BASE", "TOKEN F1", "LICENCE", "MADE (UTC)"),
            (
                (
                    model.name, _state(model), model.backend, model.base_model,
                    "" if model.scores is None else f"{model.scores.token_f1:.3f}",
                    model.license, time_of(model.create_time),
                )
                for model in found
            ),
        )  # fmt: skip


@app.command()
def promote(
    model: _Model,
    force: Annotated[bool, typer.Option("--force", help="Even if it is worse.")] = False,
    author: _Author = "",
    tenant: Tenant = DEFAULT_TENANT,
    trainer: TrainerTarget = DEFAULT_TARGETS["trainer"],
    token: Token = None,
) -> None:
    """Let a model answer from now on."""
    with plain_failures():
        active = asked(
            Models,
            trainer,
            token,
            lambda it: it.promote(model, tenant=tenant, force=force, author_id=author),
        )
        put(f"{active.name} is active")


@app.command()
def rollback(
    author: _Author = "",
    tenant: Tenant = DEFAULT_TENANT,
    trainer: TrainerTarget = DEFAULT_TARGETS["trainer"],
    token: Token = None,
) -> None:
    """Return to the model that was active before."""
    with plain_failures():
        active = asked(
            Models, trainer, token, lambda it: it.roll_back(tenant=tenant, author_id=author)
        )
        put(f"{active.name} is active")


@app.command()
def delete(
    model: _Model,
    author: _Author = "",
    tenant: Tenant = DEFAULT_TENANT,
    trainer: TrainerTarget = DEFAULT_TARGETS["trainer"],
    token: Token = None,
) -> None:
    """Delete a model that was trained, and is not active."""
    with plain_failures():
        asked(Models, trainer, token, lambda it: it.delete(model, tenant=tenant, author_id=author))
        put(f"{model} is deleted")


@app.command()
def history(
    tenant: Tenant = DEFAULT_TENANT,
    trainer: TrainerTarget = DEFAULT_TARGETS["trainer"],
    token: Token = None,
) -> None:
    """Show what was done with the models and by whom, newest first."""

    async def work(models: Models) -> list[ModelChange]:
        return [change async for change in models.changes(tenant=tenant)]

    with plain_failures():
        changes = asked(Models, trainer, token, work)
        show_table(
            ("WHEN (UTC)", "WHAT", "MODEL", "BEFORE", "BY"),
            (
                (
                    time_of(change.change_time),
                    f"{change.action} by force" if change.forced else change.action,
                    change.model, change.previous_model, change.author_id,
                )
                for change in changes
            ),
        )  # fmt: skip


def _state(model: Model) -> str:
    return "" if model.state is ModelState.UNKNOWN else str(model.state)
