"""What users would take instead: faster-whisper in their own process, or a server around it."""

from __future__ import annotations

import asyncio
import json
import subprocess
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from faster_whisper import WhisperModel

from benchmarks.stt.ours import free_ports
from voicemesh_models import ModelStore, default_models_dir, load_catalogue

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from benchmarks.stt.corpus import Utterance

__all__ = ("MODEL", "InProcess", "System", "Wyoming", "peer_version", "wyoming_serving")

MODEL = "whisper-tiny.en"
_PEERS = Path(__file__).resolve().parents[2] / ".cache" / "benchmarks" / "peers-stt"
_START_S = 60.0


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
        """The words, over the Wyoming protocol (a line of JSON for each event, then its data)."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        try:
            audio = {"rate": 16_000, "width": 2, "channels": 1}
            _send(writer, "transcribe", {"language": "en"})
            _send(writer, "audio-start", audio)
            pcm = utterance.pcm
            for start in range(0, len(pcm), 32_768):
                _send(writer, "audio-chunk", audio, pcm[start : start + 32_768])
            _send(writer, "audio-stop", {})
            await writer.drain()
            return await _transcript(reader)
        finally:
            writer.close()


def model_directory() -> Path:
    """Where the model lies that all systems use."""
    return ModelStore(default_models_dir(), load_catalogue()).require(MODEL)


def peer_version(name: str) -> str:
    """The version of a peer in its own environment."""
    code = f"from importlib.metadata import version; print(version({name!r}))"
    command = [str(_PEERS / "bin" / "python"), "-c", code]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@asynccontextmanager
async def wyoming_serving(*, threads: int = 0) -> AsyncIterator[Wyoming]:
    """The server, of its own environment, until the block ends.

    Args:
        threads: as its option `--cpu-threads`; 0 is its default.
    """
    port, _ = free_ports()
    directory = str(model_directory())
    command = [
        *(str(_PEERS / "bin" / "python"), "-m", "wyoming_faster_whisper"),
        *("--uri", f"tcp://127.0.0.1:{port}", "--data-dir", directory, "--model", directory),
        *("--language", "en", "--compute-type", "int8", "--local-files-only"),
        *(("--cpu-threads", str(threads)) if threads else ()),
    ]
    process = await asyncio.create_subprocess_exec(
        *command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        async with asyncio.timeout(_START_S):
            while not await _listens(port):
                await asyncio.sleep(0.2)
        yield Wyoming(port)
    finally:
        if process.returncode is None:
            process.terminate()
        await asyncio.wait_for(process.wait(), 30)


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True


def _send(
    writer: asyncio.StreamWriter, kind: str, data: Mapping[str, object], payload: bytes = b""
) -> None:
    event = {"type": kind, "data": data, "payload_length": len(payload)}
    writer.write(json.dumps(event).encode() + b"\n" + payload)


async def _transcript(reader: asyncio.StreamReader) -> str:
    while True:
        event = json.loads(await reader.readline())
        data = event.get("data", {})
        if length := event.get("data_length", 0):
            data |= json.loads(await reader.readexactly(length))
        if length := event.get("payload_length", 0):
            await reader.readexactly(length)
        if event["type"] == "transcript":
            return str(data["text"])
