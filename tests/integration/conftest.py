"""stt, tts and trainer with their real engines, as processes, for all tests of this directory."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from voicemesh_launcher.announcements import Announcements
from voicemesh_launcher.fleet import Fleet
from voicemesh_launcher.programs import read_programs, with_free_ports

START_S = 120


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def targets(
    models_dir: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[dict[str, str]]:
    """`host:port` of each running service, by its name."""
    environ = {
        **os.environ,
        "VOICEMESH_MODELS_DIR": str(models_dir),
        "VOICEMESH_TRAINER_BACKEND": "local",
    }
    programs = with_free_ports(read_programs({})[:3], environ, everywhere=True)
    log_dir = tmp_path_factory.mktemp("logs")
    lines: list[str] = []
    announcements = Announcements(programs, log_dir, lines.append)
    fleet = Fleet(programs, log_dir, announcements, environ=environ)
    running = asyncio.create_task(fleet.run())
    ready = asyncio.create_task(fleet.all_ready.wait())
    done, _ = await asyncio.wait(
        {running, ready}, timeout=START_S, return_when=asyncio.FIRST_COMPLETED
    )
    try:
        if ready not in done:
            pytest.fail("the services did not start:\n" + "\n".join(lines))
        yield {program.name: program.endpoints["grpc"].address for program in programs}
    finally:
        ready.cancel()
        fleet.stop()
        await running
