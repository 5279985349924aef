"""Short looks into SQLite, each on a thread from beginning to end.

An answer waits for some of them. Through aiosqlite each statement is several errands to a thread
and back, which take many times as long as the statement.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection, Engine

__all__ = ("SqliteLookups",)

T = TypeVar("T")


class SqliteLookups:
    """Looks into a database by an engine of its own."""

    def __init__(self, engine: Engine, threads: int) -> None:
        """Takes an engine that gives each of so many threads a connection."""
        self._engine = engine
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="database")

    async def run(self, look: Callable[[Connection], T]) -> T:
        """What `look` makes of a consistent view. It goes on unheard if the caller is cancelled.

        Raises:
            OSError, sqlalchemy.exc.TimeoutError: if there is no connection.
        """
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._look, look)

    async def aclose(self) -> None:
        """Waits for those that look, and closes all connections."""
        await asyncio.to_thread(self._threads.shutdown)
        self._engine.dispose()

    def _look(self, look: Callable[[Connection], T]) -> T:
        with self._engine.connect() as connection, connection.begin():
            return look(connection)
