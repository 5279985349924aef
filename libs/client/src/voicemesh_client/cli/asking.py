"""One piece of work with a client of the trainer, and how its results are shown."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeVar

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from voicemesh_client.cli.options import connection
from voicemesh_client.cli.texts import harmless

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable
    from datetime import datetime

    from voicemesh_client.connection import Connection
    from voicemesh_client.service_client import ServiceClient

__all__ = ("asked", "show_table", "size_of", "time_of")

Client = TypeVar("Client", bound="ServiceClient[Any]")
Answer = TypeVar("Answer")

_PLAIN_WIDTH = 160
_KIB = 1024


def asked(
    make: Callable[[Connection], Client],
    target: str,
    token: str | None,
    work: Callable[[Client], Awaitable[Answer]],
) -> Answer:
    """What the work with a client gives; the client is closed after it.

    Args:
        make: the class of the client.
        target: address of the service.
        token: token, where the service wants one.
        work: what to do with the client.
    """

    async def run() -> Answer:
        async with make(connection(target, token)) as client:
            return await work(client)

    return asyncio.run(run())


def show_table(headings: Iterable[str], rows: Iterable[Iterable[str]]) -> None:
    """Prints a table; in a pipe it is not cut to the 80 columns of an imagined terminal."""
    table = Table(box=None, pad_edge=False)
    for heading in headings:
        table.add_column(heading, overflow="fold")
    for row in rows:
        table.add_row(*(escape(harmless(cell)) for cell in row))
    console = Console()
    (console if console.is_terminal else Console(width=_PLAIN_WIDTH)).print(table)


def time_of(time: datetime | None) -> str:
    """A time as people read it, in UTC; empty if it is not known."""
    return "" if time is None else f"{time:%Y-%m-%d %H:%M:%S}"


def size_of(byte_count: float) -> str:
    """A size as people read it."""
    for unit in ("B", "KiB", "MiB"):
        if byte_count < _KIB:
            return f"{byte_count:.0f} B" if unit == "B" else f"{byte_count:.1f} {unit}"
        byte_count /= _KIB
    return f"{byte_count:.1f} GiB"
