"""A program as a process: started in a group of its own, read, signalled, awaited."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from voicemesh_launcher.output import Output
    from voicemesh_launcher.programs import Program

__all__ = ("Child",)

_CHUNK_BYTES = 65_536
_LAST_WORDS_S = 1.0


class Child:
    """One run of a program.

    It has a process group of its own, so that Ctrl-C at the terminal reaches the launcher alone
    and whatever the program starts can be ended with it.
    """

    def __init__(self, process: asyncio.subprocess.Process, output: Output) -> None:
        self._process = process
        self._output = output

    @classmethod
    async def start(cls, program: Program, environ: Mapping[str, str], output: Output) -> Child:
        """Starts the program.

        Args:
            program: what to run.
            environ: the environment, before the program's own variables.
            output: takes what it writes.

        Raises:
            OSError: if the system starts no process.
        """
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "voicemesh_launcher.tether",
            str(os.getpid()),
            program.module,
            # Held open and never written to; see `tether`.
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env={**environ, **program.variables, "PYTHONUNBUFFERED": "1"},
            process_group=0,
        )
        return cls(process, output)

    @property
    def pid(self) -> int:
        """The process id, which is that of its group too."""
        return self._process.pid

    async def ended(self) -> int:
        """Waits for the end of the process; returns its status, -n for signal n.

        Cancelling it kills the program.
        """
        reading = asyncio.create_task(self._read(), name=f"read {self.pid}")
        try:
            return await self._process.wait()
        finally:
            self.kill()
            with suppress(TimeoutError):
                async with asyncio.timeout(_LAST_WORDS_S):
                    await self._finish(reading)
            reading.cancel()
            self._output.end_line()

    async def _finish(self, reading: asyncio.Task[None]) -> None:
        """Reaps the process, takes its last words and gives its pipes back."""
        await self._process.wait()
        await reading
        if self._process.stdin is not None:
            self._process.stdin.close()
            with suppress(ConnectionError):
                await self._process.stdin.wait_closed()

    async def _read(self) -> None:
        stream = self._process.stdout
        while stream is not None and (written := await stream.read(_CHUNK_BYTES)):
            self._output.feed(written)

    def terminate(self) -> None:
        """Asks the program to stop."""
        with suppress(ProcessLookupError):
            self._process.terminate()

    def kill(self) -> None:
        """Ends the program and whatever it has started, at once."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
