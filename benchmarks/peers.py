"""Other people's programs, in environments of their own (`requirements/peers-*.txt`)."""

from __future__ import annotations

import asyncio
import subprocess
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.services import free_ports

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

__all__ = ("PeerServer", "peer_serving", "peer_version")

_ROOT = Path(__file__).resolve().parents[1] / ".cache" / "benchmarks"
_START_S = 60.0


class PeerServer:
    """A server that runs, on a TCP port of this machine."""

    def __init__(self, port: int, pid: int) -> None:
        self.port = port
        self.pid = pid


def peer_version(group: str, name: str) -> str:
    """The version of a package in the environment of `requirements/peers-<group>.txt`."""
    code = f"from importlib.metadata import version; print(version({name!r}))"
    command = [_python(group), "-c", code]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@asynccontextmanager
async def peer_serving(group: str, module: str, *options: str) -> AsyncIterator[PeerServer]:
    """A Wyoming server until the block ends.

    Args:
        group: of whose environment it is.
        module: what to run.
        options: its command line, but for `--uri`.
    """
    port, _ = free_ports()
    command = [_python(group), "-m", module, "--uri", f"tcp://127.0.0.1:{port}", *options]
    process = await asyncio.create_subprocess_exec(
        *command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        async with asyncio.timeout(_START_S):
            while not await _listens(port):
                if process.returncode is not None:
                    msg = f"{module} has ended with {process.returncode} instead of serving"
                    raise RuntimeError(msg)
                await asyncio.sleep(0.2)
        yield PeerServer(port, process.pid)
    finally:
        if process.returncode is None:
            process.terminate()
        await asyncio.wait_for(process.wait(), 30)


def _python(group: str) -> str:
    return str(_ROOT / f"peers-{group}" / "bin" / "python")


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True
