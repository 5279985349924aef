"""Recordings of which no voice can be made: refused in time, saying why, and nothing is kept."""

from __future__ import annotations

import asyncio
import io
import time
import wave
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av
import grpc
import grpc.aio
import numpy as np
import pytest
from numpy.typing import NDArray

from voicemesh.tts.v1 import text_to_speech_service_pb2 as tts_pb
from voicemesh_tts.domain import Utterance, Voice
from voicemesh_tts.ports import REFERENCE_RATE_HERTZ, Piece, Samples
from voicemesh_tts.studio import StudioLimits

if TYPE_CHECKING:
    from tests.integration.conftest import Called

Serve = Callable[..., AbstractAsyncContextManager["Called"]]
Sound = NDArray[np.int16]

pytestmark = [
    pytest.mark.integration,
    pytest.mark.asyncio(loop_scope="function"),
    pytest.mark.timeout(60),
]

RATE = REFERENCE_RATE_HERTZ
ANSWER_S = 15.0
TENANT = "guild-1"


class Parrot:
    """Clones by keeping the recording; who it speaks like says it back, as far as there is any."""

    name = "parrot"

    def __init__(self) -> None:
        self.directories: dict[str, Path] = {}
        self.created = 0

    def voices(self) -> Sequence[Voice]:
        return [Voice("parrot:own", "Own", ("en",), RATE)]

    def pattern(self) -> Voice:
        return self.voices()[0]

    def create(self, reference: Samples, directory: Path) -> None:
        self.created += 1
        np.save(directory / "reference.npy", reference)

    def add(self, voice: Voice, directory: Path) -> None:
        self.directories[voice.id] = directory

    def remove(self, voice: str) -> None:
        self.directories.pop(voice, None)

    def is_loaded(self, voice: str) -> bool:
        return True

    def load(self, voice: str) -> None:
        """Has nothing to load."""

    def unload(self, voice: str) -> None:
        """Has nothing to unload."""

    def memory_bytes(self, voice: str) -> int:
        return 0

    def speak(self, utterance: Utterance) -> Iterator[Piece]:
        directory = self.directories.get(utterance.voice)
        sound = np.full(RATE // 2, 0.1, np.float32)
        if directory is not None:
            sound = np.load(directory / "reference.npy")[:RATE]
        yield Piece(sound, last=True)

    def close(self) -> None:
        """Holds nothing."""


def wav(sound: Sound | NDArray[np.uint8], rate: int = RATE) -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(sound.itemsize)
        file.setframerate(rate)
        file.writeframes(sound.tobytes())
    return out.getvalue()


@pytest.fixture(scope="module")
def talking(speech: Path) -> Sound:
    """Eleven seconds of somebody speaking, 16 bits at 24 kHz."""
    with av.open(str(speech / "jfk.flac")) as file:
        resampler = av.AudioResampler("s16", "mono", RATE)
        frames = [part for frame in file.decode(audio=0) for part in resampler.resample(frame)]
    return np.concatenate([frame.to_ndarray().ravel() for frame in frames]).astype(np.int16)


def _noise(talking: Sound) -> bytes:
    return wav(np.random.default_rng(1).normal(0, 3_000, 10 * RATE).astype(np.int16))


def _hour(talking: Sound) -> bytes:
    # 8 bits at 8 kHz are as much as a message takes, and a file that a telephone could make.
    minute = np.resize((talking[::3] // 256 + 128).astype(np.uint8), 60 * 8_000)
    return wav(np.tile(minute, 60), 8_000)


def _clipped(talking: Sound) -> bytes:
    return wav(np.clip(talking.astype(np.int32) * 30, -32_768, 32_767).astype(np.int16))


BAD: dict[str, Callable[[Sound], bytes]] = {
    "silent": lambda _: wav(np.zeros(10 * RATE, np.int16)),
    "one second": lambda talking: wav(talking[:RATE]),
    "an hour": _hour,
    "whispered": lambda talking: wav(talking // 800),
    "clipped": _clipped,
    "noise": _noise,
    "mostly silent": lambda talking: wav(np.pad(talking[: 3 * RATE], (0, 20 * RATE))),
    "no sound in it": lambda _: wav(np.zeros(0, np.int16)),
    "cut off": lambda talking: wav(talking)[: 3 * RATE],
    "text": lambda _: b"This is a recording of me. " * 1_000,
    "a playlist": lambda _: b"#EXTM3U\n#EXTINF:10,\nfile:///etc/passwd\n",
    "a picture": lambda _: b"\x89PNG\r\n\x1a\n" + bytes(1_000),
    "an archive": lambda _: b"PK\x03\x04" + bytes(1_000),
    "nothing": lambda _: b"",
}


@pytest.mark.parametrize("make", BAD.values(), ids=BAD.keys())
async def test_a_bad_recording_is_refused_and_leaves_nothing(
    serve_engine: Serve, tmp_path: Path, talking: Sound, make: Callable[[Sound], bytes]
) -> None:
    engine = Parrot()
    async with serve_engine(engine, StudioLimits(), tmp_path) as tts:
        begin = time.monotonic()
        error = await tts.refusal(_create(tts, make(talking)))
        taken_s = time.monotonic() - begin

        assert (error.code, error.field) == ("INVALID_ARGUMENT", "reference_audio")
        assert taken_s < ANSWER_S
        assert engine.created == 0
        assert not _files(tmp_path)
        await tts.running.check_well()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"speaker_consents": False}, "speaker_consents"),
        ({"tenant": ""}, "tenant"),
        ({"tenant": "two\nlines"}, "tenant"),
        ({"tenant": "a\0b"}, "tenant"),
        ({"tenant": "x" * 10_000}, "tenant"),
        ({"display_name": " "}, "display_name"),
        ({"display_name": "x" * 65}, "display_name"),
        ({"display_name": "two\nlines"}, "display_name"),
        ({"language_code": "no language"}, "language_code"),
        ({"language_code": "fi"}, "language_code"),
    ],
)
async def test_a_wish_that_cannot_be_granted_is_refused(
    serve_engine: Serve, tmp_path: Path, talking: Sound, changes: dict[str, object], field: str
) -> None:
    engine = Parrot()
    async with serve_engine(engine, StudioLimits(), tmp_path / "data") as tts:
        error = await tts.refusal(_create(tts, wav(talking), **changes))

        assert (error.code, error.field) == ("INVALID_ARGUMENT", field)
        assert engine.created == 0
        assert not _files(tmp_path)


