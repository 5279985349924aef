"""Services as scripts, where each test says what the servicer does, over real gRPC.

And a real trainer, whose models are at a fake of OpenAI.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import trustme
from pydantic import SecretStr

from voicemesh.stt.v1 import speech_to_text_service_pb2_grpc as stt_grpc
from voicemesh.trainer.v1 import dataset_service_pb2_grpc as datasets_grpc
from voicemesh.trainer.v1 import model_service_pb2_grpc as models_grpc
from voicemesh.trainer.v1 import trainer_service_pb2_grpc as trainer_grpc
from voicemesh.trainer.v1 import training_job_service_pb2_grpc as jobs_grpc
from voicemesh.tts.v1 import text_to_speech_service_pb2_grpc as tts_grpc
from voicemesh_chassis.service import Api, Service
from voicemesh_chassis.settings import ServerSettings, ServiceSettings, TlsSettings
from voicemesh_chassis.testing import RunningService, running
from voicemesh_trainer.__main__ import build
from voicemesh_trainer.settings import (
    JobSettings,
    OpenAISettings,
    StorageSettings,
    TrainerSettings,
)

Behaviour = Callable[[Any, Any], Any]

APIS = (
    ("voicemesh.stt.v1.SpeechToTextService", stt_grpc.add_SpeechToTextServiceServicer_to_server),
    ("voicemesh.tts.v1.TextToSpeechService", tts_grpc.add_TextToSpeechServiceServicer_to_server),
    ("voicemesh.trainer.v1.TrainerService", trainer_grpc.add_TrainerServiceServicer_to_server),
    ("voicemesh.trainer.v1.DatasetService", datasets_grpc.add_DatasetServiceServicer_to_server),
    ("voicemesh.trainer.v1.ModelService", models_grpc.add_ModelServiceServicer_to_server),
    (
        "voicemesh.trainer.v1.TrainingJobService",
        jobs_grpc.add_TrainingJobServiceServicer_to_server,
    ),
)
STREAMS = frozenset(
    (
        "DownloadLossCurve",
        "EvaluateModel",
        "ExportDataset",
        "Generate",
        "StreamSynthesize",
        "StreamTranscribe",
        "TranscribeFile",
        "WatchTrainingJob",
    )
)


class Script:
    """A servicer of all services whose rpcs are attributes set by the test."""

    target = ""
    metrics_url = ""

    def __init__(self) -> None:
        self.requests: list[Any] = []
        self.ended: list[str] = []

    def __getattr__(self, name: str) -> Behaviour:
        if name.startswith("_"):
            raise AttributeError(name)

        def unscripted(_request: Any, _context: Any) -> Any:
            pytest.fail(f"{name} was called, which the test does not expect")

        return unscripted


async def run_command(
    *arguments: str, text: str | bytes = "", columns: int = 200
) -> tuple[int, str, str]:
    """Exit status, output and errors of the command."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        "from voicemesh_client.cli import main; main()",
        *arguments,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "COLUMNS": str(columns), "NO_COLOR": "1"},
    )
    output, errors = await process.communicate(text.encode() if isinstance(text, str) else text)
    assert process.returncode is not None
    assert b"Traceback" not in errors
    return process.returncode, output.decode(), errors.decode()


@pytest.fixture
def voicemesh() -> Callable[..., Awaitable[tuple[int, str, str]]]:
    """Runs the `voicemesh` command as a process of its own."""
    return run_command


async def nothing() -> None:
    """Starts or stops a script."""


@asynccontextmanager
async def serving(settings: ServiceSettings) -> AsyncIterator[Script]:
    """A running script."""
    servicer = Script()

    def registering(add: Callable[[Any, Any], None]) -> Callable[[Any], None]:
        return lambda server: add(Late(servicer), server)

    service = Service(
        name="script",
        apis=[Api(name, registering(add)) for name, add in APIS],
        start=nothing,
        stop=nothing,
    )
    async with running(service, settings) as served:
        servicer.target = served.target
        servicer.metrics_url = f"{served.http_url}/metrics"
        yield servicer


@pytest.fixture
async def script() -> AsyncIterator[Script]:
    """A running script; give its attributes, named as the rpcs are, before the first call."""
    async with serving(ServiceSettings()) as servicer:
        yield servicer


@pytest.fixture
async def stopping() -> AsyncIterator[tuple[Script, Callable[[], Awaitable[None]]]]:
    """A running script, and what stops it; open calls are given a tenth of a second."""
    async with AsyncExitStack() as stack:
        settings = ServiceSettings(server=ServerSettings(drain_timeout_s=0.1))
        servicer = await stack.enter_async_context(serving(settings))
        yield servicer, stack.aclose


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> tuple[trustme.CA, Path]:
    """An authority, and the file of its certificate."""
    made = trustme.CA()
    file = tmp_path_factory.mktemp("authority") / "ca.pem"
    made.cert_pem.write_to_path(str(file))
    return made, file


@pytest.fixture
async def secured(authority: tuple[trustme.CA, Path], tmp_path: Path) -> AsyncIterator[str]:
    """The target of a service that serves TLS, with a certificate of the authority."""
    issued = authority[0].issue_cert("127.0.0.1")
    certificate, key = tmp_path / "server.pem", tmp_path / "server.key"
    issued.cert_chain_pems[0].write_to_path(str(certificate))
    issued.private_key_pem.write_to_path(str(key))
    tls = TlsSettings(certificate_file=certificate, key_file=key)
    service = Service(name="secured", apis=[], start=nothing, stop=nothing)
    async with running(service, ServiceSettings(server=ServerSettings(tls=tls))) as served:
        yield served.target


@pytest.fixture
def foreign_ca_file(tmp_path: Path) -> Path:
    """The file of an authority that nobody here has asked for anything."""
    file = tmp_path / "foreign.pem"
    trustme.CA().cert_pem.write_to_path(str(file))
    return file


@pytest.fixture
async def openai(new_openai: Callable[[], Awaitable[Any]]) -> Any:
    """The provider of `trainer`."""
    return await new_openai()


@pytest.fixture
async def trainer(openai: Any, tmp_path: Path) -> AsyncIterator[RunningService]:
    """A real trainer with an empty database."""
    settings = TrainerSettings(
        openai_api_key=SecretStr("sk-secret-key-of-the-test"),
        openai_base_url=openai.url,
        openai=OpenAISettings(model="gpt"),
        storage=StorageSettings(data_dir=tmp_path / "data"),
        training=JobSettings(poll_s=0.05, provider_poll_s=0.02, provider_longest_poll_s=0.05),
    )
    async with running(build(settings), settings) as service:
        yield service


class Late:
    """Looks the rpc up when it is called, so that a test can script a running server.

    Streams in and out are async generators here; a plain request is passed on as it is.
    """

    def __init__(self, script: Script) -> None:
        self._script = script

    def __getattr__(self, name: str) -> Behaviour:
        if name in STREAMS:

            async def stream(request: Any, context: Any) -> AsyncIterator[Any]:
                try:
                    async for response in getattr(self._script, name)(request, context):
                        yield response
                finally:
                    self._script.ended.append(name)

            return stream

        async def single(request: Any, context: Any) -> Any:
            self._script.requests.append(request)
            return await getattr(self._script, name)(request, context)

        return single
