"""Voices of recordings over gRPC: made, listed, spoken with, deleted, and refused."""

from __future__ import annotations

import io
import wave
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc.aio
import numpy as np
import pytest
import pytest_asyncio

from voicemesh.tts.v1 import text_to_speech_service_pb2 as pb
from voicemesh.tts.v1 import text_to_speech_service_pb2_grpc as pb_grpc
from voicemesh_chassis.channel import error_from_rpc
from voicemesh_chassis.errors import ServiceError
from voicemesh_chassis.metrics import new_registry
from voicemesh_chassis.service import Service
from voicemesh_chassis.testing import running
from voicemesh_models import ModelStore, load_catalogue
from voicemesh_tts.cloning.store import VoiceStore
from voicemesh_tts.cloning.workshop import CloningLimits, Workshop
from voicemesh_tts.dictionaries import Dictionaries
from voicemesh_tts.domain import Utterance, Voice
from voicemesh_tts.engines.silero import SileroSpeechDetector
from voicemesh_tts.metrics import TtsMetrics
from voicemesh_tts.ports import REFERENCE_RATE_HERTZ, Piece, Samples
from voicemesh_tts.rpc.servicer import api
from voicemesh_tts.settings import TtsSettings
from voicemesh_tts.studio import Studio, StudioLimits

pytestmark = [pytest.mark.contract, pytest.mark.asyncio(loop_scope="module")]

RATE = REFERENCE_RATE_HERTZ
PATTERN = Voice("echo:base", "Base", ("en", "de"), RATE, license="CPML")


