"""The backends that the bot's tests use: fakes that fit on a screen, and the real services."""

from __future__ import annotations

import asyncio
import math
import struct
import wave
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

import av
import pytest
import pytest_asyncio

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
    Partial,
    SoftFinal,
    SpeechStarted,
    VoiceAudio,
)
from voicemesh_bot.ports import Backends
from voicemesh_chassis.errors import UnavailableError

if TYPE_CHECKING:
    from pathlib import Path

    from voicemesh_chassis.service import Service
    from voicemesh_chassis.settings import ServiceSettings

WORDS = "What is the time?"
ANSWER = "It is noon. Time for a meal."
VOICE_RATE_HERTZ = 24_000


class FakeSpeechToText:
    """Hears WORDS wherever there is sound, until silence of any length or the end of the turn."""

    def __init__(self) -> None:
        self.down = False

    async def listen(
        self,
        audio: AsyncIterable[bytes | OpusPacket | FinishTurn],
        *,
        sample_rate_hertz: int | None,
        held: bool = False,
        language_code: str = "",
    ) -> AsyncGenerator[ListeningEvent, None]:
        if self.down:
            msg = "no service answers"
            raise UnavailableError(msg)
        turn, is_open = 0, False
        async for piece in audio:
            sound = _is_sound(piece)
            if sound and not is_open:
                turn, is_open = turn + 1, True
                yield SpeechStarted(turn)
                yield Partial(turn, 0, "What is", "the")
            elif is_open and (isinstance(piece, FinishTurn) or not (held or sound)):
                is_open = False
                yield SoftFinal(turn, 1, "what is the time")
                yield Final(turn, 1, WORDS, 0.1)
        if is_open:
            yield Final(turn, 0, WORDS, 0.1)


def _is_sound(piece: bytes | OpusPacket | FinishTurn) -> bool:
    if isinstance(piece, OpusPacket):
        return piece.data != b"\xf8\xff\xfe"
    return isinstance(piece, bytes) and any(piece)


class FakeTextToSpeech:
    """Hums each sentence for 20 ms a character."""

    def __init__(self) -> None:
        self.down = False

    async def speak(
        self,
        text: AsyncIterable[str],
        *,
        tenant: str = "",
        voice: str = "",
        language_code: str = "",
    ) -> AsyncGenerator[VoiceAudio, None]:
        if self.down:
            msg = "no service answers"
            raise UnavailableError(msg)
        start, waiting = 0, ""
        async for piece in text:
            waiting += piece
            while (end := waiting.find(".") + 1) > 0:
                yield _hum(start, start + end)
                start, waiting = start + end, waiting[end:]
        if waiting.strip():
            yield _hum(start, start + len(waiting))


def _hum(start: int, end: int) -> VoiceAudio:
    count = (end - start) * VOICE_RATE_HERTZ // 50
    samples = (int(9000 * math.sin(index / 17)) for index in range(count))
    audio = struct.pack(f"<{count}h", *samples)
    return VoiceAudio(audio, VOICE_RATE_HERTZ, count / VOICE_RATE_HERTZ, (start, end), True)


class FakeLanguageModel:
    """Always gives ANSWER, word by word; with `hold` set, after the first word it waits."""

    def __init__(self) -> None:
        self.down = False
        self.hold: asyncio.Event | None = None
        self.asked: list[tuple[str, ...]] = []

    async def generate(
        self, history: Sequence[HistoryTurn], *, tenant: str
    ) -> AsyncGenerator[ModelEvent, None]:
        if self.down:
            msg = "no service answers"
            raise UnavailableError(msg)
        self.asked.append(tuple(turn.text for turn in history))
        yield ModelStarted("response-1", "fake")
        for index, word in enumerate(ANSWER.split(" ")):
            yield ModelText(word if index == 0 else f" {word}")
            if self.hold is not None:
                await self.hold.wait()
        yield ModelFinished()


