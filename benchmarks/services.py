"""Services as their users run them: processes of their own, reached over gRPC with the SDK."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
import sys
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import aiohttp

from voicemesh_client import Connection
from voicemesh_client.health import Health, check_health

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

__all__ = ("Served", "free_ports", "memory_mib", "serving")

_START_S = 60.0
_PAGES_PER_MIB = 2**20 / os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class Served:
    """A running service."""

    connection: Connection
    """How to call it."""
    http_url: str
    """Where its metrics are."""
    pid: int
    """Its process."""

    async def metric(self, name: str) -> float:
        """A figure of its metrics, added up over labels."""
        async with aiohttp.ClientSession() as http, http.get(f"{self.http_url}/metrics") as page:
            found = re.findall(rf"^{name}(?:{{.*}})? (\S+)$", await page.text(), re.MULTILINE)
        return sum(map(float, found))

    async def cpu_s(self) -> float:
        """Processor time it has used, in seconds; that of its children is left out."""
        return await self.metric("process_cpu_seconds_total")

    def memory_mib(self) -> float:
        """Memory that it and its children hold."""
        return memory_mib(self.pid)


@asynccontextmanager
async def serving(service: str, **settings: str) -> AsyncIterator[Served]:
    """A service with its defaults until the block ends.

    Args:
        service: such as `stt`; the command is `voicemesh-stt`.
        settings: what is not as by default; `queue__workers="1"` is `VOICEMESH_STT_QUEUE__WORKERS`.
    """
    port, metrics_port = free_ports()
    chosen = {
        "server__port": str(port),
        "server__metrics_port": str(metrics_port),
        "log__level": "warning",
        **settings,
    }
    prefix = f"VOICEMESH_{service.upper()}_"
    environment = os.environ | {prefix + name.upper(): value for name, value in chosen.items()}
    command = Path(sys.executable).parent / f"voicemesh-{service}"
    process = await asyncio.create_subprocess_exec(str(command), env=environment)
    try:
        connection = Connection(f"127.0.0.1:{port}", timeout_s=120)
        async with asyncio.timeout(_START_S):
            while await check_health(connection) is not Health.SERVING:
                await asyncio.sleep(0.1)
        yield Served(connection, f"http://127.0.0.1:{metrics_port}", process.pid)
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        await asyncio.wait_for(process.wait(), 60)


def free_ports() -> tuple[int, int]:
    """Two ports of this machine that nobody listens on."""
    with socket.socket() as first, socket.socket() as second:
        first.bind(("127.0.0.1", 0))
        second.bind(("127.0.0.1", 0))
        return first.getsockname()[1], second.getsockname()[1]


def memory_mib(pid: int) -> float:
    """Resident memory of a process and of those it has started; of Linux."""
    parents, pages = {}, {}
    for directory in Path("/proc").glob("[0-9]*"):
        try:
            # The name in brackets may hold anything; the parent is the second field after it.
            after_name = (directory / "stat").read_text(encoding="utf-8").rpartition(")")[2]
            held = int((directory / "statm").read_text(encoding="ascii").split()[1])
        except (FileNotFoundError, ProcessLookupError):
            continue  # it has ended meanwhile
        parents[int(directory.name)] = int(after_name.split()[1])
        pages[int(directory.name)] = held
    family = {pid}
    while grown := {child for child, parent in parents.items() if parent in family} - family:
        family |= grown
    return sum(pages.get(member, 0) for member in family) / _PAGES_PER_MIB
