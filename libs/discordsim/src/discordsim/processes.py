"""A bot as a process of its own."""

from __future__ import annotations

import asyncio
import os
from collections import deque
from typing import TYPE_CHECKING, Self

from discordsim.errors import BotProcessError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from types import TracebackType

__all__ = ("BotProcess",)

_LAST_LINES = 60
_LONGEST_LINE = 1 << 20
_END_S = 10.0


class BotProcess:
    """Runs a program with the variables of a simulator; what it prints goes into the transcript.

    As an async context manager it is ready inside the block, and has ended after it.
    """

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        *,
        name: str,
        record: Callable[[str], None],
        ready: Callable[[], Awaitable[None]],
    ) -> None:
        """Make one that does not run; `Simulator.start_bot` does.

        Args:
            command: the program and its arguments.
            environment: variables on top of those of this process.
            name: what the transcript calls it.
            record: writes a line of the transcript.
            ready: returns when the bot has logged in.
        """
        self._command = tuple(command)
        self._environment = {**os.environ, **environment}
        self._name = name
        self._record = record
        self._ready = ready
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None
        self._output: deque[str] = deque(maxlen=_LAST_LINES)

    @property
    def pid(self) -> int | None:
        """The process id, while it runs."""
        return None if self._process is None else self._process.pid

    @property
    def returncode(self) -> int | None:
        """How it has ended, or None."""
        return None if self._process is None else self._process.returncode

    @property
    def output(self) -> str:
        """The last lines that it has printed."""
        return "\n".join(self._output)

    async def start(self) -> None:
        """Start it and wait until it is logged in.

        Raises:
            BotProcessError: it ended before, or did not log in in time.
        """
        self._process = await asyncio.create_subprocess_exec(
            *self._command,
            env=self._environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            limit=_LONGEST_LINE,
        )
        self._record(f"{self._name} starts as process {self._process.pid}")
        self._reader = asyncio.create_task(self._read(), name="discordsim bot output")
        ready = asyncio.ensure_future(self._ready())
        ended = asyncio.ensure_future(self._process.wait())
        try:
            await asyncio.wait({ready, ended}, return_when=asyncio.FIRST_COMPLETED)
            if not ready.done() or ready.exception() is not None:
                await self._fail()
        except asyncio.CancelledError:
            await self.kill()
            raise
        finally:
            for future in (ready, ended):
                future.cancel()
            await asyncio.wait({ready, ended})

    async def _fail(self) -> None:
        code = self.returncode
        why = "did not log in in time" if code is None else f"ended with {code}"
        await self.aclose()
        raise BotProcessError(f"{self._name} {why}; its last words:\n{self.output}")

    async def kill(self) -> None:
        """End it at once, as a crash would."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
        await self._gone()

    async def aclose(self) -> None:
        """Ask it to end, and end it if it does not within ten seconds."""
        process = self._process
        if process is not None and process.returncode is None:
            process.terminate()
            try:
                await asyncio.wait_for(process.wait(), _END_S)
            except TimeoutError:
                self._record(f"{self._name} does not end; it is killed")
                process.kill()
        await self._gone()

    async def _gone(self) -> None:
        if self._process is not None:
            await self._process.wait()
            self._record(f"{self._name}'s process has ended with {self._process.returncode}")
        if self._reader is not None:
            # Children of the bot may hold its output open; nobody waits for them.
            await asyncio.wait({self._reader}, timeout=1.0)
            self._reader.cancel()
            await asyncio.wait({self._reader})
            self._reader = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def _read(self) -> None:
        assert self._process is not None  # noqa: S101 - started
        assert self._process.stdout is not None  # noqa: S101 - piped
        while line := await self._process.stdout.readline():
            text = line.decode(errors="replace").rstrip()
            self._output.append(text)
            self._record(f"{self._name} prints: {text}")