@dataclass
class EchoEngine:
    """A clone says everything with the first half second of its recording."""

    name: str = "echo"
    clones: dict[str, Path] = field(default_factory=dict)

    def voices(self) -> Sequence[Voice]:
        return [PATTERN]

    def is_loaded(self, voice: str) -> bool:
        return True

    def load(self, voice: str) -> None:
        return None

    def unload(self, voice: str) -> None:
        return None

    def memory_bytes(self, voice: str) -> int:
        return 0

    def close(self) -> None:
        return None

    def speak(self, utterance: Utterance) -> Iterator[Piece]:
        directory = self.clones.get(utterance.voice)
        sound = np.full(RATE // 2, 0.1, np.float32)
        if directory is not None:
            sound = np.load(directory / "sound.npy")[: RATE // 2]
        yield Piece(sound, last=True)

    def pattern(self) -> Voice:
        return PATTERN

    def create(self, reference: Samples, directory: Path) -> None:
        np.save(directory / "sound.npy", reference[RATE : 2 * RATE])

    def add(self, voice: Voice, directory: Path) -> None:
        self.clones[voice.id] = directory

    def remove(self, voice: str) -> None:
        self.clones.pop(voice, None)


@dataclass
class Bench:
    """The service, and where its voices are."""

    stub: Any
    data: Path

    async def create(self, **changes: Any) -> pb.Voice:
        answer = await self.stub.CreateVoice(wish(**changes))
        voice: pb.Voice = answer.voice
        return voice

    async def ids(self, tenant: str) -> list[str]:
        answer = await self.stub.ListVoices(pb.ListVoicesRequest(tenant=tenant))
        return [voice.id for voice in answer.voices]

    async def speak(self, voice: str, tenant: str) -> pb.SynthesizeResponse:
        config = pb.SynthesisConfig(voice=voice, tenant=tenant)
        answer: pb.SynthesizeResponse = await self.stub.Synthesize(
            pb.SynthesizeRequest(text="Good morning.", config=config)
        )
        return answer

    def files(self) -> list[Path]:
        return [path for path in self.data.rglob("*") if path.is_file()]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def bench(models_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Bench]:
    data = tmp_path_factory.mktemp("data")
    engine, registry = EchoEngine(), new_registry()
    studio = Studio([engine], "echo:base", StudioLimits(cache_bytes=0), TtsMetrics(registry))
    detector = SileroSpeechDetector(ModelStore(models_dir, load_catalogue()))
    detector.check()
    workshop = Workshop(engine, detector, VoiceStore(data), studio, CloningLimits())
    service = Service(
        name="tts",
        apis=[api(studio, Dictionaries(data), workshop)],
        start=studio.open,
        stop=studio.aclose,
        registry=registry,
    )
    settings = TtsSettings()
    async with running(service, settings) as service_:
        channel = service_.channel(max_message_bytes=64 * 1024 * 1024)
        yield Bench(pb_grpc.TextToSpeechServiceStub(channel), data)


RECORDING = Path(__file__).parents[2] / "data" / "speech" / "jfk.flac"


def wish(**changes: Any) -> pb.CreateVoiceRequest:
    fields = {
        "tenant": "guild",
        "display_name": "Somebody",
        "language_code": "en-US",
        "reference_audio": RECORDING.read_bytes(),
        "speaker_consents": True,
    }
    return pb.CreateVoiceRequest(**{**fields, **changes})


async def refusal(call: Any) -> ServiceError:
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await call
    error = error_from_rpc(raised.value)
    assert len(error.message) < 400
    return error


def silence(seconds: float, rate: int = 8_000) -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(1)
        file.setframerate(rate)
        file.writeframes(b"\x80" * round(seconds * rate))
    return out.getvalue()


async def test_a_voice_is_made_spoken_with_and_deleted(bench: Bench) -> None:
    voice = await bench.create()

    assert (voice.tenant, voice.display_name, voice.license) == ("guild", "Somebody", "CPML")
    assert voice.create_time.seconds > 0
    assert voice.id in await bench.ids("guild")
    spoken = await bench.speak(voice.id, "guild")
    assert (spoken.voice, spoken.audio_duration.ToMilliseconds()) == (voice.id, 500)

    await bench.stub.DeleteVoice(pb.DeleteVoiceRequest(tenant="guild", voice=voice.id))

    assert voice.id not in await bench.ids("guild")
    assert (await refusal(bench.speak(voice.id, "guild"))).code == "NOT_FOUND"
    again = pb.DeleteVoiceRequest(tenant="guild", voice=voice.id)
    assert (await refusal(bench.stub.DeleteVoice(again))).code == "NOT_FOUND"
    assert bench.files() == []


async def test_a_voice_is_there_for_its_tenant_alone(bench: Bench) -> None:
    voice = await bench.create(tenant="guild")

    for tenant in ("", "other", "GUILD"):
        assert voice.id not in await bench.ids(tenant)
        assert (await refusal(bench.speak(voice.id, tenant))).code == "NOT_FOUND"
    stolen = pb.DeleteVoiceRequest(tenant="other", voice=voice.id)
    assert (await refusal(bench.stub.DeleteVoice(stolen))).code == "NOT_FOUND"
    assert voice.id in await bench.ids("guild")
    await bench.stub.DeleteVoice(pb.DeleteVoiceRequest(tenant="guild", voice=voice.id))


async def test_tenants_with_odd_names_stay_inside_the_data(bench: Bench) -> None:
    for tenant in ("..", "../../etc", "/absolute", "a\\b", "Straße 🎉"):
        voice = await bench.create(tenant=tenant)
        assert await bench.ids(tenant) == sorted(["echo:base", voice.id])

    assert all(bench.data in path.resolve().parents for path in bench.files())
    assert len(list(bench.data.iterdir())) >= 5


@pytest.mark.parametrize(
    ("changes", "field", "said"),
    [
        ({"tenant": ""}, "tenant", "missing"),
        ({"tenant": "a\0b"}, "tenant", "printed"),
        ({"display_name": " "}, "display_name", "1 to 64"),
        ({"display_name": "x" * 65}, "display_name", "1 to 64"),
        ({"display_name": "a\nb"}, "display_name", "printed"),
        ({"language_code": ""}, "language_code", "BCP-47"),
        ({"language_code": "fr"}, "language_code", "do not speak"),
        ({"speaker_consents": False}, "speaker_consents", "agreed"),
        ({"reference_audio": b""}, "reference_audio", "empty"),
        ({"reference_audio": b"no audio"}, "reference_audio", "not an audio file"),
        ({"reference_audio": silence(1)}, "reference_audio", "1.0 s long"),
        ({"reference_audio": silence(8)}, "reference_audio", "silent"),
        ({"reference_audio": silence(3_600)}, "reference_audio", "longer than 30 s"),
    ],
    ids=lambda value: "" if isinstance(value, dict) else str(value),
)
async def test_wishes_that_cannot_be_granted(
    bench: Bench, changes: dict[str, Any], field: str, said: str
) -> None:
    before = bench.files()
    error = await refusal(bench.stub.CreateVoice(wish(**changes)))

    assert (error.code, error.field) == ("INVALID_ARGUMENT", field)
    assert said in error.message
    assert bench.files() == before


@pytest.mark.parametrize(
    ("request_", "code", "field"),
    [
        (pb.DeleteVoiceRequest(voice="echo:base"), "INVALID_ARGUMENT", "tenant"),
        (pb.DeleteVoiceRequest(tenant="guild", voice="echo:base"), "NOT_FOUND", "voice"),
        (pb.DeleteVoiceRequest(tenant="guild", voice="../../x"), "NOT_FOUND", "voice"),
    ],
)
async def test_what_cannot_be_deleted(
    bench: Bench, request_: pb.DeleteVoiceRequest, code: str, field: str
) -> None:
    error = await refusal(bench.stub.DeleteVoice(request_))

    assert (error.code, error.field) == (code, field)
