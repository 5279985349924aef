"""What is compared: the service, whole and streamed, Piper in-process, and wyoming-piper."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from piper import PiperVoice
from piper.config import SynthesisConfig

from benchmarks.peers import peer_serving
from benchmarks.wyoming import Wire, wired
from voicemesh_client import AudioEncoding, AudioFormat, SynthesisOptions
from voicemesh_client.speech import SpeechAudio
from voicemesh_models import ModelStore, default_models_dir, load_catalogue

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable
    from pathlib import Path

    import numpy.typing as npt

    from voicemesh_client.tts import TextToSpeech

__all__ = (
    "PCM",
    "RATE_HERTZ",
    "Heard",
    "InProcess",
    "Streamed",
    "System",
    "Whole",
    "WyomingPiper",
    "hear",
    "wyoming_piper",
)

VOICE = "en_US-joe-medium"
RATE_HERTZ = 22_050
"""The rate of the voice; nobody resamples."""
PCM = AudioFormat(AudioEncoding.PCM_S16LE, RATE_HERTZ, 1)
"""How the service is asked for its audio."""

_BYTES_PER_S = 2 * RATE_HERTZ


class System(Protocol):
    """Something that speaks."""

    def sounds(self, text: AsyncGenerator[str, None]) -> AsyncGenerator[bytes, None]:
        """The sound of a text that is being written, as it becomes known: 16-bit samples, mono."""
        ...


@dataclass(frozen=True, eq=False)
class Heard:
    """What somebody heard who played the sound as it came."""

    first_s: float
    """From the call to the first sound, in seconds."""
    whole_s: float
    """From the call to the last sound, in seconds."""
    stalled_s: float
    """How long the player had nothing to play, in seconds, between the first sound and the last."""
    samples: npt.NDArray[np.int16]
    """All of it."""

    @property
    def seconds(self) -> float:
        """How long it is."""
        return len(self.samples) / RATE_HERTZ


async def hear(
    system: System,
    text: AsyncGenerator[str, None],
    on_sound: Callable[[float], object] | None = None,
) -> Heard:
    """Listens to a text; `on_sound` is told the seconds of each sound as it comes."""
    begun = time.perf_counter()
    first_s = stalled_s = played_out = 0.0
    parts: list[bytes] = []
    async with aclosing(system.sounds(text)) as sounds:
        async for pcm in sounds:
            now = time.perf_counter()
            if not parts:
                first_s, played_out = now - begun, now
            stalled_s += max(0.0, now - played_out)
            played_out = max(now, played_out) + len(pcm) / _BYTES_PER_S
            parts.append(pcm)
            if on_sound is not None:
                on_sound(len(pcm) / _BYTES_PER_S)
    whole_s = time.perf_counter() - begun
    return Heard(first_s, whole_s, stalled_s, np.frombuffer(b"".join(parts), "<i2"))


@dataclass(frozen=True)
class Streamed:
    """The service's StreamSynthesize."""

    tts: TextToSpeech
    """Its client."""
    tenant: str = ""
    """For whom it speaks."""

    async def sounds(self, text: AsyncGenerator[str, None]) -> AsyncGenerator[bytes, None]:
        """See `System`."""
        async with aclosing(self.tts.speak(text, options=_options(self.tenant))) as events:
            async for event in events:
                if isinstance(event, SpeechAudio) and event.audio:
                    yield event.audio


@dataclass(frozen=True)
class Whole:
    """The service's Synthesize."""

    tts: TextToSpeech
    """Its client."""
    tenant: str = ""
    """For whom it speaks."""

    async def sounds(self, text: AsyncGenerator[str, None]) -> AsyncGenerator[bytes, None]:
        """See `System`: nothing before the text is finished, and then all at once."""
        whole = "".join([part async for part in text])
        yield (await self.tts.synthesize(whole, options=_options(self.tenant))).audio


class InProcess:
    """`piper.PiperVoice.synthesize`, called from as many threads as there are callers.

    There is no protocol and no copy between the caller and the model: the least that any server
    built on it can take. It speaks a finished text sentence by sentence.
    """

    def __init__(self, callers: int) -> None:
        """Loads the voice, for so many callers at once."""
        self._voice = PiperVoice.load(str(voice_directory() / f"{VOICE}.onnx"))
        self._threads = ThreadPoolExecutor(callers)

    async def sounds(self, text: AsyncGenerator[str, None]) -> AsyncGenerator[bytes, None]:
        """See `System`: nothing before the text is finished."""
        whole = "".join([part async for part in text])
        loop = asyncio.get_running_loop()
        chunks = iter(self._voice.synthesize(whole))
        while (pcm := await loop.run_in_executor(self._threads, _pcm, chunks)) is not None:
            yield pcm

    def sentences(self, text: str, *, steady: bool = False) -> list[npt.NDArray[np.float32]]:
        """The sound of each sentence, float32 [samples]. Blocks.

        Args:
            text: what to speak.
            steady: whether without variation, and at the level that the model makes.
        """
        config = SynthesisConfig(noise_scale=0.0, noise_w_scale=0.0, normalize_audio=False)
        chunks = self._voice.synthesize(text, config if steady else None)
        return [np.asarray(chunk.audio_float_array, np.float32) for chunk in chunks]


@dataclass(frozen=True)
class WyomingPiper:
    """The wyoming-piper server, by its streaming protocol; one connection for each text."""

    port: int
    """Where it listens."""

    async def sounds(self, text: AsyncGenerator[str, None]) -> AsyncGenerator[bytes, None]:
        """See `System`: it speaks a sentence when the next one begins or the text ends."""
        async with wired(self.port) as wire:
            writing = asyncio.create_task(_write(wire, text))
            try:
                while (event := await wire.receive()).kind != "synthesize-stopped":
                    if event.kind == "audio-chunk":
                        yield event.payload
            finally:
                writing.cancel()
                await asyncio.gather(writing, return_exceptions=True)


@asynccontextmanager
async def wyoming_piper() -> AsyncIterator[tuple[WyomingPiper, int]]:
    """The server with its defaults until the block ends, and its process."""
    options = ("--voice", VOICE, "--data-dir", str(voice_directory()))
    async with peer_serving("tts", "wyoming_piper", *options) as server:
        yield WyomingPiper(server.port), server.pid


def voice_directory() -> Path:
    """Where the voice lies that all systems use."""
    store = ModelStore(default_models_dir(), load_catalogue())
    return store.require(f"piper-{VOICE}")


def _options(tenant: str) -> SynthesisOptions:
    return SynthesisOptions(voice=f"piper:{VOICE}", format=PCM, tenant=tenant)


async def _write(wire: Wire, text: AsyncGenerator[str, None]) -> None:
    wire.send("synthesize-start", {"voice": {"name": VOICE}})
    async with aclosing(text):
        async for part in text:
            wire.send("synthesize-chunk", {"text": part})
            await wire.drain()
    wire.send("synthesize-stop")
    await wire.drain()


def _pcm(chunks: Any) -> bytes | None:
    chunk = next(chunks, None)
    return None if chunk is None else bytes(chunk.audio_int16_bytes)
