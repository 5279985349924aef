"""One sentence for a person instead of a traceback."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, NoReturn

import typer

from voicemesh_chassis.service import StartupError
from voicemesh_client.cli.texts import put
from voicemesh_client.errors import ServiceError, TlsMismatchError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ("complain", "plain_failures", "refuse_usage", "sentence_of")

_FAILED = 1
_WRONG_USAGE = 2


@contextmanager
def plain_failures() -> Iterator[None]:
    """Tells what went wrong in one sentence on standard error and exits with status 1."""
    try:
        yield
    except ServiceError as error:
        _fail(sentence_of(error), error)
    except StartupError as error:  # of a certificate file
        _fail(str(error), error)
    except OSError as error:
        what = f"{error.filename}: " if error.filename else ""
        _fail(f"{what}{(error.strerror or str(error)).lower()}", error)


def refuse_usage(sentence: str) -> NoReturn:
    """Tells in one sentence on standard error what was used wrongly and exits with status 2."""
    complain(sentence)
    raise typer.Exit(_WRONG_USAGE)


def sentence_of(error: ServiceError) -> str:
    """What went wrong, and which option mends it."""
    sentence = error.message
    if isinstance(error, TlsMismatchError):
        sentence += " (--ca-file before the command, or VOICEMESH_CLIENT_CA_FILE)"
    if error.retry_after_s is not None:
        sentence += f" (try again in {error.retry_after_s:g} s)"
    return sentence


def complain(sentence: str) -> None:
    """Writes an error to standard error."""
    # A person reads one line, whatever the service put into its message.
    put(f"error: {' '.join(sentence.split())}", err=True)


def _fail(sentence: str, cause: Exception) -> None:
    complain(sentence)
    raise typer.Exit(_FAILED) from cause
