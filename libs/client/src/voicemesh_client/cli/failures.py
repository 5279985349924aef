"""One sentence for a person instead of a traceback."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

from voicemesh_chassis.service import StartupError
from voicemesh_client.errors import ServiceError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ("plain_failures",)

_FAILED = 1


@contextmanager
def plain_failures() -> Iterator[None]:
    """Tells what went wrong in one sentence on standard error and exits with status 1."""
    try:
        yield
    except ServiceError as error:
        _fail(_sentence(error), error)
    except StartupError as error:  # of a certificate file
        _fail(str(error), error)
    except OSError as error:
        what = f"{error.filename}: " if error.filename else ""
        _fail(f"{what}{(error.strerror or str(error)).lower()}", error)


def _sentence(error: ServiceError) -> str:
    sentence = error.message
    if error.retry_after_s is not None:
        sentence += f" (try again in {error.retry_after_s:g} s)"
    return sentence


def _fail(sentence: str, cause: Exception) -> None:
    # A person reads one line, whatever the service put into its message.
    typer.echo(f"error: {' '.join(sentence.split())}", err=True)
    raise typer.Exit(_FAILED) from cause
