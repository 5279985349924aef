"""The `models` command: list, pull and verify, alone or as `voicemesh models`.

Exit codes: 0 all is well; 1 a pull failed or a model is missing or damaged; 2 a wrong argument,
such as an unknown name; 78 the catalogue cannot be used. Errors are one sentence on stderr.
"""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from voicemesh_models.catalogue import Catalogue
from voicemesh_models.catalogue_file import CATALOGUE_VARIABLE, load_catalogue
from voicemesh_models.directories import MODELS_DIR_VARIABLE, default_models_dir
from voicemesh_models.errors import CatalogueError, ModelError, PullError, UnknownModelError
from voicemesh_models.progress import console_progress, megabytes
from voicemesh_models.store import ModelState, ModelStore

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ("app", "main")

EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_CATALOGUE = CatalogueError.exit_code

_PLAIN_WIDTH = 160

app = typer.Typer(
    name="models",
    help="List, pull and verify the model files that voicemesh runs on.",
    epilog="Exit codes: 0 well, 1 failed or damaged, 2 wrong argument, 78 unusable catalogue.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Names = Annotated[
    list[str] | None, typer.Argument(metavar="NAME", help="Models or groups of models.")
]
Directory = Annotated[
    Path | None,
    typer.Option("--dir", envvar=MODELS_DIR_VARIABLE, help="The model directory."),
]
CatalogueFile = Annotated[
    Path | None,
    typer.Option("--catalogue", envvar=CATALOGUE_VARIABLE, help="A models.toml of your own."),
]


@app.command("list")
def list_models(directory: Directory = None, catalogue: CatalogueFile = None) -> None:
    """Show every model of the catalogue and whether it is installed."""
    with _plain_failures():
        store = _store(directory, catalogue)
        table = Table(box=None, pad_edge=False)
        for heading in ("NAME", "KIND", "SIZE", "LICENCE", "STATE"):
            table.add_column(heading, justify="right" if heading == "SIZE" else "left")
        for model in store.catalogue.models.values():
            size = megabytes(model.size_bytes)
            table.add_row(model.name, model.kind, size, model.licence, store.state(model.name))
        console = _console()
        console.print(table)
        for group, names in store.catalogue.groups.items():
            console.print(f"\n{group} = {', '.join(names)}", markup=False, highlight=False)
        console.print(f"in {store.root}", markup=False, highlight=False, soft_wrap=True)


@app.command()
def pull(names: Names = None, directory: Directory = None, catalogue: CatalogueFile = None) -> None:
    """Fetch and verify models; without a name, the group `default`.

    A pull that broke off goes on where it stopped. Models that are here already are left alone.
    """
    failed = False
    with _plain_failures():
        store = _store(directory, catalogue)
        wanted = store.catalogue.expand(names or ["default"])
        with console_progress(_console()) as progress:
            for name in wanted:
                try:
                    store.pull(name, progress)
                except PullError as error:
                    # The others may well be had, so they are tried before this command fails.
                    failed = True
                    _complain(error)
    if failed:
        raise typer.Exit(EXIT_FAILED)


@app.command()
def verify(
    names: Names = None, directory: Directory = None, catalogue: CatalogueFile = None
) -> None:
    """Hash every file of the named models; without a name, of all that are installed."""
    failed = False
    with _plain_failures():
        store = _store(directory, catalogue)
        for name in store.catalogue.expand(names) if names else _present(store):
            try:
                store.verify(name)
            except UnknownModelError:
                raise
            except ModelError as error:
                failed = True
                _complain(error)
            else:
                _console().print(f"{name}: intact", markup=False, highlight=False)
    if failed:
        raise typer.Exit(EXIT_FAILED)


def main() -> None:
    """Run the command on its own, as `voicemesh-models`."""
    app()


def _store(directory: Path | None, catalogue: Path | None) -> ModelStore:
    root = directory.expanduser().absolute() if directory else default_models_dir()
    return ModelStore(root, _with_default(load_catalogue(catalogue)))


def _with_default(catalogue: Catalogue) -> Catalogue:
    """A catalogue without a `default` group means all of its models by it."""
    if "default" in catalogue.groups or "default" in catalogue.models:
        return catalogue
    groups = {**catalogue.groups, "default": tuple(catalogue.models)}
    return Catalogue(catalogue.path, catalogue.models, groups)


def _present(store: ModelStore) -> list[str]:
    return [name for name in store.catalogue.models if store.state(name) != ModelState.MISSING]


def _console() -> Console:
    console = Console()
    # In a pipe or a log nothing should be cut to the 80 columns of an imagined terminal.
    return console if console.is_terminal else Console(width=_PLAIN_WIDTH)


def _complain(error: ModelError) -> None:
    typer.echo(f"error: {error}", err=True)


@contextmanager
def _plain_failures() -> Iterator[None]:
    try:
        yield
    except CatalogueError as error:
        _complain(error)
        raise typer.Exit(EXIT_CATALOGUE) from error
    except UnknownModelError as error:
        _complain(error)
        raise typer.Exit(EXIT_USAGE) from error
    except ModelError as error:
        _complain(error)
        raise typer.Exit(EXIT_FAILED) from error
