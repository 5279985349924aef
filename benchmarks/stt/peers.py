"""What users would take instead: faster-whisper in their own process, or a server around it."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Protocol

from faster_whisper import WhisperModel

from benchmarks.peers import peer_serving
from benchmarks.wyoming import wired
from voicemesh_models import ModelStore, default_models_dir, load_catalogue

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from benchmarks.stt.corpus import Utterance

__all__ = ("MODEL", "InProcess", "System", "Wyoming", "wyoming_serving")

MODEL = "whisper-tiny.en"


class System(Protocol):
    """Something that turns speech into words."""

    async def transcribe(self, utterance: Utterance) -> str:
        """The words."""
        ...


class InProcess:
    """`faster_whisper.WhisperModel.transcribe`, called from as many threads as there are callers.

    There is no protocol and no copy between the caller and the model: the least that any server
    built on it can take.
    """

    def __init__(self, callers: int, *, threads: int = 0, workers: int = 1) -> None:
        """Loads the model.

        Args:
            callers: most calls at once.
            threads: as the library's `cpu_threads`; 0 is its default.
            workers: as the library's `num_workers`; 1 is its default.
        """
        self._model: Any = WhisperModel(
            str(model_directory()),
            device="cpu",
            compute_type="int8",
            cpu_threads=threads,
            num_workers=workers,
            local_files_only=True,
        )
        self._threads = ThreadPoolExecutor(callers)

    async def transcribe(self, utterance: Utterance) -> str:
        """The words, with all options as the library has them by default (beam 5, full context)."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._transcribe, utterance)

    def _transcribe(self, utterance: Utterance) -> str:
        segments, _ = self._model.transcribe(utterance.audio, language="en")
        return "".join(segment.text for segment in segments)


class Wyoming:
    """A client of the wyoming-faster-whisper server; one connection for each utterance."""

    def __init__(self, port: int) -> None:
        self._port = port

    async def transcribe(self, utterance: Utterance) -> str:
        """The words, over the Wyoming protocol."""
        async with wired(self._port) as wire:
            audio = {"rate": 16_000, "width": 2, "channels": 1}
            wire.send("transcribe", {"language": "en"})
            wire.send("audio-start", audio)
            pcm = utterance.pcm
            for start in range(0, len(pcm), 32_768):
                wire.send("audio-chunk", audio, pcm[start : start + 32_768])
            wire.send("audio-stop")
            await wire.drain()
            while (event := await wire.receive()).kind != "transcript":
                pass
            return str(event.data["text"])


def model_directory() -> Path:
    """Where the model lies that all systems use."""
    return ModelStore(default_models_dir(), load_catalogue()).require(MODEL)


@asynccontextmanager
async def wyoming_serving(*, threads: int = 0) -> AsyncIterator[Wyoming]:
    """The server, of its own environment, until the block ends.

    Args:
        threads: as its option `--cpu-threads`; 0 is its default.
    """
    directory = str(model_directory())
    options = [
        *("--data-dir", directory, "--model", directory),
        *("--language", "en", "--compute-type", "int8", "--local-files-only"),
        *(("--cpu-threads", str(threads)) if threads else ()),
    ]
    async with peer_serving("stt", "wyoming_faster_whisper", *options) as server:
        yield Wyoming(server.port)
