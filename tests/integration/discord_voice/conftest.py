"""A simulated Discord, and the bot in it on an unmodified discord.py, all in one process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from typing import Any

import aiohttp
import discord
import numpy as np
import pytest
from discord.gateway import DiscordWebSocket
from discord.http import Route
from yarl import URL

from discordsim import Channel, Guild, Person, Simulator, Speech
from voicemesh_bot.discord_front.dave import DiscordCall
from voicemesh_bot.discord_front.voice_connection import (
    ConnectionOptions,
    VoiceConnection,
    VoicePhase,
    VoiceStatus,
)
from voicemesh_bot.voice.receive.packets import VoicePacket
from voicemesh_bot.voice.receive.receiver import ReceiveOptions
from voicemesh_bot.voice.receive.recovery import RecoveryOptions

SILENCE = b"\xf8\xff\xfe"

QUICK = ConnectionOptions(
    join_timeout_s=8.0,
    watch_s=0.1,
    keepalive_s=0.3,
    receive=ReceiveOptions(
        recovery=RecoveryOptions(
            most_failures=20, unready_s=1.5, settle_s=2.0, stalled_s=2.5, stable_s=0.1
        )
    ),
)
"""As by default, but for less patience: a test has not so long."""


def pytest_configure(config: pytest.Config) -> None:
    """Load the plugin where discordsim is on the path and not installed."""
    if not config.pluginmanager.has_plugin("discordsim.pytest_plugin"):
        config.pluginmanager.import_plugin("discordsim.pytest_plugin")


class Room:
    """A guild with two voice channels, a bot, and what the bot hears."""

    def __init__(self, sim: Simulator, client: discord.Client) -> None:
        self.sim = sim
        self.client = client
        self.guild: Guild = sim.add_guild("Workshop")
        self.bench: Channel = sim.add_voice_channel(self.guild, "Bench")
        self.yard: Channel = sim.add_voice_channel(self.guild, "Yard")
        self.packets: list[VoicePacket] = []
        self.statuses: list[VoiceStatus] = []
        self.unwanted: set[int] = set()
        self._changed = asyncio.Event()
        self.voice = VoiceConnection(
            wanted=lambda user_id: user_id not in self.unwanted,
            on_packets=self._take,
            on_status=self._note,
            options=QUICK,
        )

    def _take(self, packets: Sequence[VoicePacket]) -> None:
        self.packets += packets
        self._changed.set()

    def _note(self, status: VoiceStatus) -> None:
        self.sim.transcript.write(f"voicemesh: {status}")
        self.statuses.append(status)
        self._changed.set()

    async def person(self, name: str, **options: Any) -> Person:
        """Somebody on the bench."""
        made = self.sim.add_person(name, self.guild, **options)
        await made.join(self.bench)
        return made

    async def join(self, channel: Channel | None = None) -> None:
        wanted = channel or self.bench
        await self.until(lambda: self.client.get_channel(wanted.id) is not None)
        found = self.client.get_channel(wanted.id)
        assert isinstance(found, discord.VoiceChannel)
        await self.voice.join(found)
        if len(found.voice_states) > 1:
            await self.until(self.is_in_group)

    def is_in_group(self) -> bool:
        """Whether people send what the bot can decrypt: until then they use the keys of before."""
        client = self.voice._client
        if client is None or not client.is_connected():
            return False
        place = self.sim.world.calls.state(self.guild.id, self.sim.bot.id)
        if place is None or place.channel_id is None:
            return False
        there = self.sim.voice.server_of(self.guild.id).call(self.guild.id, place.channel_id)
        if self.sim.bot.id not in there.user_ids:
            return False  # It has been moved, and is not there yet.
        call = DiscordCall(client._connection)
        return call.encryption is not None and (
            call.encryption.ready and not call.transition_pending
        )

    def voice_is_settled(self) -> bool:
        """Whether the bot and everybody beside it have the keys of all, by the server's books."""
        place = self.sim.world.calls.state(self.guild.id, self.sim.bot.id)
        if place is None or place.channel_id is None or not self.voice.is_connected:
            return False
        server = self.sim.voice.server_of(self.guild.id)
        call = server.call(self.guild.id, place.channel_id)
        there = {each.user_id for each in self.sim.world.calls.in_channel(place.channel_id)}
        agreed = len(there) == 1 or set(call.dave.members) == there
        return (
            server.is_connected(self.guild.id, self.sim.bot.id)
            and set(call.user_ids) == there
            and agreed
            and not call.dave.transitions
        )

    def is_beside_bot(self, person: Person) -> bool:
        """Whether somebody is in the bot's channel."""
        place = self.sim.world.calls.state(self.guild.id, self.sim.bot.id)
        state = person.voice_state
        return place is not None and state is not None and state.channel_id == place.channel_id

    def heard(self, person: Person) -> list[bytes]:
        """What was received of somebody's sound, without the silence."""
        return [
            each.opus for each in self.packets if each.user_id == person.id and each.opus != SILENCE
        ]

    def count(self, phase: VoicePhase) -> int:
        return sum(1 for each in self.statuses if each.phase is phase)

    async def until(self, look: Callable[[], object], timeout_s: float = 10.0) -> None:
        """Waits; what happens in discord.py rings no bell."""
        try:
            async with asyncio.timeout(timeout_s):
                while not look():
                    with suppress(TimeoutError):
                        async with asyncio.timeout(0.02):
                            await self._changed.wait()
                    self._changed.clear()
        except TimeoutError:
            counters = self.voice.counters
            for user_id in counters.user_ids:
                self.sim.transcript.write(f"voicemesh: {user_id}: {counters.of(user_id)}")
            self.sim.transcript.write(f"voicemesh: all: {counters.totals}")
            raise


@pytest.fixture
async def room(discord_sim: Simulator, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Room]:
    monkeypatch.setattr(Route, "BASE", discord_sim.api_uri)
    monkeypatch.setattr(DiscordWebSocket, "DEFAULT_GATEWAY", URL(discord_sim.gateway_uri))
    trusted = discord_sim.certificates.client_context()
    connector = aiohttp.TCPConnector(ssl=trusted)
    client = discord.Client(
        intents=discord.Intents.default(), connector=connector, guild_ready_timeout=0.05
    )
    made = Room(discord_sim, client)
    async with client:
        running = asyncio.create_task(client.start(discord_sim.bot.token))
        try:
            await made.until(client.is_ready)
            yield made
        finally:
            await made.voice.leave()
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)


def _tone(seconds: float) -> Speech:
    time = np.arange(int(48_000 * seconds)) / 48_000
    return Speech.from_samples((0.3 * np.sin(2 * np.pi * 330 * time)).astype(np.float32), 48_000)


@pytest.fixture(scope="session")
def tone() -> Speech:
    """Half a second that is audible in every packet."""
    return _tone(0.5)


@pytest.fixture(scope="session")
def long_tone() -> Speech:
    """Three seconds of it."""
    return _tone(3.0)
