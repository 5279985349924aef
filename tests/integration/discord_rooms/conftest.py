"""The whole Discord front on a simulated Discord, in one process, with backends of the test's own.

discord.py, DAVE, the database and everything of the bot are real. The backends speak the ports:
recognition writes down what the test says it hears, the model answers by rote, the voice hums.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import numpy as np
import pytest
from discord.gateway import DiscordWebSocket
from discord.http import Route
from prometheus_client import CollectorRegistry
from yarl import URL

from discordsim import Channel, Guild, Message, Person, Simulator, Speech
from voicemesh_bot.discord_front.answers import WrittenAnswers
from voicemesh_bot.discord_front.client import DiscordClient
from voicemesh_bot.discord_front.commands.consent import ConsentView
from voicemesh_bot.discord_front.histories import Histories
from voicemesh_bot.discord_front.rooms.packet_counts import PacketCounts
from voicemesh_bot.discord_front.rooms.parts import RoomParts, RoomStores
from voicemesh_bot.discord_front.rooms.room import VoiceRoom
from voicemesh_bot.discord_front.rooms.rooms import VoiceRooms
from voicemesh_bot.domain import (
    Backend,
    Final,
    FinishTurn,
    HistoryTurn,
    ListeningEvent,
    ModelEvent,
    ModelFinished,
    ModelStarted,
    ModelText,
    OpusPacket,
    SoftFinal,
    SpeechStarted,
    VoiceAudio,
)
from voicemesh_bot.metrics import BotMetrics
from voicemesh_bot.ports import Backends
from voicemesh_bot.record.sessions import SessionRecords
from voicemesh_bot.settings import StorageSettings
from voicemesh_bot.stores.storage import Storage
from voicemesh_bot.voice.clips import ClipLibrary
from voicemesh_bot.watch import BackendWatch
from voicemesh_chassis.errors import UnavailableError

SILENCE = b"\xf8\xff\xfe"
HUM_S = 0.4


def pytest_configure(config: pytest.Config) -> None:
    """Load the plugin where discordsim is on the path and not installed."""
    if not config.pluginmanager.has_plugin("discordsim.pytest_plugin"):
        config.pluginmanager.import_plugin("discordsim.pytest_plugin")


class Ears:
    """Hears, in each turn, the next of what the test wants heard."""

    def __init__(self) -> None:
        self.words: deque[str] = deque()
        self.packets = 0
        self.languages: list[str] = []

    async def listen(
        self,
        audio: AsyncIterable[bytes | OpusPacket | FinishTurn],
        *,
        sample_rate_hertz: int | None,
        held: bool = False,
        language_code: str = "",
    ) -> AsyncGenerator[ListeningEvent, None]:
        assert sample_rate_hertz is None
        assert not held
        self.languages.append(language_code)
        turn, is_open = 0, False
        async for piece in audio:
            assert isinstance(piece, OpusPacket)
            sound = piece.data != SILENCE
            self.packets += sound
            if sound and not is_open:
                turn, is_open = turn + 1, True
                yield SpeechStarted(turn)
            elif is_open and not sound:
                is_open = False
                words = self.words.popleft() if self.words else ""
                yield SoftFinal(turn, 1, words)
                yield Final(turn, 1, words, 0.1)


class Voice:
    """Hums 0.4 s for each sentence."""

    def __init__(self, hum: list[bytes]) -> None:
        self._hum = hum
        self.is_down = False
        self.fails_after: int | None = None
        """How many sentences it says before it is down."""
        self.pause: asyncio.Event | None = None
        """What is waited for after each sentence."""
        self.spoken: list[str] = []
        self.chosen: list[tuple[str, str]] = []

    async def speak(
        self,
        text: AsyncIterable[str],
        *,
        tenant: str = "",
        voice: str = "",
        language_code: str = "",
    ) -> AsyncGenerator[VoiceAudio, None]:
        assert tenant.startswith("discord-")
        self.chosen.append((voice, language_code))
        start, waiting = 0, ""
        async for piece in text:
            self._fail_if_down()
            waiting += piece
            while (end := waiting.find(".") + 1) > 0:
                yield self._sound(waiting[:end], start)
                if self.fails_after is not None and len(self.spoken) >= self.fails_after:
                    self.is_down = True
                self._fail_if_down()
                if self.pause is not None:
                    await self.pause.wait()
                start, waiting = start + end, waiting[end:]
        self._fail_if_down()
        if waiting.strip():
            yield self._sound(waiting, start)

    async def voice_ids(self, *, tenant: str) -> tuple[str, ...]:
        del tenant
        self._fail_if_down()
        return ("piper:joe", "piper:amy")

    def _sound(self, sentence: str, start: int) -> VoiceAudio:
        self.spoken.append(sentence.strip())
        span = (start, start + len(sentence))
        return VoiceAudio(
            b"", 48_000, 0.02 * len(self._hum), span, clause_end=True, packets=tuple(self._hum)
        )

    def _fail_if_down(self) -> None:
        if self.is_down:
            msg = "no service answers"
            raise UnavailableError(msg)


class Model:
    """Answers by rote."""

    def __init__(self) -> None:
        self.answers: dict[str, str] = {}
        self.is_down = False
        self.asked: list[tuple[str, ...]] = []

    async def generate(
        self, history: Sequence[HistoryTurn], *, tenant: str
    ) -> AsyncGenerator[ModelEvent, None]:
        assert tenant.startswith("discord-")
        self.asked.append(tuple(f"{turn.speaker}: {turn.text}" for turn in history))
        yield ModelStarted("response", "rote")
        if self.is_down:
            msg = "no service answers"
            raise UnavailableError(msg)
        yield ModelText(self.answers.get(history[-1].text, "Well said."))
        yield ModelFinished()


class Readiness:
    """Says what the test says."""

    def __init__(self) -> None:
        self.away: set[Backend] = set()

    async def is_ready(self, backend: Backend) -> bool:
        return backend not in self.away


@dataclass
class House:
    """A guild with a chat and two voice channels, the bot in it, and its backends."""

    sim: Simulator
    client: DiscordClient
    storage: Storage
    registry: CollectorRegistry
    ears: Ears
    voice: Voice
    model: Model
    readiness: Readiness
    guild: Guild
    chat: Channel
    bench: Channel
    yard: Channel
    speech: Speech
    people: list[Person] = field(default_factory=list)

    @property
    def rooms(self) -> VoiceRooms:
        return self.client.rooms

    @property
    def room(self) -> VoiceRoom | None:
        return self.rooms.room(self.guild.id)

    async def person(
        self, name: str, *, inside: bool = True, agrees: bool = True, permissions: int = 0
    ) -> Person:
        """Somebody, in the bench's channel unless said otherwise."""
        made = self.sim.add_person(name, self.guild, permissions=permissions)
        if agrees:
            await self.storage.people.decide(self.guild.id, made.id, given=True)
        if inside:
            await made.join(self.bench)
        return made

    async def enter(self, person: Person) -> Message:
        """Lets a person bring the bot into the bench's channel; its greeting."""
        used = await person.slash(self.chat, "join", channel=self.bench)
        assert "I am in" in (await used.response()).content
        greeting = await person.wait_for_message(self.chat, contains="I have joined")
        await self.sim.wait_until_in_voice(self.guild)
        await self.quiet(person)
        return greeting

    async def quiet(self, person: Person) -> None:
        """Waits until the bot has said what it has to say."""
        await person.wait_for_quiet(self.sim.bot.id, for_s=0.4)

    async def say(self, person: Person, words: str) -> float:
        """Somebody says something, which will be understood so; when they began."""
        begun = asyncio.get_running_loop().time()
        self.ears.words.append(words)
        await person.speak(self.speech)
        return begun

    async def use(self, person: Person, command: str, **options: object) -> str:
        """What the bot answers to a slash command."""
        used = await person.slash(self.chat, command, **options)
        return (await used.response()).content

    async def type(self, person: Person, text: str) -> str:
        """What the bot writes after somebody has written something."""
        typed = await person.type(self.chat, text)
        reply = await person.wait_for_message(
            self.chat, author=self.sim.bot.id, where=lambda message: message.id > typed.id
        )
        return reply.content

    async def until(self, look: Callable[[], object], timeout_s: float = 8.0) -> None:
        """Waits; what happens inside the bot rings no bell."""
        async with asyncio.timeout(timeout_s):
            while not look():
                await asyncio.sleep(0.02)

    def was_heard(self, person: Person, since: float) -> bool:
        """Whether a person heard the bot make a sound from then on."""
        return bool(person.heard(self.sim.bot.id, since=since).audible())


