"""What people on a simulated Discord hear of the bot, encrypted, by discord.py as it is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import discord
import numpy as np
import pytest
import pytest_asyncio
from discord.gateway import DiscordWebSocket
from discord.http import Route
from yarl import URL

from discordsim import Person, Simulator
from discordsim.people.ears import Heard
from discordsim.people.speech import Speech
from voicemesh_bot.discord_front.audio_source import VoiceLine
from voicemesh_bot.discord_front.opus_codec import OpusCodec, load_libopus
from voicemesh_bot.voice.ducking import Ducker
from voicemesh_bot.voice.frames import SILENCE, PassageId, PassageKind, PassageState, Progress
from voicemesh_bot.voice.loudspeaker import Loudspeaker
from voicemesh_bot.voice.player import Player, PlayerOptions

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

WITHIN_S = 20.0
PREROLL = 10
OPTIONS = PlayerOptions(report_s=0.02)


@dataclass
class Place:
    """A bot and a person in a voice channel."""

    sim: Simulator
    channel: discord.VoiceChannel
    ann: Person
    client: discord.VoiceClient

    async def connect_again(self) -> None:
        await self.client.disconnect(force=True)
        self.client = await self.channel.connect(timeout=WITHIN_S)
        await self.ann.voice.wait_until_ready()


@dataclass
class Call:
    """What the bot says there in one test."""

    place: Place
    speaker: Loudspeaker
    since: float
    told: list[Progress] = field(default_factory=list)
    news: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def follow(self) -> None:
        async for progress in self.speaker.progress():
            async with self.news:
                self.told.append(progress)
                self.news.notify_all()

    async def until(self, passage: PassageId, seen: Callable[[Progress], bool]) -> Progress:
        def found() -> Progress | None:
            mine = (each for each in self.told if each.passage == passage)
            return next((each for each in mine if seen(each)), None)

        async with asyncio.timeout(WITHIN_S), self.news:
            await self.news.wait_for(found)
        progress = found()
        assert progress is not None
        return progress

    async def over(self, passage: PassageId) -> Progress:
        return await self.until(passage, lambda each: each.state is not PassageState.PLAYING)

    async def playing(self, passage: PassageId, frames: int) -> None:
        await self.until(passage, lambda each: each.frames >= frames)

    def heard(self) -> Heard:
        """What has come to Ann so far; begins with the silences before the first sound.

        Of the test before, discord.py's own silences may still have been on their way.
        """
        frames = self.place.ann.heard(self.place.sim.bot.id, since=self.since).frames
        places = (index for index, frame in enumerate(frames) if frame.opus != SILENCE)
        return Heard(frames[max(0, next(places, 0) - PREROLL) :])

    async def packets(self, at_least: int) -> list[bytes]:
        """The packets of it, once there are enough."""
        async with asyncio.timeout(WITHIN_S):
            while len(frames := self.heard().frames) < at_least:
                await asyncio.sleep(0.01)  # Nothing rings a bell for silence.
        return [frame.opus for frame in frames]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def place() -> AsyncIterator[Place]:
    assert load_libopus()
    async with AsyncExitStack() as stack:
        sim = await stack.enter_async_context(Simulator())
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        patch.setattr(Route, "BASE", sim.api_uri)
        patch.setattr(DiscordWebSocket, "DEFAULT_GATEWAY", URL(sim.gateway_uri))
        guild = sim.add_guild("Workshop")
        bench = sim.add_voice_channel(guild, "Bench")
        ann = sim.add_person("Ann", guild)
        await ann.join(bench)
        bot = Bot(
            intents=discord.Intents(guilds=True, voice_states=True),
            connector=aiohttp.TCPConnector(ssl=sim.certificates.client_context()),
        )
        running = asyncio.create_task(bot.start(sim.bot.token))
        try:
            async with asyncio.timeout(WITHIN_S):
                await bot.came_online.wait()
            channel = bot.get_channel(bench.id)
            assert isinstance(channel, discord.VoiceChannel)
            client: discord.VoiceClient = await channel.connect(timeout=WITHIN_S)
            await ann.voice.wait_until_ready()
            made = Place(sim, channel, ann, client)
            yield made
            await made.client.disconnect(force=True)
        finally:
            await bot.close()
            with suppress(asyncio.CancelledError):
                await running


class Bot(discord.Client):
    """Logs in, and nothing else."""

    def __init__(self, *, intents: discord.Intents, connector: aiohttp.BaseConnector) -> None:
        super().__init__(intents=intents, connector=connector)
        self.came_online = asyncio.Event()

    async def on_ready(self) -> None:
        self.came_online.set()


@pytest_asyncio.fixture(loop_scope="module")
async def call(place: Place) -> AsyncIterator[Call]:
    speaker = Loudspeaker(Player(OPTIONS), Ducker(OpusCodec), retry_s=0.02)
    made = Call(place, speaker, asyncio.get_running_loop().time())
    following = asyncio.create_task(made.follow())
    speaker.attach(VoiceLine(place.client))
    yield made
    await speaker.aclose()
    following.cancel()
    place.client.stop()


@pytest.fixture(scope="module")
def said(speech: Path) -> Speech:
    return Speech.from_file(speech / "librivox-0870.wav")


def answer(number: int = 1) -> PassageId:
    return PassageId(PassageKind.ANSWER, number)


def sounds(packets: list[bytes]) -> list[bytes]:
    return [packet for packet in packets if packet != SILENCE]


async def test_an_answer_is_heard_whole_between_silences(call: Call, said: Speech) -> None:
    packets = said.packets[:60]
    call.speaker.play(answer(), packets)
    call.speaker.end(answer())
    assert await call.over(answer()) == Progress(answer(), 60, PassageState.DONE)
    heard = await call.packets(at_least=PREROLL + 60 + 5)
    assert heard[: PREROLL + 60] == [*[SILENCE] * PREROLL, *packets]
    assert set(heard[PREROLL + 60 :]) == {SILENCE}
    assert call.place.ann.voice.unreadable == 0


@pytest.mark.parametrize("frames", [3, 17, 41])
async def test_what_is_reported_of_a_cut_answer_is_what_was_heard(
    call: Call, said: Speech, frames: int
) -> None:
    call.speaker.play(answer(1), said.packets[:200])
    await call.playing(answer(1), frames)
    call.speaker.cut(answer(1))
    progress = await call.over(answer(1))
    call.speaker.play(answer(2), said.packets[200:205])
    call.speaker.end(answer(2))
    assert (await call.over(answer(2))).frames == 5
    heard = await call.packets(at_least=PREROLL + progress.frames + 5 + 5 + 5)
    assert sounds(heard) == [*said.packets[: progress.frames], *said.packets[200:205]]
    after = PREROLL + progress.frames
    assert heard[after : after + 5] == [SILENCE] * 5


async def test_a_pause_is_silent_and_nothing_is_lost_by_it(call: Call, said: Speech) -> None:
    packets = list(said.packets[:60])
    call.speaker.play(answer(), packets)
    call.speaker.end(answer())
    await call.playing(answer(), 20)
    call.speaker.pause(answer())
    held = await call.until(answer(), lambda each: each.frames > 20 or each.state != "playing")
    call.speaker.resume(answer())
    assert (await call.over(answer())).frames == 60
    heard = await call.packets(at_least=PREROLL + 60 + 5)
    # The first after the pause are made anew, as the listener's decoder heard silence meanwhile.
    assert len(sounds(heard)) == 60
    assert sounds(heard)[: held.frames - 1] == packets[: held.frames - 1]
    assert sounds(heard)[-10:] == packets[-10:]


async def test_a_ducked_answer_is_heard_softer_and_comes_back(call: Call, said: Speech) -> None:
    packets = said.packets[:150]
    call.speaker.play(answer(), packets)
    call.speaker.end(answer())
    await call.playing(answer(), 40)
    call.speaker.duck(True)
    await call.playing(answer(), 90)
    call.speaker.duck(False)
    await call.over(answer())
    await call.packets(at_least=PREROLL + 150)
    heard = call.heard().levels_db()[PREROLL : PREROLL + 150]
    loud = Speech(packets, said.levels_db[:150]).levels_db
    spoken = loud > -35
    softer = (loud - heard)[spoken]
    places = np.flatnonzero(spoken)
    assert np.median(softer[(places > 50) & (places < 85)]) == pytest.approx(12, abs=1.5)
    for there in (places < 38, places > 110):
        assert np.median(softer[there]) == pytest.approx(0, abs=1.5)


async def test_another_connection_goes_on_with_the_answer(call: Call, said: Speech) -> None:
    packets = list(said.packets[:120])
    call.speaker.play(answer(), packets)
    call.speaker.end(answer())
    await call.playing(answer(), 20)
    call.speaker.detach()
    await call.place.connect_again()
    call.speaker.attach(VoiceLine(call.place.client))
    assert (await call.over(answer())).frames == 120
    heard = sounds(await call.packets(at_least=PREROLL + 115 + 5))
    assert packets[-1] in heard[-3:]
    assert len(heard) >= 115
