"""A guild on a simulated Discord, and the bot's ears in it as a process of their own."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from discordsim import Simulator

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from discordsim import Channel, Guild, Person, VoiceSettings

__all__ = ("Ears", "Workshop", "workshop")

_ANSWER_S = 60.0
_END_S = 15.0


class Ears:
    """The listening process; see `benchmarks.voice.ears`."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._turn = asyncio.Lock()

    @property
    def pid(self) -> int:
        """Its process."""
        return self._process.pid

    async def ask(self, do: str, **fields: object) -> dict[str, Any]:
        """What it answers.

        Raises:
            RuntimeError: it has ended, or does not answer.
        """
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None and stdout is not None  # noqa: PT018, S101 - both are pipes
        async with self._turn:
            stdin.write(json.dumps({"do": do, **fields}).encode() + b"\n")
            return await self._line(stdout)

    async def _line(self, stdout: asyncio.StreamReader) -> dict[str, Any]:
        async with asyncio.timeout(_ANSWER_S):
            line = await stdout.readline()
        if not line:
            msg = "the listening process has ended"
            raise RuntimeError(msg)
        found: dict[str, Any] = json.loads(line)
        return found

    async def ready(self) -> None:
        """Returns when it is logged in."""
        assert self._process.stdout is not None  # noqa: S101 - a pipe
        await self._line(self._process.stdout)

    async def aclose(self) -> None:
        """Lets it end."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            async with asyncio.timeout(_END_S):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()


@dataclass(frozen=True)
class Workshop:
    """Where it is heard."""

    sim: Simulator
    """The Discord."""
    guild: Guild
    """Its only guild."""
    bench: Channel
    """A voice channel."""
    yard: Channel
    """Another one."""
    ears: Ears
    """Who listens."""

    async def people(self, count: int) -> Sequence[Person]:
        """So many people on the bench, who hear nobody: that would be the greater load."""
        made = [
            self.sim.add_person(f"Person {number}", self.guild, listens_to=())
            for number in range(count)
        ]
        for person in made:
            await person.join(self.bench)
        return made

    def is_settled(self) -> bool:
        """Whether everybody in the bot's channel, the bot among them, has the keys of all."""
        bot_id = self.sim.bot.id
        state = self.sim.world.calls.state(self.guild.id, bot_id)
        if state is None or state.channel_id is None:
            return False
        server = self.sim.voice.server_of(self.guild.id)
        if not server.is_connected(self.guild.id, bot_id):
            return False
        call = server.call(self.guild.id, state.channel_id)
        alone = len(call.user_ids) == 1
        agreed = not call.dave.transitions and (
            alone or set(call.dave.members) == set(call.user_ids)
        )
        there = {each.user_id for each in self.sim.world.calls.in_channel(state.channel_id)}
        return agreed and there == set(call.user_ids)

    async def settle(self, timeout_s: float = 30.0) -> None:
        """Returns when `is_settled` holds.

        Raises:
            TimeoutError: it does not.
        """
        async with asyncio.timeout(timeout_s):
            while not self.is_settled():
                await asyncio.sleep(0.02)


@asynccontextmanager
async def workshop(
    *, stt: str = "", keeps: bool = False, settings: VoiceSettings | None = None
) -> AsyncIterator[Workshop]:
    """A Discord and a listening process until the block ends.

    Args:
        stt: `host:port` of a service to which all that is heard is sent.
        keeps: whether the process remembers what each packet was.
        settings: how voice servers behave.
    """
    async with Simulator(voice_settings=settings) as sim:
        guild = sim.add_guild("Workshop")
        bench = sim.add_voice_channel(guild, "Bench")
        yard = sim.add_voice_channel(guild, "Yard")
        variables = {"EARS_STT": stt, "EARS_KEEP": "1" if keeps else "0"}
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "benchmarks.voice.ears"),
            env=os.environ | sim.environment() | variables,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=1 << 24,
        )
        ears = Ears(process)
        try:
            await ears.ready()
            yield Workshop(sim, guild, bench, yard, ears)
        finally:
            await ears.aclose()
