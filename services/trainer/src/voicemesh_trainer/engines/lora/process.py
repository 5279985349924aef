"""A training process, seen from the service: started, read, asked to pause, and always ended."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections import deque
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

from voicemesh_trainer.engines.lora.order import PAUSE, SAVED
from voicemesh_trainer.errors import TrainingFailedError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from voicemesh_trainer.engines.lora.order import Order

__all__ = ("TrainingProcess", "training_process")

_LONGEST_EVENT_BYTES = 1024 * 1024
_STDERR_LINES = 40
_STDERR_LINE_CHARACTERS = 500
_END_S = 5.0
_NICENESS = 10


class TrainingProcess:
    """A running one; made by `training_process`."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._last_words: deque[str] = deque(maxlen=_STDERR_LINES)

    async def send(self, line: str) -> None:
        """Sends a line; a process that has ended says why in `event`."""
        assert self._process.stdin is not None  # noqa: S101 - a fault of this package
        with suppress(ConnectionError):
            self._process.stdin.write(line.encode("ascii") + b"\n")
            await self._process.stdin.drain()

    async def pause(self) -> None:
        """Asks for a checkpoint and the end."""
        await self.send(PAUSE)

    async def checkpoint_taken(self) -> None:
        """Tells that the last checkpoint's file may go."""
        await self.send(SAVED)

    async def event(self) -> dict[str, Any]:
        """The next event.

        Raises:
            TrainingFailedError: if the process broke off; says how, with its last line.
        """
        assert self._process.stdout is not None  # noqa: S101 - a fault of this package
        try:
            line = await self._process.stdout.readline()
            if line:
                event: dict[str, Any] = json.loads(line)
                return event
        except ValueError as error:  # no JSON, or too long
            msg = "the training process talks nonsense"
            raise TrainingFailedError(msg) from error
        raise TrainingFailedError(await self._how_it_ended())

    async def _how_it_ended(self) -> str:
        with suppress(TimeoutError):
            async with asyncio.timeout(_END_S):
                await self._process.wait()
        status = self._process.returncode
        if status == -signal.SIGKILL:
            return "the training process was killed, perhaps for its memory"
        last = next(
            (line for line in reversed(self._last_words) if line.strip()), "it said nothing"
        )
        return f"the training process ended with status {status}: {last}"

    async def _hear(self) -> None:
        """Keeps the last lines of standard error, so that it never fills up."""
        assert self._process.stderr is not None  # noqa: S101 - a fault of this package
        rest = ""
        while chunk := await self._process.stderr.read(65_536):
            *lines, rest = (rest + chunk.decode("utf-8", "replace")).split("\n")
            rest = rest[-_STDERR_LINE_CHARACTERS:]
            self._last_words.extend(line[:_STDERR_LINE_CHARACTERS] for line in lines)
        self._last_words.append(rest)

    async def _end(self) -> None:
        """Kills what is left of it; it has nothing to lose."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        with suppress(TimeoutError):
            async with asyncio.timeout(_END_S):
                await self._process.wait()
        if self._process.stdin is not None:
            self._process.stdin.close()


@asynccontextmanager
async def training_process(
    python: Sequence[str], order: Order, *, memory_mib: int = 0
) -> AsyncIterator[TrainingProcess]:
    """A process that carries out an order; it is gone when the block ends, however it ends.

    Args:
        python: command of an interpreter with the extra `lora`.
        order: what to do.
        memory_mib: most memory that it may take, in MiB; 0 is as much as there is.

    Raises:
        TrainingFailedError: if it cannot be started.
    """
    arguments = ["-m", "voicemesh_trainer.engines.lora", str(_NICENESS), str(memory_mib)]
    try:
        started = await asyncio.create_subprocess_exec(
            *python,
            *arguments,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            limit=_LONGEST_EVENT_BYTES,
            process_group=0,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
    except OSError as error:
        msg = f"the training process cannot be started: {error.strerror}"
        raise TrainingFailedError(msg) from error
    process = TrainingProcess(started)
    hearing = asyncio.create_task(process._hear(), name="training process, standard error")
    try:
        await process.send(order.to_json())
        yield process
    finally:
        await process._end()
        hearing.cancel()
        with suppress(asyncio.CancelledError):
            await hearing