def _tone(seconds: float, hertz: float) -> np.ndarray:
    time = np.arange(int(16_000 * seconds)) / 16_000
    return (0.3 * np.sin(2 * np.pi * hertz * time)).astype(np.float32)


@pytest.fixture(scope="session")
def _speech() -> Speech:
    return Speech.from_samples(np.repeat(_tone(0.3, 330), 3), 48_000)


@pytest.fixture
async def house(
    discord_sim: Simulator,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    opus: Callable[..., list[bytes]],
    _speech: Speech,
) -> AsyncIterator[House]:
    monkeypatch.setattr(Route, "BASE", discord_sim.api_uri)
    monkeypatch.setattr(DiscordWebSocket, "DEFAULT_GATEWAY", URL(discord_sim.gateway_uri))
    registry = CollectorRegistry()
    storage = Storage(StorageSettings(data_dir=tmp_path), registry)
    await storage.open()
    ears, model, readiness = Ears(), Model(), Readiness()
    voice = Voice(opus(_tone(HUM_S, 500)))
    backends, metrics = Backends(ears, voice, model), BotMetrics(registry)
    watch = BackendWatch(readiness, interval_s=0.05)
    parts = RoomParts(
        backends=backends,
        watch=watch,
        stores=RoomStores(storage.guilds, storage.people, storage.people, storage.transcripts),
        clips=ClipLibrary(voice),
        metrics=metrics,
        packet_counts=PacketCounts(),
        records=SessionRecords(metrics.turn_records),
        consent_view=ConsentView,
    )
    registry.register(parts.packet_counts)
    histories = Histories(turns_per_channel=20, channels=10)
    answers = WrittenAnswers(model, histories, asyncio.get_running_loop().time)
    client = DiscordClient(answers, VoiceRooms(parts), voice, message_content=True)
    client._connection.guild_ready_timeout = 0.05
    client.http.connector = aiohttp.TCPConnector(ssl=discord_sim.certificates.client_context())
    guild = discord_sim.add_guild("Workshop")
    made = House(
        discord_sim, client, storage, registry, ears, voice, model, readiness, guild,
        chat=discord_sim.add_channel(guild, "chat"),
        bench=discord_sim.add_voice_channel(guild, "Bench"),
        yard=discord_sim.add_voice_channel(guild, "Yard"),
        speech=_speech,
    )  # fmt: skip
    watching = asyncio.create_task(watch.run())
    running = asyncio.create_task(client.start(discord_sim.bot.token))
    try:
        await made.until(client.is_ready)
        yield made
    finally:
        await client.close()
        watching.cancel()
        await asyncio.gather(running, watching, return_exceptions=True)
        await storage.aclose()
