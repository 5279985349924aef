"""`voicemesh train` and `voicemesh jobs`."""

# No `from __future__ import annotations`: typer reads these annotations at run time.

from pathlib import Path
from typing import Annotated

import typer

from voicemesh_client.cli.asking import asked, show_table, size_of, time_of
from voicemesh_client.cli.failures import plain_failures
from voicemesh_client.cli.named import id_of
from voicemesh_client.cli.options import (
    DEFAULT_TARGETS,
    DEFAULT_TENANT,
    Tenant,
    Token,
    TrainerTarget,
    connection,
)
from voicemesh_client.cli.texts import put
from voicemesh_client.cli.watching import exit_as, followed, lines_about
from voicemesh_client.datasets import Datasets
from voicemesh_client.training import (
    NewTrainingJob,
    TrainingBackend,
    TrainingJob,
    TrainingSettings,
)
from voicemesh_client.training_jobs import TrainingJobs

__all__ = ("app", "train")

app = typer.Typer(help="Show, follow and end training jobs.", no_args_is_help=True)

_Job = Annotated[str, typer.Argument(help="Job; see voicemesh jobs list.")]


def train(  # noqa: PLR0913 - one parameter for each option
    dataset: Annotated[str, typer.Option(help="Name or id; the selected one if left out.")] = "",
    description: Annotated[str, typer.Option(help="What people call the job.")] = "",
    backend: Annotated[
        TrainingBackend, typer.Option(metavar="BACKEND", help="local or openai.")
    ] = TrainingBackend.DEFAULT,
    base_model: Annotated[str, typer.Option(help="Model to start from.")] = "",
    epochs: Annotated[int | None, typer.Option(help="Times all is seen.")] = None,
    learning_rate: Annotated[float | None, typer.Option(help="Step size.")] = None,
    batch_size: Annotated[int | None, typer.Option(help="Examples a step.")] = None,
    rank: Annotated[int | None, typer.Option(help="Rank of the adapter.")] = None,
    seed: Annotated[int | None, typer.Option(help="Makes the run reproducible.")] = None,
    max_tokens: Annotated[int | None, typer.Option(help="Most tokens of an example.")] = None,
    paraphrases: Annotated[int | None, typer.Option(help="Other ways to ask.")] = None,
    preference: Annotated[float | None, typer.Option(help="Strength of preference.")] = None,
    detach: Annotated[bool, typer.Option("--detach", help="Print the job; do not follow.")] = False,
    tenant: Tenant = DEFAULT_TENANT,
    trainer: TrainerTarget = DEFAULT_TARGETS["trainer"],
    token: Token = None,
) -> None:
    """Train a model on a dataset, and follow it to its end.

    The job goes on if the command is ended: voicemesh jobs watch follows it again.
    """
    settings = TrainingSettings(
        epoch_count=epochs,
        learning_rate=learning_rate,
        batch_size=batch_size,
        lora_rank=rank,
        seed=seed,
        max_example_tokens=max_tokens,
        paraphrase_count=paraphrases,
        preference_strength=preference,
    )

    async def work(jobs: TrainingJobs) -> TrainingJob:
        async with Datasets(connection(trainer, token)) as datasets:
            found = await id_of(datasets, dataset, tenant) if dataset else ""
        wanted = NewTrainingJob(
            dataset_id=found,
            description=description,
            backend=backend,
            base_model=base_model,
            settings=settings,
        )
        return await jobs.create(wanted, tenant=tenant)

    with plain_failures():
        job = asked(TrainingJobs, trainer, token, work)
        put(job.id)
        if not detach:
            exit_as(followed(job.id, tenant, connection(trainer, token)))


@app.command("list")
def list_jobs(
    tenant: Tenant = DEFAULT_TENANT,
    trainer: TrainerTarget = DEFAULT_TARGETS["trainer"],
    token: Token = None,
) -> None:
    """Show the jobs, newest first."""

    async def work(jobs: TrainingJobs) -> list[tuple[str, ...]]:
        return [
            (
                each.id, each.state, f"{each.progress.step}/{each.progress.step_count or '?'}",
                each.backend, each.result_model or each.base_model, time_of(each.create_time),
                each.description,
            )
            async for each in jobs.list(tenant=tenant)
        ]  # fmt: skip

    with plain_failures():
        rows = asked(TrainingJobs, trainer, token, work)
        headings = ("JOB", "STATE", "STEP", "BACKEND", "MODEL", "MADE (UTC)", "DESCRIPTION")
        show_table(headings, rows)


@app.command()
def show(
    job: _Job,
    tenant: Tenant = DEFAULT_TENANT,
    trainer: TrainerTarget = DEFAULT_TARGETS["trainer"],
    token: Token = None,
) -> None:
    """Show one job, with what is needed to repeat it."""
    with plain_failures():
        found = asked(TrainingJobs, trainer, token, lambda jobs: jobs.get(job, tenant=tenant))
        for line in lines_about(found):
            put(line)


@app.command()
def watch(
    job: _Job,
    tenant: Tenant = DEFAULT_TENANT,
    trainer: TrainerTarget = DEFAULT_TARGETS["trainer"],
    token: Token = None,
) -> None:
    """Follow a job to its end; exits with 1 unless it succeeds."""
    with plain_failures():
        exit_as(followed(job, tenant, connection(trainer, token)))


@app.command()
def cancel(
    job: _Job,
    tenant: Tenant = DEFAULT_TENANT,
    trainer: TrainerTarget = DEFAULT_TARGETS["trainer"],
    token: Token = None,
) -> None:
    """Ask a job to end."""
    with plain_failures():
        now = asked(TrainingJobs, trainer, token, lambda jobs: jobs.cancel(job, tenant=tenant))
        put(f"{now.id} is {now.state}" if now.state.ended else f"{now.id} is to end")


@app.command()
def log(
    job: _Job,
    tenant: Tenant = DEFAULT_TENANT,
    trainer: TrainerTarget = DEFAULT_TARGETS["trainer"],
    token: Token = None,
) -> None:
    """Print the log of a job, oldest line first."""

    async def work(jobs: TrainingJobs) -> None:
        async for line in jobs.log(job, tenant=tenant):
            put(f"{time_of(line.time)} {line.text}")

    with plain_failures():
        asked(TrainingJobs, trainer, token, work)


@app.command()
def curve(
    job: _Job,
    output: Annotated[Path, typer.Option("--output", "-o", help="File to write.")] = Path(
        "loss.png"
    ),
    tenant: Tenant = DEFAULT_TENANT,
    trainer: TrainerTarget = DEFAULT_TARGETS["trainer"],
    token: Token = None,
) -> None:
    """Write the curve of a job's loss to a picture (PNG)."""
    with plain_failures():
        picture = asked(
            TrainingJobs, trainer, token, lambda jobs: jobs.loss_curve(job, tenant=tenant)
        )
        output.write_bytes(picture)
        put(f"{output}: {size_of(len(picture))}")
