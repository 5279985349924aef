"""The command `discordsim` as somebody at a terminal uses it."""

from __future__ import annotations

import asyncio
import struct
import sys
import wave
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

pytestmark = pytest.mark.integration

BOT = Path(__file__).parents[1] / "bots" / "everything.py"


class Terminal:
    """Types lines and reads what comes."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.read = ""

    def type(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n".encode())

    async def see(self, text: str) -> None:
        """Reads until a line has `text`."""
        assert self._process.stdout is not None
        async with asyncio.timeout(20):
            while line := (await self._process.stdout.readline()).decode():
                self.read += line
                if text in line:
                    return
        pytest.fail(f"{text!r} is not in:\n{self.read}")

    async def end(self) -> int:
        assert self._process.stdin is not None
        self._process.stdin.close()
        async with asyncio.timeout(20):
            return await self._process.wait()


@asynccontextmanager
async def terminal(*arguments: str) -> AsyncIterator[Terminal]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "discordsim", *arguments),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        yield Terminal(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def test_people_talk_to_a_bot_from_the_prompt(tmp_path: Path) -> None:
    note = tmp_path / "note.txt"
    note.write_text("noted")
    bot = f"{sys.executable} -m discordsim.redirect {BOT}"
    async with terminal("--bot", bot) as prompt:
        await prompt.see("PUT /applications")
        await prompt.see("logs in to the gateway")

        prompt.type("Ann: !ask")
        await prompt.see("'Shall we?', with components")
        prompt.type("Ben click Yes")
        await prompt.see("'Ben said yes'")
        prompt.type("Ann /config level number=3")
        await prompt.see("for Ann only: 'level 3'")
        prompt.type("Ann /who person=Ben")
        await prompt.see("'Ben, 0 bytes'")
        prompt.type("Ann /config level number=many")
        await prompt.see("! 'many' is no number")
        prompt.type("Ann react 🎉")
        await prompt.see("Bot reacts with 🎉")
        prompt.type(f"Ann upload {note}")
        await prompt.see("file 'note.txt' (5 bytes)")
        prompt.type("Ann in bot")
        prompt.type("Ann: !history")
        await prompt.see("Bot writes in direct messages: '!history'")
        prompt.type("Zoe: hello")
        await prompt.see("! there is no Zoe; there is: Ann, Ben")
        prompt.type("what")
        await prompt.see("NAME: TEXT")
        assert await prompt.end() == 0


async def test_people_speak_and_hear_from_the_prompt(tmp_path: Path) -> None:
    heard, spoken = tmp_path / "heard.wav", tmp_path / "spoken.wav"
    with wave.open(str(spoken), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(48_000)
        file.writeframes(struct.pack("<48000h", *(8000 * (n // 50 % 2) for n in range(48_000))))
    async with terminal() as prompt:
        await prompt.see("export DISCORD_TOKEN=")
        await prompt.see("export SSL_CERT_FILE=")
        for line in ("Ann join Voice", "Ben join Voice", f"Ann say {spoken}"):
            prompt.type(line)
        await prompt.see("Ann is silent after")
        prompt.type(f"Ben hear {heard}")
        prompt.type("Ben leave")
        await prompt.see("Ben leaves Voice")
        prompt.type("quit")
        assert await prompt.end() == 0
    assert heard.stat().st_size > 48_000


async def test_a_wrong_world_file_ends_the_command(tmp_path: Path) -> None:
    path = tmp_path / "world.toml"
    path.write_text("")
    async with terminal(str(path)) as prompt:
        await prompt.see("there is no [[guilds]]")
        assert await prompt.end() == 1
