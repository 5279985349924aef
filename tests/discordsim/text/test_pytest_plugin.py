"""The plugin, in a pytest of its own."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.integration

SUITE = """
import pytest

@pytest.mark.discord_sim(bot_name="Helper")
async def test_that_fails(discord_sim):
    guild = discord_sim.add_guild("Workshop")
    text = discord_sim.add_channel(guild, "general")
    ann = discord_sim.add_person("Ann", guild)
    await ann.type(text, "is anybody there?")
    assert discord_sim.is_lonely

async def test_that_passes(discord_sim):
    assert discord_sim.api_uri.startswith("http://127.0.0.1:")
"""


async def test_a_failure_shows_what_happened(tmp_path: Path) -> None:
    (tmp_path / "pytest.ini").write_text("[pytest]\nasyncio_mode = auto\ndiscordsim_lines = 3\n")
    (tmp_path / "test_bot.py").write_text(SUITE)
    command = ["-m", "pytest", "-p", "discordsim.pytest_plugin", "-p", "no:cacheprovider", "-q"]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, *command, str(tmp_path)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        cwd=tmp_path,
    )
    async with asyncio.timeout(60):
        output = (await process.communicate())[0].decode()

    assert "1 failed, 1 passed" in output
    _, _, shown = output.partition("what happened on the simulated Discord")
    story = shown.splitlines()[1:5]
    assert "lines before" in story[0]
    assert "Ann comes into the guild" in story[1]
    assert story[3].endswith("Ann writes in #general: 'is anybody there?'")