@pytest.mark.parametrize("tenant", ["..", "../../elsewhere", "/etc", "a/../../b", "~", "con"])
async def test_a_tenant_who_looks_like_a_path_stays_in_the_data(
    serve_engine: Serve, tmp_path: Path, talking: Sound, tenant: str
) -> None:
    data = tmp_path / "deep" / "down" / "data"
    async with serve_engine(Parrot(), StudioLimits(), data) as tts:
        await _create(tts, wav(talking), tenant=tenant)

        made = _files(tmp_path)
        assert made
        assert all(path.resolve().parts[: len(data.parts)] == data.parts for path in made)
        assert {path.relative_to(data).parts[1] for path in made} == {"voices"}


async def test_a_good_recording_becomes_a_voice_of_its_tenant_alone(
    serve_engine: Serve, tmp_path: Path, talking: Sound
) -> None:
    async with serve_engine(Parrot(), StudioLimits(), tmp_path) as tts:
        voice = (await _create(tts, wav(talking))).voice

        def say(tenant: str) -> Any:
            config = tts_pb.SynthesisConfig(voice=voice.id, tenant=tenant)
            return tts.stub.Synthesize(tts_pb.SynthesizeRequest(text="Hello.", config=config))

        assert (await say(TENANT)).audio
        stolen = await tts.refusal(say("guild-2"))
        deleted_by_another = await tts.refusal(
            tts.stub.DeleteVoice(tts_pb.DeleteVoiceRequest(tenant="guild-2", voice=voice.id))
        )
        await tts.stub.DeleteVoice(tts_pb.DeleteVoiceRequest(tenant=TENANT, voice=voice.id))
        gone = await tts.refusal(say(TENANT))

        assert {stolen.code, deleted_by_another.code, gone.code} == {"NOT_FOUND"}
        assert not _files(tmp_path)


async def test_a_caller_who_leaves_while_a_voice_is_made_leaves_nothing(
    serve_engine: Serve, tmp_path: Path, talking: Sound
) -> None:
    async with serve_engine(Parrot(), StudioLimits(), tmp_path) as tts:
        call = _create(tts, wav(np.tile(talking, 2)))
        waiting = asyncio.ensure_future(call)
        await tts.running.until(lambda: tts.running.metric("grpc_server_in_flight"))

        waiting.cancel()

        await tts.running.check_well()
        await tts.running.until(lambda: _create_works(tts, talking))
        assert [path.name for path in _files(tmp_path)].count("voice.json") == 1


def _files(directory: Path) -> list[Path]:
    return [path for path in directory.rglob("*") if path.is_file()]


async def _create_works(tts: Called, talking: Sound) -> bool:
    """Whether a voice can be made; while another one is, it cannot."""
    try:
        return bool((await _create(tts, wav(talking))).voice.id)
    except grpc.aio.AioRpcError as raised:
        if raised.code() is grpc.StatusCode.RESOURCE_EXHAUSTED:
            return False
        raise


async def _create(tts: Called, recording: bytes, **changes: object) -> tts_pb.CreateVoiceResponse:
    request = tts_pb.CreateVoiceRequest(
        tenant=TENANT,
        display_name="Me",
        language_code="en",
        reference_audio=recording,
        speaker_consents=True,
    )
    for name, value in changes.items():
        setattr(request, name, value)
    created: tts_pb.CreateVoiceResponse = await tts.stub.CreateVoice(request, timeout=ANSWER_S)
    return created
