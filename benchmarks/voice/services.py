"""The whole product as its users run it, and people with it in a voice channel.

stt, tts, the trainer and the bot are processes of their own; the bot is an unmodified discord.py on
a simulated Discord, with end-to-end encryption. The people are in this process.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from benchmarks.services import free_ports
from benchmarks.voice.peer import ASSISTANT, MAX_TOKENS
from discordsim import Simulator
from voicemesh_client import Connection
from voicemesh_client.health import Health, check_health

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from discordsim import Channel, Guild, Person

__all__ = ("BACKENDS", "Backend", "Room", "room")

BACKENDS = ("stt", "tts", "trainer")
_START_S = 60.0
_JOIN_S = 20.0


class Backend:
    """A service on ports that stay the same however often it is started."""

    def __init__(self, name: str, directory: Path) -> None:
        self.name = name
        self.port, self._metrics_port = free_ports()
        self._directory = directory
        self._process: asyncio.subprocess.Process | None = None

    @property
    def target(self) -> str:
        """Where it is."""
        return f"127.0.0.1:{self.port}"

    async def start(self) -> None:
        """Starts it, and returns when it serves."""
        prefix = f"VOICEMESH_{self.name.upper()}_"
        environment = os.environ | {
            f"{prefix}SERVER__PORT": str(self.port),
            f"{prefix}SERVER__METRICS_PORT": str(self._metrics_port),
            f"{prefix}LOG__LEVEL": "error",
            "XDG_STATE_HOME": str(self._directory),
        }
        command = Path(sys.executable).parent / f"voicemesh-{self.name}"
        self._process = await asyncio.create_subprocess_exec(
            str(command), env=environment, start_new_session=True
        )
        connection = Connection(self.target, timeout_s=5)
        async with asyncio.timeout(_START_S):
            while await check_health(connection) is not Health.SERVING:
                await asyncio.sleep(0.1)

    async def kill(self) -> None:
        """Ends it and its children as a crash would."""
        if self._process is not None and self._process.returncode is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            await self._process.wait()

    async def aclose(self) -> None:
        """Lets it end."""
        if self._process is not None and self._process.returncode is None:
            self._process.terminate()
            await asyncio.wait_for(self._process.wait(), _START_S)


@dataclass(frozen=True)
class Room:
    """A voice channel in which the bot listens to one person."""

    sim: Simulator
    """The Discord."""
    guild: Guild
    """Its only guild."""
    chat: Channel
    """Where people write."""
    bench: Channel
    """Where people speak."""
    person: Person
    """Who has agreed to be heard."""
    backends: dict[str, Backend]
    """The services by name."""
    event_log: Path
    """What the bot writes down."""

    @property
    def bot_id(self) -> int:
        """The bot's account."""
        return self.sim.bot.id

    def events(self) -> list[dict[str, Any]]:
        """The lines of the event log so far that have a time."""
        lines = self.event_log.read_text(encoding="utf-8").splitlines(keepends=True)
        found = [json.loads(line) for line in lines if line.endswith("\n")]
        return [line for line in found if "t_s" in line]


@asynccontextmanager
async def room(**settings: str) -> AsyncIterator[Room]:
    """Everything started, the bot in the channel and silent, until the block ends.

    Args:
        settings: of the bot that are not as by default; `record__event_log_words="true"` is
            `VOICEMESH_BOT_RECORD__EVENT_LOG_WORDS`.
    """
    async with AsyncExitStack() as open_parts:
        directory = Path(open_parts.enter_context(TemporaryDirectory()))
        backends = {name: Backend(name, directory) for name in BACKENDS}
        for backend in backends.values():
            open_parts.push_async_callback(backend.aclose)
            await backend.start()
        sim = await open_parts.enter_async_context(Simulator(bot_name=ASSISTANT))
        guild = sim.add_guild("Workshop")
        chat, bench = sim.add_channel(guild, "chat"), sim.add_voice_channel(guild, "Bench")
        person = sim.add_person("Ann", guild)
        event_log = directory / "turns.jsonl"
        port, metrics_port = free_ports()
        console_port, _ = free_ports()
        chosen = {
            "server__port": str(port),
            "server__metrics_port": str(metrics_port),
            "console__port": str(console_port),
            "log__level": "error",
            "storage__data_dir": str(directory / "bot"),
            "record__event_log": str(event_log),
            "conversation__max_output_tokens": str(MAX_TOKENS),
            **{f"{name}__target": backend.target for name, backend in backends.items()},
            **settings,
        }
        bot = sim.start_bot(
            str(Path(sys.executable).parent / "voicemesh-bot"),
            prefix="VOICEMESH_BOT_DISCORD__",
            environment={f"VOICEMESH_BOT_{name.upper()}": chosen[name] for name in chosen},
            ready_s=_START_S,
        )
        await open_parts.enter_async_context(bot)
        made = Room(sim, guild, chat, bench, person, backends, event_log)
        await _join(made)
        yield made


async def _join(made: Room) -> None:
    """Brings the bot into the channel, lets it listen, and waits until it has greeted."""
    person = made.person
    await person.join(made.bench)
    await (await person.slash(made.chat, "join")).response()
    greeting = await person.wait_for_message(made.chat, contains="listen", timeout_s=_JOIN_S)
    await (await person.click(greeting, "You may listen to me")).response()
    await person.wait_for_sound(made.bot_id, timeout_s=_JOIN_S)
    await person.wait_for_quiet(made.bot_id, for_s=1.5)
