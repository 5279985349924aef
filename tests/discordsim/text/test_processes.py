"""Bots as processes, and the redirection of discord.py."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

import pytest

from discordsim import BotProcessError

pytestmark = pytest.mark.integration

REDIRECT = ("-m", "discordsim.redirect")


async def _run(*arguments: str, environment: dict[str, str] | None = None) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, *REDIRECT, *arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=environment,
    )
    async with asyncio.timeout(30):
        output = (await process.communicate())[0].decode()
    return process.returncode or 0, output


async def test_a_program_or_a_module_sees_itself_as_started_by_python(
    town: Any, tmp_path: Path
) -> None:
    script = tmp_path / "program.py"
    script.write_text(
        "import sys, neighbour, discord.http\n"
        "assert __name__ == '__main__'\n"
        "print(sys.argv[1:], neighbour.NAME, discord.http.Route.BASE)\n"
    )
    (tmp_path / "neighbour.py").write_text("NAME = 'next door'\n")
    lines: list[str] = []

    for command in ((str(script),), ("-m", "program")):
        with pytest.raises(BotProcessError, match="ended with 0"):
            await town.sim.start_bot(
                *(sys.executable, *REDIRECT, *command, "x", "--y"),
                environment={"PYTHONPATH": f"{tmp_path}:{':'.join(sys.path)}"},
            ).start()
        lines.append(town.sim.transcript.lines[-2].text)

    assert lines == [f"Bot prints: ['x', '--y'] next door {town.sim.api_uri}"] * 2


async def test_without_its_variables_or_a_program_it_says_what_is_missing() -> None:
    assert await _run() == (1, "usage: python -m discordsim.redirect [-m] PROGRAM [ARGUMENTS]\n")
    code, output = await _run("program.py")
    assert (code, output) == (1, "DISCORD_API_URI is not set; see Simulator.environment\n")


async def test_a_killed_bot_is_gone_at_once_and_may_start_again(town: Any, start_bot: Any) -> None:
    bot = start_bot("everything")
    await bot.start()

    await bot.kill()

    assert bot.returncode == -9
    await town.sim.wait_until_offline(timeout_s=5)
    async with start_bot("everything"):
        assert town.sim.gateway.is_online(town.bot.id)


async def test_a_bot_that_never_logs_in_is_ended(town: Any) -> None:
    with pytest.raises(BotProcessError, match=r"did not log in in time(.|\n)*idle here"):
        await town.sim.start_bot(
            sys.executable, "-uc", "print('idle here'); import time; time.sleep(60)", ready_s=0.5
        ).start()

    assert "process has ended with -15" in town.sim.transcript.render()
