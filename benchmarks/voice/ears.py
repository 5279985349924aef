"""The bot's ears as a process of their own: `python -m benchmarks.voice.ears`, driven by stdin.

discord.py as it is, the bot's `VoiceConnection` and, where stt is named, its `Listening`: what
hears people in the real bot, and nothing that answers them. One request a line comes in, one answer
a line goes out, both JSON.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import resource
import sys
import threading
import time
import zlib
from collections import Counter, defaultdict
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import discord
from discord.voice_state import VoiceConnectionState

from voicemesh_bot.clients.stt import SttSpeechToText
from voicemesh_bot.conversation.events import Heard, HearingLost
from voicemesh_bot.discord_front.login import DiscordAddresses, use_addresses
from voicemesh_bot.discord_front.voice_connection import (
    ConnectionOptions,
    VoiceConnection,
    VoiceStatus,
)
from voicemesh_bot.domain import Final, OpusPacket
from voicemesh_bot.listening import Listening, ListeningOptions, Manner
from voicemesh_bot.voice.errors import JoinError
from voicemesh_bot.voice.receive.receiver import ReceiveOptions
from voicemesh_bot.voice.receive.recovery import RecoveryOptions
from voicemesh_bot.voice.receive.rtp import SILENCE
from voicemesh_client import SpeechToText

if TYPE_CHECKING:
    from collections.abc import Sequence

    from voicemesh_bot.conversation.events import Event
    from voicemesh_bot.voice.receive.packets import VoicePacket

_FOUND_S = 10.0
_MOMENTARY = "ClientWebSocketResponse.receive"
"""A task of each wait for a message, which is there or not by the moment."""
_OPTIONS = ConnectionOptions(
    receive=ReceiveOptions(recovery=RecoveryOptions(stable_s=0.2, most_retries=20))
)
"""As by default, but for what is thought of a connection that is lost every other second."""


class _Ears:
    """A voice connection, and what came of what it heard."""

    def __init__(self, client: discord.Client, stt: SpeechToText | None, *, keeps: bool) -> None:
        self._client = client
        self._stt = None if stt is None else SttSpeechToText(stt)
        self._keeps = keeps
        self._listening: dict[int, tuple[Listening, asyncio.Task[None]]] = {}
        self._packets = 0
        self._kept: dict[int, list[int]] = defaultdict(list)
        self._finals: dict[int, list[str]] = defaultdict(list)
        self._troubles: list[str] = []
        self._statuses: list[VoiceStatus] = []
        self._voice = VoiceConnection(
            wanted=lambda _: True,
            on_packets=self._take,
            on_status=self._statuses.append,
            options=_OPTIONS,
        )

    async def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """Does what is asked."""
        match request["do"]:
            case "join":
                return await self._join(request["channel"])
            case "leave":
                await self._voice.leave()
            case "hang_up":
                await self._hang_up()
            case "collect":
                gc.collect()
                return {"connections": _connections()}
            case "report":
                return self._report()
            case "heard":
                return self._heard()
        return {}

    async def _join(self, channel_id: int) -> dict[str, Any]:
        async with asyncio.timeout(_FOUND_S):
            while (channel := self._client.get_channel(channel_id)) is None:
                await asyncio.sleep(0.01)
        assert isinstance(channel, discord.VoiceChannel | discord.StageChannel)  # noqa: S101
        try:
            await self._voice.join(channel)
        except JoinError as error:
            return {"error": str(error)}
        return {}

    async def _hang_up(self) -> None:
        """Ends all streams to stt, after their open turns."""
        for _, task in self._listening.values():
            task.cancel()
        await asyncio.gather(
            *(task for _, task in self._listening.values()), return_exceptions=True
        )
        self._listening.clear()

    def _take(self, packets: Sequence[VoicePacket]) -> None:
        self._packets += len(packets)
        for packet in packets:
            if self._keeps and packet.opus != SILENCE:
                self._kept[packet.user_id].append(zlib.crc32(packet.opus))
            if self._stt is not None:
                sound = OpusPacket(packet.opus, packet.sequence, packet.timestamp)
                self._listening_to(packet.user_id, self._stt).hear(sound)

    def _listening_to(self, user_id: int, stt: SttSpeechToText) -> Listening:
        if user_id not in self._listening:
            manner = Manner(sample_rate_hertz=None)
            listening = Listening(str(user_id), manner, stt, self._post, ListeningOptions())
            task = asyncio.create_task(listening.run(), name="listening")
            self._listening[user_id] = listening, task
        return self._listening[user_id][0]

    async def _post(self, event: Event) -> None:
        if isinstance(event, Heard) and isinstance(event.event, Final):
            if event.event.text:
                self._finals[int(event.speaker)].append(event.event.text)
        elif isinstance(event, HearingLost) and event.problem is not None:
            self._troubles.append(str(event.problem))

    def _heard(self) -> dict[str, Any]:
        """What has been kept since the last time, by user id."""
        found = {
            "packets": {str(each): kept for each, kept in self._kept.items()},
            "finals": {str(each): texts for each, texts in self._finals.items()},
            "troubles": self._troubles,
        }
        self._kept, self._finals, self._troubles = defaultdict(list), defaultdict(list), []
        return found

    def _report(self) -> dict[str, Any]:
        """What this process has used and holds, and what it has counted."""
        counters = self._voice.counters
        used = resource.getrusage(resource.RUSAGE_SELF)
        return {
            "time_s": time.monotonic(),
            "cpu_s": used.ru_utime + used.ru_stime,
            "memory_mib": _memory_mib(),
            "tasks": sorted(
                name for task in asyncio.all_tasks() if (name := _name(task)) != _MOMENTARY
            ),
            "threads": sorted(thread.name for thread in threading.enumerate()),
            "sockets": _sockets(),
            "connected": self._voice.is_connected,
            "channel": self._voice.channel_id,
            "counters": dict(counters.totals),
            "of_people": {str(each): dict(counters.of(each)) for each in counters.user_ids},
            "statuses": [(each.phase.value, each.sentence) for each in self._statuses],
        }

    async def aclose(self) -> None:
        """Ends everything."""
        await self._voice.leave()
        await self._hang_up()


def _connections() -> int:
    """Voice connections of discord.py that something still holds."""
    return sum(isinstance(each, VoiceConnectionState) for each in gc.get_objects())


def _name(task: asyncio.Task[Any]) -> str:
    """What a task does, without the numbers that tell two of a kind apart."""
    name = task.get_name()
    return getattr(task.get_coro(), "__qualname__", name) if name.startswith("Task-") else name


def _memory_mib() -> float:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / 2**20


def _sockets() -> int:
    links: Counter[str] = Counter()
    for link in Path("/proc/self/fd").iterdir():
        try:
            links[os.readlink(link).partition(":")[0]] += 1
        except FileNotFoundError:
            continue  # the one by which the directory was read
    return links["socket"]


async def _serve(ears: _Ears) -> None:
    """Answers requests until there are no more."""
    reader = asyncio.StreamReader(limit=1 << 24)
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    while line := await reader.readline():
        print(json.dumps(await ears.answer(json.loads(line))), flush=True)


async def _main() -> None:
    variables = os.environ
    use_addresses(DiscordAddresses(variables["DISCORD_API_URI"], variables["DISCORD_GATEWAY_URI"]))
    async with AsyncExitStack() as open_parts:
        target = variables.get("EARS_STT")
        stt = await open_parts.enter_async_context(SpeechToText(target)) if target else None
        client = discord.Client(intents=discord.Intents(guilds=True, voice_states=True))
        await open_parts.enter_async_context(client)
        running = asyncio.create_task(client.start(variables["DISCORD_TOKEN"]))
        await _ready(client, running)
        ears = _Ears(client, stt, keeps=variables.get("EARS_KEEP") == "1")
        print(json.dumps({"ready": True}), flush=True)
        await _serve(ears)
        await ears.aclose()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def _ready(client: discord.Client, running: asyncio.Task[None]) -> None:
    """Returns when logged in; whatever ends the login is raised."""
    while not client.is_ready():
        if running.done():
            running.result()
        await asyncio.sleep(0.02)


if __name__ == "__main__":
    asyncio.run(_main())
