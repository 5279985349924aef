"""Packets through discord.py's own player, as it comes."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator

import discord
import pytest
import pytest_asyncio

from voicemesh_bot.discord_front.audio_source import VoiceLine
from voicemesh_bot.voice.ducking import Ducker
from voicemesh_bot.voice.frames import SILENCE, PassageId, PassageKind, PassageState, Progress
from voicemesh_bot.voice.loudspeaker import Loudspeaker
from voicemesh_bot.voice.player import Player, PlayerOptions

pytestmark = pytest.mark.unit

ANSWER = PassageId(PassageKind.ANSWER, 1)
WITHIN_S = 20.0


class RecordingClient(discord.VoiceClient):
    """discord.py's voice client without a network: what it would send is kept."""

    def __init__(self) -> None:
        self._player = None
        self.sent: list[bytes] = []
        self.online = threading.Event()
        self.online.set()
        self.waits = threading.Event()
        self.broken = False

    @property
    def timeout(self) -> float:
        return WITHIN_S

    @property
    def heard(self) -> list[bytes]:
        return [packet for packet in self.sent if packet != SILENCE]

    def is_connected(self) -> bool:
        return self.online.is_set()

    def wait_until_connected(self, timeout: float | None = 30.0) -> bool:
        self.waits.set()
        return self.online.wait(timeout)

    def send_audio_packet(self, data: bytes, *, encode: bool = True) -> None:
        assert not encode
        if self.broken and data != SILENCE:
            msg = "not expected by discord.py"
            raise ValueError(msg)
        self.sent.append(data)


@pytest.fixture(autouse=True)
def _no_speaking_sign(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("discord.player.AudioPlayer._speak", lambda *_: None)


@pytest.fixture
def client() -> Iterator[RecordingClient]:
    made = RecordingClient()
    yield made
    player = made._player
    made.online.set()
    made.stop()
    if player is not None:
        player.join(WITHIN_S)


@pytest_asyncio.fixture
async def speaker() -> AsyncIterator[Loudspeaker]:
    options = PlayerOptions(preroll_s=0.04, report_s=0.02)
    made = Loudspeaker(Player(options), Ducker(None), retry_s=0.01)
    yield made
    await made.aclose()


async def last_of(speaker: Loudspeaker, passage: PassageId = ANSWER) -> Progress:
    async with asyncio.timeout(WITHIN_S):
        async for progress in speaker.progress():
            if progress.passage == passage and progress.state is not PassageState.PLAYING:
                return progress
    raise AssertionError


async def playing(speaker: Loudspeaker, frames: int) -> None:
    async with asyncio.timeout(WITHIN_S):
        async for progress in speaker.progress():
            if progress.frames >= frames:
                return


def packets(count: int) -> list[bytes]:
    return [bytes([0xF8, index]) for index in range(count)]


async def test_an_answer_is_sent_packet_by_packet_behind_silence(
    speaker: Loudspeaker, client: RecordingClient
) -> None:
    speaker.attach(VoiceLine(client))
    speaker.play(ANSWER, packets(5))
    speaker.end(ANSWER)
    assert await last_of(speaker) == Progress(ANSWER, 5, PassageState.DONE)
    assert client.sent[:7] == [SILENCE] * 2 + packets(5)


async def test_one_answer_after_the_other_is_heard(
    speaker: Loudspeaker, client: RecordingClient
) -> None:
    speaker.attach(VoiceLine(client))
    for number in (1, 2, 3):
        passage = PassageId(PassageKind.ANSWER, number)
        speaker.play(passage, packets(3))
        speaker.end(passage)
        assert (await last_of(speaker, passage)).frames == 3
    assert client.heard == packets(3) * 3


async def test_a_cut_is_silent_at_the_next_packet_and_tells_exactly_what_was_sent(
    speaker: Loudspeaker, client: RecordingClient
) -> None:
    speaker.attach(VoiceLine(client))
    speaker.play(ANSWER, packets(200))
    await playing(speaker, 4)
    sent = len(client.heard)
    speaker.cut(ANSWER)
    progress = await last_of(speaker)
    assert progress == Progress(ANSWER, len(client.heard), PassageState.CUT)
    assert len(client.heard) <= sent + 1


async def test_nothing_is_lost_while_the_connection_is_made_again(
    speaker: Loudspeaker, client: RecordingClient
) -> None:
    speaker.attach(VoiceLine(client))
    speaker.play(ANSWER, packets(12))
    speaker.end(ANSWER)
    await playing(speaker, 3)
    client.online.clear()
    await asyncio.to_thread(client.waits.wait, WITHIN_S)
    client.online.set()
    assert (await last_of(speaker)).frames == 12
    assert client.heard == packets(12)


async def test_another_connection_goes_on_with_what_the_old_one_did_not_send(
    speaker: Loudspeaker, client: RecordingClient
) -> None:
    speaker.attach(VoiceLine(client))
    speaker.play(ANSWER, packets(12))
    speaker.end(ANSWER)
    await playing(speaker, 3)
    client.online.clear()
    await asyncio.to_thread(client.waits.wait, WITHIN_S)
    successor = RecordingClient()
    speaker.attach(VoiceLine(successor))
    client.stop()
    client.online.set()
    assert (await last_of(speaker)).frames == 12
    assert client.heard + successor.heard == packets(12)


async def test_a_fault_of_discord_py_is_logged_and_the_line_is_tried_again(
    speaker: Loudspeaker, client: RecordingClient, caplog: pytest.LogCaptureFixture
) -> None:
    client.broken = True
    speaker.attach(VoiceLine(client))
    speaker.play(ANSWER, packets(3))
    speaker.end(ANSWER)
    async with asyncio.timeout(WITHIN_S):
        while "playback failed" not in caplog.text:
            await asyncio.sleep(0.005)
    client.broken = False
    assert (await last_of(speaker)).frames == 3
    assert client.heard == packets(3)


async def test_a_client_that_is_not_connected_or_plays_already_is_no_line(
    client: RecordingClient,
) -> None:
    line = VoiceLine(client)
    client.online.clear()
    closed = threading.Event()
    assert not line.open(bytes, closed.set)
    client.online.set()
    first = threading.Event()

    def read() -> bytes:
        return b"" if first.is_set() else SILENCE

    assert line.open(read, closed.set)
    assert not line.open(read, closed.set)
    first.set()
    await asyncio.to_thread(closed.wait, WITHIN_S)
    assert line.open(read, closed.set)
