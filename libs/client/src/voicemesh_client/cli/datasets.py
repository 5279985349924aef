"""`voicemesh datasets`, but for `import` and `preview`."""

# No `from __future__ import annotations`: typer reads these annotations at run time.

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated

import typer

from voicemesh_client.cli.asking import asked, show_table, size_of, time_of
from voicemesh_client.cli.failures import plain_failures, refuse_usage
from voicemesh_client.cli.imports import import_examples, preview
from voicemesh_client.cli.named import DatasetArgument, id_of
from voicemesh_client.cli.options import (
    DEFAULT_TARGETS,
    DEFAULT_TENANT,
    Tenant,
    Token,
    TrainerTarget,
)
from voicemesh_client.cli.texts import put
from voicemesh_client.datasets import Datasets
from voicemesh_client.examples import (
    Dataset,
    DatasetFormat,
    DatasetStatistics,
    Example,
    LengthStatistics,
)

__all__ = ("app",)

_FORMATS = {
    ".csv": DatasetFormat.CSV,
    ".jsonl": DatasetFormat.JSONL,
    ".parquet": DatasetFormat.PARQUET,
}
_EXPORTED = (*_FORMATS.values(), DatasetFormat.OPENAI)

app = typer.Typer(help="What the assistant learns from: sets of examples.", no_args_is_help=True)
app.command("import")(import_examples)
app.command()(preview)

_Archive = Annotated[str, typer.Argument(help="Archive; see voicemesh datasets archives.")]


@app.command("list")
def list_datasets(
    archived: Annotated[bool, typer.Option("--archived", help="Also archived ones.")] = False,
    tenant: Tenant = DEFAULT_TENANT,
    trainer: TrainerTarget = DEFAULT_TARGETS["trainer"],
    token: Token = None,
) -> None:
    """Show the datasets, newest first."""

    async def work(client: Datasets) -> list[Dataset]:
        return [each async for each in client.list(tenant=tenant, include_archived=archived)]

    with plain_failures():
        found = asked(Datasets, trainer, token, work)
        show_table(
            ("DATASET", "NAME", "EXAMPLES", "AVOIDED", "SIZE", "STATE", "CHANGED (UTC)"),
            (
                (
                    each.id, each.name, str(each.example_count), str(each.negative_example_count),
                    size_of(each.byte_count), _state(each), time_of(each.update_time),
                )
                for each in found
            ),
        )  # fmt: skip


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="Name, 1 to 100 characters.")],
    tenant: Tenant = DEFAULT_TENANT,
    trainer: TrainerTarget = DEFAULT_TARGETS["trainer"],
    token: Token = None,
) -> None:
    """Make an empty dataset, and print its id."""
    with plain_failures():
        made = asked(Datasets, trainer, token, lambda client: client.create(name, tenant=tenant))
        put(made.id)


@app.command()
def show(
    dataset: DatasetArgument,
    count: Annotated[int, typer.Option("--examples", min=0, help="So many of them.")] = 5,
    tenant: Tenant = DEFAULT_TENANT,
    trainer: TrainerTarget = DEFAULT_TARGETS["trainer"],
    token: Token = None,
) -> None:
    """Show what is in a dataset, and its first examples."""

    async def work(client: Datasets) -> tuple[DatasetStatistics, list[Example]]:
        found = await id_of(client, dataset, tenant)
        statistics = await client.statistics(found, tenant=tenant)
        examples = client.examples(found, tenant=tenant)
        return statistics, await _first(examples, count)

    with plain_failures():
        statistics, examples = asked(Datasets, trainer, token, work)
        _print(statistics)
        if examples:
            put()
            show_table(
                ("PROMPT", "COMPLETION", "POLARITY", "SOURCE"),
                (
                    (each.prompt, each.completion, each.polarity or "", each.source)
                    for each in examples
                ),
            )


@app.command()
def export(
    dataset: DatasetArgument,
    output: Annotated[Path, typer.Option("--output", "-o", help="File to write.")],
    format: Annotated[
        DatasetFormat | None,
        typer.Option(metavar="FORMAT", help="csv, jsonl, parquet or openai."),
    ] = None,
    tenant: Tenant = DEFAULT_TENANT,
    trainer: TrainerTarget = DEFAULT_TARGETS["trainer"],
    token: Token = None,
) -> None:
    """Write a dataset to a file, in the format of its ending: .csv, .jsonl or .parquet."""
    form = format or _FORMATS.get(output.suffix.casefold())
    if form not in _EXPORTED:
        refuse_usage(f"{output}: name a --format: csv, jsonl, parquet or openai")

    async def work(client: Datasets) -> int:
        found = await id_of(client, dataset, tenant)
        return await client.export_to(output, found, tenant=tenant, format=form)

    with plain_failures():
        put(f"{output}: {size_of(asked(Datasets, trainer, token, work))}")


@app.command()
def select(
    dataset: DatasetArgument,
    tenant: Tenant = DEFAULT_TENANT,
    trainer: TrainerTarget = DEFAULT_TARGETS["trainer"],
    token: Token = None,
) -> None:
    """Make a dataset the one that training uses."""

    async def work(client: Datasets) -> Dataset:
        return await client.select(await id_of(client, dataset, tenant), tenant=tenant)

    with plain_failures():
        put(f"{asked(Datasets, trainer, token, work).name} is selected")