class FakeBackends:
    """The three fakes, what they say, and whether they are ready."""

    words = WORDS
    answer = ANSWER

    def __init__(self) -> None:
        self.stt = FakeSpeechToText()
        self.tts = FakeTextToSpeech()
        self.model = FakeLanguageModel()
        self.backends = Backends(self.stt, self.tts, self.model)

    async def is_ready(self, backend: Backend) -> bool:
        return not self.down(backend)

    def down(self, backend: Backend) -> bool:
        """Whether nobody answers there."""
        flags = {
            Backend.STT: self.stt.down,
            Backend.TTS: self.tts.down,
            Backend.TRAINER: self.model.down,
        }
        return flags[backend]

    def set_down(self, backend: Backend, *, down: bool) -> None:
        """Takes a backend away, or brings it back."""
        if backend is Backend.STT:
            self.stt.down = down
        elif backend is Backend.TTS:
            self.tts.down = down
        else:
            self.model.down = down


@asynccontextmanager
async def real_backends() -> AsyncIterator[Backends]:
    """The three real services in this process, with their real models, behind the SDK."""
    from voicemesh_bot.clients.connections import Connections
    from voicemesh_bot.settings import BackendSettings, BotSettings
    from voicemesh_chassis.settings import load_settings
    from voicemesh_chassis.testing import running
    from voicemesh_stt.__main__ import build as build_stt
    from voicemesh_stt.settings import SttSettings
    from voicemesh_trainer.__main__ import build as build_trainer
    from voicemesh_trainer.settings import TrainerSettings
    from voicemesh_tts.__main__ import build as build_tts
    from voicemesh_tts.settings import TtsSettings

    async with AsyncExitStack() as stack:

        async def target(service: Service, settings: ServiceSettings) -> BackendSettings:
            started = await stack.enter_async_context(running(service, settings))
            return BackendSettings(target=started.target)

        stt_settings = load_settings(SttSettings)
        tts_settings = load_settings(TtsSettings)
        trainer_settings = load_settings(TrainerSettings)
        connections = Connections(
            BotSettings(
                stt=await target(build_stt(stt_settings), stt_settings),
                tts=await target(build_tts(tts_settings), tts_settings),
                trainer=await target(build_trainer(trainer_settings), trainer_settings),
            )
        )
        stack.push_async_callback(connections.aclose)
        yield connections.backends


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["fake", "real"])
async def backends(request: pytest.FixtureRequest) -> AsyncIterator[Backends]:
    """Both kinds, for what must hold for both."""
    if request.param == "fake":
        yield FakeBackends().backends
        return
    request.getfixturevalue("models_dir")
    async with real_backends() as real:
        yield real


@pytest.fixture
def fakes() -> FakeBackends:
    return FakeBackends()


@pytest.fixture(scope="session")
def spoken(speech: Path) -> bytes:
    """A recorded voice: 16 kHz mono samples with a second of silence after them."""
    with wave.open(str(speech / "librivox-0930.wav")) as recording:
        assert recording.getframerate() == 16_000
        samples: bytes = recording.readframes(recording.getnframes())
        return samples + bytes(2 * 16_000)


@pytest.fixture(scope="session")
def spoken_packets(speech: Path) -> list[OpusPacket]:
    """The same voice as Discord carries it: packets of 20 ms, five of silence, then none."""
    encoder = av.CodecContext.create("libopus", "w")
    assert isinstance(encoder, av.AudioCodecContext)
    encoder.sample_rate, encoder.layout, encoder.format = 48_000, "mono", "s16"
    resampler = av.AudioResampler("s16", "mono", 48_000, frame_size=960)
    with av.open(str(speech / "librivox-0930.wav")) as recording:
        frames = [each for frame in recording.decode(audio=0) for each in resampler.resample(frame)]
    data = [bytes(packet) for frame in frames for packet in encoder.encode(frame)]
    return [
        OpusPacket(each, (65_500 + index) % 65_536, 960 * index)
        for index, each in enumerate([*data, *[b"\xf8\xff\xfe"] * 5])
    ]
