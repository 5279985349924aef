"""Two people talk in a voice channel: `voicemesh-run`, real models, unmodified discord.py, DAVE."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from socket import create_server
from typing import Any

import pytest
import pytest_asyncio

from discordsim import Channel, Message, Person, Simulator
from voicemesh_client import SpeechToText, TextToSpeech

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(400),
    pytest.mark.asyncio(loop_scope="module"),
]

NAMES = ("stt", "tts", "trainer", "bot")
SPEECH = Path(__file__).parent.parent / "data" / "speech"
ASIDE = "he was not an ill disposed young man"
"""What the recording says that Ben plays, which is for nobody in particular."""


@dataclass
class Call:
    """A voice channel with the bot, called robin, and two people in it."""

    sim: Simulator
    chat: Channel
    bench: Channel
    ann: Person
    ben: Person
    stt: SpeechToText
    tts: TextToSpeech
    directory: Path
    greeting: Message

    async def say(self, person: Person, text: str) -> float:
        """Somebody says a text; the time of their last sound."""
        speech = await self.tts.synthesize(text)
        file = self.directory / "said.wav"
        file.write_bytes(speech.audio)
        said = await person.speak(file)
        return said.sent_times[-6]

    async def answer(self, since: float) -> str:
        """What the bot is heard saying from then on, as speech recognition writes it down."""
        await self.ann.wait_for_sound(self.sim.bot.id, since=since, timeout_s=20)
        await self.ann.wait_for_quiet(self.sim.bot.id, for_s=1.5)
        file = self.directory / "heard.wav"
        self.ann.heard(self.sim.bot.id, since=since).write_wav(file)
        return (await self.stt.transcribe(file.read_bytes())).text

    async def transcript(self) -> list[dict[str, Any]]:
        """What the bot has kept of the conversation."""
        used = await self.ann.slash(self.chat, "transcript", format="json")
        file = (await used.response()).attachments[0]
        lines: list[dict[str, Any]] = json.loads(file.content)["lines"]
        return lines


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def call(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Call]:
    directory = tmp_path_factory.mktemp("voice-on-discord")
    ports = _free_ports(9)
    variables = {
        "VOICEMESH_BOT_CONSOLE__PORT": str(ports.pop()),
        "VOICEMESH_BOT_STORAGE__DATA_DIR": str(directory),
        "VOICEMESH_TRAINER_BACKEND": "local",
        "XDG_STATE_HOME": str(directory),
    }
    for name in NAMES:
        variables[f"VOICEMESH_{name.upper()}_SERVER__PORT"] = str(ports.pop())
        variables[f"VOICEMESH_{name.upper()}_SERVER__METRICS_PORT"] = str(ports.pop())
    targets = {
        name: f"127.0.0.1:{variables[f'VOICEMESH_{name.upper()}_SERVER__PORT']}" for name in NAMES
    }
    for name in tuple(os.environ):
        if name.startswith("VOICEMESH_REQUIRE_"):
            variables[name] = ""  # of the tests, and no setting
    async with Simulator(bot_name="Robin") as sim:
        guild = sim.add_guild("Workshop")
        chat = sim.add_channel(guild, "chat")
        bench = sim.add_voice_channel(guild, "Bench")
        ann, ben = sim.add_person("Ann", guild), sim.add_person("Ben", guild)
        bot = sim.start_bot(
            str(Path(sys.executable).parent / "voicemesh-run"),
            prefix="VOICEMESH_BOT_DISCORD__",
            environment=variables,
            ready_s=180,
        )
        async with (
            bot,
            SpeechToText(targets["stt"]) as stt,
            TextToSpeech(targets["tts"]) as tts,
        ):
            for person in (ann, ben):
                await person.join(bench)
            used = await ann.slash(chat, "join")
            await used.response()
            greeting = await ann.wait_for_message(chat, contains="listen", timeout_s=20)
            await _agree(ann, greeting)
            await ann.wait_for_sound(sim.bot.id)
            await ann.wait_for_quiet(sim.bot.id, for_s=1.0)
            yield Call(sim, chat, bench, ann, ben, stt, tts, directory, greeting)


async def test_who_has_not_agreed_is_neither_heard_nor_kept(call: Call) -> None:
    await call.say(call.ben, "Robin, what is the capital of Italy?")

    with pytest.raises(Exception, match="sound"):
        await call.ann.wait_for_sound(call.sim.bot.id, since=time.monotonic(), timeout_s=3)

    used = await call.ann.slash(call.chat, "transcript", format="json")
    assert not (await used.response()).attachments


async def test_the_one_who_addresses_the_bot_is_answered_aloud(
    call: Call, word_error_rate: Any
) -> None:
    await _agree(call.ben, call.greeting)
    begun = time.monotonic()
    await call.ben.speak(SPEECH / "librivox-0880.wav")
    await asyncio.sleep(2.5)
    assert not call.ann.heard(call.sim.bot.id, since=begun).audible()

    ended = await call.say(call.ann, "Robin, why is the sky blue?")
    heard = await call.answer(ended)

    lines = await call.transcript()
    by_speaker = {line["speaker"]: line for line in lines}
    assert [line["speaker"] for line in lines] == ["Ben", "Ann", "robin"]
    assert word_error_rate(ASIDE, by_speaker["Ben"]["text"]) <= 0.2
    assert "sky blue" in by_speaker["Ann"]["text"]
    assert word_error_rate(by_speaker["robin"]["text"], heard) <= 0.2


async def test_words_that_end_an_answer_leave_what_was_heard(call: Call) -> None:
    ended = await call.say(call.ann, "Robin, tell me a long story about a king and his dog.")
    await call.ann.wait_for_sound(call.sim.bot.id, since=ended, timeout_s=20)
    await asyncio.sleep(0.6)
    used = await call.ann.slash(call.chat, "stop")
    await used.response()
    await call.ann.wait_for_quiet(call.sim.bot.id, for_s=1.5)


async def _agree(person: Person, greeting: Message) -> None:
    pressed = await person.click(greeting, "You may listen to me")
    await pressed.response()


def _free_ports(count: int) -> list[int]:
    sockets = [create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports: list[int] = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports
