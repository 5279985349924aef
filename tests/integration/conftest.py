"""stt, tts and trainer with their real engines: as processes for all, or one in the test's own."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterable, AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest
import pytest_asyncio

from voicemesh.stt.v1 import speech_to_text_service_pb2_grpc as stt_grpc
from voicemesh.trainer.v1 import trainer_service_pb2_grpc as trainer_grpc
from voicemesh.tts.v1 import text_to_speech_service_pb2_grpc as tts_grpc
from voicemesh_chassis.channel import error_from_rpc
from voicemesh_chassis.errors import ServiceError
from voicemesh_chassis.metrics import new_registry
from voicemesh_chassis.service import Service
from voicemesh_chassis.settings import ServiceSettings
from voicemesh_chassis.testing import RunningService, running
from voicemesh_launcher.announcements import Announcements
from voicemesh_launcher.fleet import Fleet
from voicemesh_launcher.programs import read_programs, with_free_ports
from voicemesh_models import ModelStore, default_models_dir, load_catalogue
from voicemesh_stt.__main__ import build as build_stt
from voicemesh_stt.settings import SttSettings
from voicemesh_trainer.__main__ import build as build_trainer
from voicemesh_trainer.settings import TrainerSettings
from voicemesh_tts.__main__ import build as build_tts
from voicemesh_tts.cloning.store import VoiceStore
from voicemesh_tts.cloning.workshop import CloningLimits, Workshop
from voicemesh_tts.dictionaries import Dictionaries
from voicemesh_tts.engines.silero import SileroSpeechDetector
from voicemesh_tts.metrics import TtsMetrics
from voicemesh_tts.rpc.servicer import api as tts_api
from voicemesh_tts.settings import StreamSettings, TtsSettings
from voicemesh_tts.studio import Studio, StudioLimits

START_S = 120


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def targets(
    models_dir: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[dict[str, str]]:
    """`host:port` of each running service, by its name."""
    environ = {
        **os.environ,
        "VOICEMESH_MODELS_DIR": str(models_dir),
        "VOICEMESH_TRAINER_BACKEND": "local",
    }
    programs = with_free_ports(read_programs({})[:3], environ, everywhere=True)
    log_dir = tmp_path_factory.mktemp("logs")
    lines: list[str] = []
    announcements = Announcements(programs, log_dir, lines.append)
    fleet = Fleet(programs, log_dir, announcements, environ=environ)
    fleet_run = asyncio.create_task(fleet.run())
    ready = asyncio.create_task(fleet.all_ready.wait())
    done, _ = await asyncio.wait(
        {fleet_run, ready}, timeout=START_S, return_when=asyncio.FIRST_COMPLETED
    )
    try:
        if ready not in done:
            pytest.fail("the services did not start:\n" + "\n".join(lines))
        yield {program.name: program.endpoints["grpc"].address for program in programs}
    finally:
        ready.cancel()
        fleet.stop()
        await fleet_run


@dataclass(frozen=True)
class Called:
    """A running service as a caller sees it."""

    running: RunningService
    new_stub: Callable[[grpc.aio.Channel], Any]

    @property
    def stub(self) -> Any:
        """What calls it, on a channel of its own."""
        return self.new_stub(self.running.channel(max_message_bytes=1 << 28))

    async def collected(self, call: Any) -> list[Any]:
        """All that a stream says."""
        return [message async for message in call]

    async def refusal(self, call: Any) -> ServiceError:
        """What a call that must fail is told; checks what holds for every refusal."""
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await (self.collected(call) if isinstance(call, AsyncIterable) else call)
        error = error_from_rpc(raised.value)
        assert len(error.message) < 400
        for leak in ("Traceback", 'File "', "site-packages", str(Path.home())):
            assert leak not in error.message
        return error


@asynccontextmanager
async def called(
    service: Service, settings: ServiceSettings, new_stub: Callable[[grpc.aio.Channel], Any]
) -> AsyncIterator[Called]:
    async with running(service, settings) as served:
        yield Called(served, new_stub)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stt(models_dir: Path) -> AsyncIterator[Called]:
    settings = SttSettings(models_dir=models_dir)
    async with called(build_stt(settings), settings, stt_grpc.SpeechToTextServiceStub) as stt:
        yield stt


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def tts(models_dir: Path) -> AsyncIterator[Called]:
    """It sends those away who do not read for a second."""
    assert models_dir
    settings = TtsSettings(stream=StreamSettings(idle_timeout_s=1.0))
    async with called(build_tts(settings), settings, tts_grpc.TextToSpeechServiceStub) as tts:
        yield tts


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def trainer(models_dir: Path) -> AsyncIterator[Called]:
    assert models_dir
    settings = TrainerSettings(backend="local")
    async with called(build_trainer(settings), settings, trainer_grpc.TrainerServiceStub) as it:
        yield it


@asynccontextmanager
async def engine_served(
    engine: Any, limits: StudioLimits, data_dir: Path | None = None
) -> AsyncIterator[Called]:
    """Serves an engine, whose first voice is the default; with `data_dir`, it clones too."""
    registry = new_registry()
    studio = Studio([engine], engine.voices()[0].id, limits, TtsMetrics(registry))
    workshop = None
    if data_dir is not None:
        detector = SileroSpeechDetector(ModelStore(default_models_dir(), load_catalogue()))
        workshop = Workshop(engine, detector, VoiceStore(data_dir), studio, CloningLimits())
    service = Service(
        name="tts",
        apis=[tts_api(studio, Dictionaries(data_dir), workshop)],
        start=studio.open,
        stop=studio.aclose,
        registry=registry,
        drain=studio.drain,
    )
    async with called(service, TtsSettings(), tts_grpc.TextToSpeechServiceStub) as served:
        yield served


@pytest.fixture
def serve_engine(models_dir: Path) -> Callable[..., AbstractAsyncContextManager[Called]]:
    """Serves an engine of the test's own as tts does, over real gRPC."""
    assert models_dir
    return engine_served
