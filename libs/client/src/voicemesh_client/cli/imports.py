"""`voicemesh datasets import` and `preview`."""

# No `from __future__ import annotations`: typer reads these annotations at run time.

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from voicemesh_client.cli.asking import asked, show_table, size_of
from voicemesh_client.cli.failures import plain_failures, refuse_usage
from voicemesh_client.cli.named import DatasetArgument, id_of
from voicemesh_client.cli.options import (
    DEFAULT_TARGETS,
    DEFAULT_TENANT,
    Tenant,
    Token,
    TrainerTarget,
)
from voicemesh_client.cli.texts import harmless, put
from voicemesh_client.datasets import Datasets
from voicemesh_client.examples import DatasetFormat, ImportOptions, ImportReport, Polarity
from voicemesh_client.files import FileSource

__all__ = ("import_examples", "preview")

_STANDARD_INPUT = Path("-")
_UPLOADED = (
    DatasetFormat.UNSPECIFIED,
    DatasetFormat.CSV,
    DatasetFormat.JSON,
    DatasetFormat.JSONL,
    DatasetFormat.TEXT,
    DatasetFormat.ZIP,
)

_File = Annotated[
    Path, typer.Argument(metavar="FILE", help="File or directory; - reads standard input.")
]
_Negative = Annotated[bool, typer.Option("--negative", help="Answers to be avoided.")]
_Format = Annotated[
    DatasetFormat, typer.Option(metavar="FORMAT", help="csv, json, jsonl, text or zip.")
]
_Encoding = Annotated[str, typer.Option(help="Such as windows-1252; found out if left out.")]


def import_examples(  # noqa: PLR0913 - one parameter for each option
    dataset: DatasetArgument,
    file: _File,
    negative: _Negative = False,
    format: _Format = DatasetFormat.UNSPECIFIED,
    encoding: _Encoding = "",
    author: Annotated[str, typer.Option(help="Who gives it; forget takes the same id.")] = "",
    tenant: Tenant = DEFAULT_TENANT,
    trainer: TrainerTarget = DEFAULT_TARGETS["trainer"],
    token: Token = None,
) -> None:
    """Add the examples of a file, or of all files of a directory, to a dataset."""
    source = _source_of(file, format)
    options = _options(negative, format, encoding, author)

    async def work(client: Datasets) -> ImportReport:
        found = await id_of(client, dataset, tenant)
        with _shown(file) as progress:
            return await client.import_file(
                found, source, tenant=tenant, options=options, progress=progress
            )

    with plain_failures():
        report = asked(Datasets, trainer, token, work)
        put(f"{report.dataset.name}: {_sums(report, 'added')}")
        _print_rejected(report)


def preview(  # noqa: PLR0913 - one parameter for each option
    dataset: DatasetArgument,
    file: _File,
    negative: _Negative = False,
    format: _Format = DatasetFormat.UNSPECIFIED,
    encoding: _Encoding = "",
    tenant: Tenant = DEFAULT_TENANT,
    trainer: TrainerTarget = DEFAULT_TARGETS["trainer"],
    token: Token = None,
) -> None:
    """Show what import would add; nothing is added."""
    source = _source_of(file, format)
    options = _options(negative, format, encoding, "")

    async def work(client: Datasets) -> ImportReport:
        found = await id_of(client, dataset, tenant)
        with _shown(file) as progress:
            return await client.preview(
                found, source, tenant=tenant, options=options, progress=progress
            )

    with plain_failures():
        report = asked(Datasets, trainer, token, work)
        show_table(
            ("FILE", "FORMAT", "ENCODING", "DELIMITER", "ROWS"),
            (
                (
                    each.file_name or file.name, each.format, each.encoding,
                    repr(each.delimiter) if each.delimiter else "", str(each.row_count),
                )
                for each in report.files
            ),
        )  # fmt: skip
        put()
        show_table(
            ("PROMPT", "COMPLETION", "POLARITY"),
            ((each.prompt, each.completion, each.polarity or "") for each in report.examples),
        )
        put(f"\n{_sums(report, 'to be added')}")
        _print_rejected(report)


def _source_of(file: Path, form: DatasetFormat) -> FileSource:
    if form not in _UPLOADED:
        refuse_usage(f"{form} is for export only")
    if file == _STANDARD_INPUT:
        return sys.stdin.buffer
    if not file.exists():
        refuse_usage(f"{file} does not exist")
    if file.is_dir() and form is not DatasetFormat.UNSPECIFIED:
        refuse_usage("the formats of the files of a directory are found out: leave --format out")
    return file


def _options(negative: bool, form: DatasetFormat, encoding: str, author: str) -> ImportOptions:
    return ImportOptions(
        format=form,
        polarity=Polarity.NEGATIVE if negative else Polarity.POSITIVE,
        encoding=encoding,
        author_id=author,
    )


@contextmanager
def _shown(file: Path) -> Iterator[Callable[[int], None]]:
    """A line that tells how much has been sent, if somebody looks."""
    console = Console(stderr=True)
    name = "standard input" if file == _STANDARD_INPUT else escape(harmless(file.name))
    with console.status(name) if console.is_terminal else nullcontext() as line:

        def progress(byte_count: int) -> None:
            if line is not None:
                line.update(f"{name}: {size_of(byte_count)} sent")

        yield progress


def _sums(report: ImportReport, added: str) -> str:
    return (
        f"{report.imported_count} {added}, {report.duplicate_count} there already, "
        f"{report.rejected_count} rejected"
    )


def _print_rejected(report: ImportReport) -> None:
    for row in report.rejected_rows:
        place = f"{row.file_name}, line {row.line}" if row.file_name else f"line {row.line}"
        put(f"{place}: {row.reason}", err=True)
    rest = report.rejected_count - len(report.rejected_rows)
    if rest > 0:
        put(f"and {rest} more", err=True)