@app.command()
def split(  # noqa: PLR0913 - one parameter for each option
    dataset: DatasetArgument,
    share: Annotated[float, typer.Argument(help="Share of the first part, such as 0.9.")],
    names: Annotated[tuple[str, str], typer.Option(help="Names of the parts.")] = ("", ""),
    seed: Annotated[int | None, typer.Option(help="Makes another parting.")] = None,
    tenant: Tenant = DEFAULT_TENANT,
    trainer: TrainerTarget = DEFAULT_TARGETS["trainer"],
    token: Token = None,
) -> None:
    """Part a dataset in two new ones, for instance to keep some examples for a test."""

    async def work(client: Datasets) -> tuple[Dataset, Dataset]:
        found = await id_of(client, dataset, tenant)
        return await client.split(found, share, tenant=tenant, names=names, seed=seed)

    with plain_failures():
        for part in asked(Datasets, trainer, token, work):
            put(f"{part.id} {part.name}: {part.example_count} examples")


@app.command()
def archive(
    dataset: DatasetArgument,
    tenant: Tenant = DEFAULT_TENANT,
    trainer: TrainerTarget = DEFAULT_TARGETS["trainer"],
    token: Token = None,
) -> None:
    """Pack a dataset away, and print the id of the archive."""

    async def work(client: Datasets) -> str:
        found = await id_of(client, dataset, tenant)
        return (await client.archive(found, tenant=tenant)).id

    with plain_failures():
        put(asked(Datasets, trainer, token, work))


@app.command()
def archives(
    tenant: Tenant = DEFAULT_TENANT,
    trainer: TrainerTarget = DEFAULT_TARGETS["trainer"],
    token: Token = None,
) -> None:
    """Show the archives, newest first."""

    async def work(client: Datasets) -> list[tuple[str, ...]]:
        return [
            (
                each.id, each.dataset_name, str(each.example_count), size_of(each.byte_count),
                time_of(each.create_time), each.sha256,
            )
            async for each in client.archives(tenant=tenant)
        ]  # fmt: skip

    with plain_failures():
        rows = asked(Datasets, trainer, token, work)
        show_table(("ARCHIVE", "DATASET", "EXAMPLES", "SIZE", "MADE (UTC)", "SHA-256"), rows)


@app.command()
def download(
    archive: _Archive,
    output: Annotated[Path, typer.Option("--output", "-o", help="File to write, .tar.zst.")],
    tenant: Tenant = DEFAULT_TENANT,
    trainer: TrainerTarget = DEFAULT_TARGETS["trainer"],
    token: Token = None,
) -> None:
    """Write an archive to a file."""
    with plain_failures():
        size = asked(
            Datasets,
            trainer,
            token,
            lambda client: client.download_archive_to(output, archive, tenant=tenant),
        )
        put(f"{output}: {size_of(size)}")


@app.command()
def restore(
    archive: _Archive,
    name: Annotated[str, typer.Option(help="Name of the dataset; the old one if left out.")] = "",
    tenant: Tenant = DEFAULT_TENANT,
    trainer: TrainerTarget = DEFAULT_TARGETS["trainer"],
    token: Token = None,
) -> None:
    """Bring an archived dataset back, and print its id."""
    with plain_failures():
        back = asked(
            Datasets,
            trainer,
            token,
            lambda client: client.restore(archive, tenant=tenant, name=name),
        )
        put(back.id)


@app.command()
def delete(
    dataset: DatasetArgument,
    tenant: Tenant = DEFAULT_TENANT,
    trainer: TrainerTarget = DEFAULT_TARGETS["trainer"],
    token: Token = None,
) -> None:
    """Delete a dataset with its examples; archives of it stay."""

    async def work(client: Datasets) -> None:
        await client.delete(await id_of(client, dataset, tenant), tenant=tenant)

    with plain_failures():
        asked(Datasets, trainer, token, work)
        put(f"{dataset} is deleted")


@app.command("delete-archive")
def delete_archive(
    archive: _Archive,
    tenant: Tenant = DEFAULT_TENANT,
    trainer: TrainerTarget = DEFAULT_TARGETS["trainer"],
    token: Token = None,
) -> None:
    """Delete an archive."""
    with plain_failures():
        asked(
            Datasets, trainer, token, lambda client: client.delete_archive(archive, tenant=tenant)
        )
        put(f"{archive} is deleted")


async def _first(examples: AsyncIterator[Example], count: int) -> list[Example]:
    found: list[Example] = []
    if count:
        async for example in examples:
            found.append(example)
            if len(found) == count:
                break
    return found


def _print(statistics: DatasetStatistics) -> None:
    dataset = statistics.dataset
    put(f"{dataset.name} ({_state(dataset) or 'not selected'}) {dataset.id}")
    put(
        f"{dataset.example_count} examples, {dataset.negative_example_count} to be avoided, "
        f"{statistics.text_example_count} of plain text; {size_of(dataset.byte_count)}, "
        f"about {statistics.estimated_token_count} tokens"
    )
    put(f"prompts:     {_lengths(statistics.prompt_characters)}")
    put(f"completions: {_lengths(statistics.completion_characters)}")
    put(
        f"{statistics.ambiguous_prompt_count} prompts with several answers, "
        f"{statistics.preference_pair_count} with a good and a bad one"
    )
    put(f"sha256 {dataset.content_sha256}")


def _lengths(lengths: LengthStatistics) -> str:
    return (
        f"{lengths.minimum} to {lengths.maximum} characters, median {lengths.median}, "
        f"mean {lengths.mean:.1f}, 95 of 100 up to {lengths.percentile_95}"
    )


def _state(dataset: Dataset) -> str:
    states = ("selected",) if dataset.selected else ()
    return ", ".join((*states, "archived") if dataset.archived else states)
